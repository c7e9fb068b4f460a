-- People and their birthdays. `birthday` is YYYY-MM-DD and `month_day` its month times 100 plus its day, by which the
-- scheduler finds whose day it is. `name_key` and `email_key` are for searching: lower case, as hexadecimal digits, which
-- every collation sorts alike, so that a prefix is a range of the index in SQLite and PostgreSQL. `since_ms` is when we
-- learnt of the birthday: earlier ones are not made up for.
CREATE TABLE birthday_users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    name_key TEXT NOT NULL,
    email_key TEXT NOT NULL,
    birthday TEXT NOT NULL,
    month_day BIGINT NOT NULL,
    zone TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);

CREATE INDEX birthday_users_by_month_day ON birthday_users (month_day, id);
CREATE INDEX birthday_users_by_name ON birthday_users (name_key);
CREATE INDEX birthday_users_by_email ON birthday_users (email_key);

-- Messages, one a user and birthday year, and the outbox: what is `scheduled` and due is published to the queue and then
-- `enqueued`. A publisher takes rows by writing its `claim` and `claimed_ms`; a claim too old is nobody's any more.
-- The id is `USER-YEAR`, and the Message-ID's first part. Rows outlive their user, because they tell nothing of them.
CREATE TABLE birthday_messages (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    year BIGINT NOT NULL,
    -- scheduled, enqueued, delivered, dead, cancelled
    state TEXT NOT NULL,
    due_ms BIGINT NOT NULL,
    scheduled_ms BIGINT NOT NULL,
    enqueued_ms BIGINT,
    delivered_ms BIGINT,
    -- When an enqueued message was last heard of, or will be tried again.
    touched_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    error TEXT,
    claim TEXT,
    claimed_ms BIGINT NOT NULL
);

CREATE INDEX birthday_messages_by_user ON birthday_messages (user_id, year);
CREATE INDEX birthday_messages_by_state ON birthday_messages (state, id);
CREATE INDEX birthday_messages_outbox ON birthday_messages (due_ms) WHERE state = 'scheduled';
CREATE INDEX birthday_messages_on_the_way ON birthday_messages (touched_ms) WHERE state = 'enqueued';
CREATE INDEX birthday_messages_by_claim ON birthday_messages (claim) WHERE claim IS NOT NULL;

-- Which scheduler is at work, and what it has planned.
CREATE TABLE birthday_scheduler (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    renewed_ms BIGINT NOT NULL,
    planned_ms BIGINT NOT NULL,
    planned_until_ms BIGINT NOT NULL
);
