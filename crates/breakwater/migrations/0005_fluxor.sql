-- The users that Fluxor lists. Ids are UUIDs of version 7: their order is that of creation, and pages follow it.
CREATE TABLE fluxor_users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL
);
