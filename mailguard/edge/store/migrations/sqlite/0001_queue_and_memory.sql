-- The queue (message, recipient, body, event, tally) and the memory (thread, thread_message, participant).
--
-- Times are UTC text of fixed width, 2026-11-22T10:00:00.000000Z, so that they read and sort as they
-- stand; durations are microseconds. Parts of a message point to its number, not to its id: numbers grow,
-- so new rows go to the end of their table instead of to a random place in it.
-- REFERENCES tells what belongs together; the guard removes the parts itself, and the check is off.

CREATE TABLE message (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    -- When the timer has something to do for it; NULL where it has not.
    next_due TEXT,
    -- Not finished: when it should be gone, as its sender was told, and the margin; NULL while it waits
    -- for a person. Finished: NULL.
    leaves_at TEXT,
    -- When it was finished; NULL while it is not.
    done_at TEXT,
    gate TEXT NOT NULL,
    expires_at TEXT,
    frozen_at TEXT,
    finished_at TEXT,
    body_kept INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    -- The sender in the form in which two spellings of one address are equal.
    sender_key TEXT NOT NULL,
    user TEXT,
    peer TEXT NOT NULL,
    helo TEXT NOT NULL,
    protocol TEXT NOT NULL,
    parameters TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    action TEXT NOT NULL,
    rules TEXT NOT NULL,
    findings TEXT NOT NULL,
    approvers TEXT NOT NULL,
    margin_us INTEGER NOT NULL,
    undo_us INTEGER NOT NULL,
    expire_us INTEGER NOT NULL
);

-- What is finished is in no index of what is open, so that a million of it slows nothing down, and taking a
-- message in hand changes next_due alone.
CREATE INDEX message_due ON message (next_due) WHERE next_due IS NOT NULL;
CREATE INDEX message_open ON message (leaves_at) WHERE done_at IS NULL;
CREATE INDEX message_done ON message (state, done_at) WHERE done_at IS NOT NULL;
CREATE INDEX message_sender_open ON message (sender_key, leaves_at) WHERE done_at IS NULL;
CREATE INDEX message_sender_done ON message (sender_key, done_at) WHERE done_at IS NOT NULL;
CREATE INDEX message_expiring ON message (expires_at)
    WHERE expires_at IS NOT NULL AND state IN ('confirm', 'approval', 'frozen');
-- Finished, with bytes that only a restore could want.
CREATE INDEX message_undo ON message (done_at) WHERE done_at IS NOT NULL AND body_kept = 1;

CREATE TABLE recipient (
    message INTEGER NOT NULL REFERENCES message (n),
    place INTEGER NOT NULL,
    address TEXT NOT NULL,
    external INTEGER NOT NULL,
    state TEXT NOT NULL,
    notify TEXT,
    orcpt TEXT,
    delay_us INTEGER NOT NULL,
    gated INTEGER NOT NULL,
    release_at TEXT,
    due_at TEXT,
    in_flight INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_try_at TEXT,
    reply TEXT,
    maybe_sent INTEGER NOT NULL,
    sent_at TEXT,
    dropped_at TEXT,
    PRIMARY KEY (message, place)
) WITHOUT ROWID;

CREATE TABLE body (
    message INTEGER PRIMARY KEY REFERENCES message (n),
    content BLOB NOT NULL
);

-- One line of history for each version of a message.
CREATE TABLE event (
    message INTEGER NOT NULL REFERENCES message (n),
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    by TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (message, version)
) WITHOUT ROWID;

-- How many messages are in each state, so that nobody has to count a million of them.
CREATE TABLE tally (
    state TEXT PRIMARY KEY,
    messages INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    INSERT INTO tally (state, messages) VALUES (NEW.state, 1)
        ON CONFLICT (state) DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER message_moved AFTER UPDATE OF state ON message WHEN OLD.state <> NEW.state BEGIN
    UPDATE tally SET messages = messages - 1 WHERE state = OLD.state;
    INSERT INTO tally (state, messages) VALUES (NEW.state, 1)
        ON CONFLICT (state) DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER message_forgotten AFTER DELETE ON message BEGIN
    UPDATE tally SET messages = messages - 1 WHERE state = OLD.state;
END;

-- Threads grow together as messages name each other: a thread that was joined to another names it as its
-- parent, and its participants move there. The smaller joins the larger, so the way up stays short.
CREATE TABLE thread (
    n INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES thread (n),
    messages INTEGER NOT NULL
);

-- A Message-ID can be as long as a line; 64 bits of its digest are as good for finding it again.
CREATE TABLE thread_message (
    digest INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES thread (n)
);

CREATE TABLE participant (
    thread INTEGER NOT NULL REFERENCES thread (n),
    address TEXT NOT NULL,
    PRIMARY KEY (thread, address)
) WITHOUT ROWID;
