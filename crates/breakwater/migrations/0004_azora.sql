-- Azora: people with profiles, and courses. Instants are milliseconds since 1970.

CREATE TABLE azora_users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    bio TEXT NOT NULL,
    language TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE azora_courses (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    level TEXT NOT NULL,
    hours BIGINT NOT NULL,
    -- What the search looks in: title, summary and category in small letters.
    words TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX azora_courses_by_title ON azora_courses (title, id);
CREATE INDEX azora_courses_by_category ON azora_courses (category, title, id);
