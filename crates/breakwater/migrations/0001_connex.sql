-- Accounts. Emails are in lower case; `name_key` is the name in lower case, `search` what a search looks through.
CREATE TABLE connex_users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    search TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX connex_users_email ON connex_users (email, id);
CREATE INDEX connex_users_name ON connex_users (name_key, id);

-- Sign-ins of every system: a family of refresh tokens each, of which one is good. `revoked_at` is 0 until it ends.
CREATE TABLE sign_ins (
    family TEXT PRIMARY KEY,
    realm TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_user ON sign_ins (realm, user_id);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);
CREATE INDEX sign_ins_revoked ON sign_ins (revoked_at) WHERE revoked_at > 0;
