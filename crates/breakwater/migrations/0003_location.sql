-- Sessions in which positions are shared. `members` counts the participants, so that the limit holds without counting rows.
CREATE TABLE location_sessions (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    owner_hash TEXT NOT NULL,
    members BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX location_sessions_created ON location_sessions (created_at);

-- Who has joined. Of the token that opens the socket only its hash is kept.
CREATE TABLE location_participants (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES location_sessions (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    joined_at BIGINT NOT NULL
);
CREATE INDEX location_participants_session ON location_participants (session_id, id);
