-- News that is to be told outside, a row for each target, gone when it was told. Written with the change that
-- it is about, so that a kill between the two can lose none of it.

CREATE TABLE outbox (
    n INTEGER PRIMARY KEY,
    -- The same at every attempt: by it a receiver knows what it has had already.
    id TEXT NOT NULL,
    target TEXT NOT NULL,
    topic TEXT NOT NULL,
    at TEXT NOT NULL,
    -- When it is tried next; NULL where it was given up.
    next_at TEXT,
    attempts INTEGER NOT NULL,
    -- Why the last attempt failed.
    fault TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (id, target)
);

CREATE INDEX outbox_due ON outbox (target, next_at) WHERE next_at IS NOT NULL;
