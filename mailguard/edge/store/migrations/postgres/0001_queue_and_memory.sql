-- The queue and the memory, for several guards at once.
--
-- A message is one row: an update writes the whole row anew anyway, so its parts (recipients, verdict) are
-- one JSON text in it, and columns of their own are those by which it is found. Version, state and body_kept
-- are the columns', wherever the document says otherwise.
-- Nothing here is counted in one place that all guards would have to wait for: see tally.

CREATE SEQUENCE message_number INCREMENT BY 64;

CREATE TABLE message (
    n bigint PRIMARY KEY,
    id text NOT NULL COLLATE "C" UNIQUE,
    version integer NOT NULL,
    state text NOT NULL,
    -- Which guard has it in hand (node), or had it in hand last.
    owner text,
    -- When the timer has something to do for it; NULL where it has not.
    next_due timestamptz,
    -- Not finished: when it should be gone, as its sender was told, and the margin; NULL while it waits for a
    -- person. Finished: NULL.
    leaves_at timestamptz,
    -- When it was finished; NULL while it is not.
    done_at timestamptz,
    expires_at timestamptz,
    -- When somebody is asked next for a yes.
    remind_at timestamptz,
    body_kept boolean NOT NULL,
    sender_key text NOT NULL,
    size bigint NOT NULL,
    document text NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX message_due ON message (next_due, n) WHERE next_due IS NOT NULL;
CREATE INDEX message_relaying ON message (n) WHERE state = 'relaying';
CREATE INDEX message_open ON message (leaves_at, n) WHERE done_at IS NULL;
CREATE INDEX message_untimed ON message (n) WHERE done_at IS NULL AND leaves_at IS NULL;
CREATE INDEX message_done ON message (state, done_at, n) WHERE done_at IS NOT NULL;
CREATE INDEX message_sender_open ON message (sender_key, leaves_at, n) WHERE done_at IS NULL;
CREATE INDEX message_sender_done ON message (sender_key, done_at, n) WHERE done_at IS NOT NULL;
CREATE INDEX message_expiring ON message (expires_at, n)
    WHERE expires_at IS NOT NULL AND state IN ('confirm', 'approval', 'frozen');
CREATE INDEX message_reminding ON message (remind_at, n)
    WHERE remind_at IS NOT NULL AND state IN ('confirm', 'approval');
CREATE INDEX message_old ON message (done_at) WHERE done_at IS NOT NULL;
-- Finished, with bytes that only a restore could want.
CREATE INDEX message_undo ON message (done_at) WHERE done_at IS NOT NULL AND body_kept;

CREATE TABLE body (
    message bigint PRIMARY KEY REFERENCES message (n) ON DELETE CASCADE,
    content bytea NOT NULL
);
-- Mail does not get much smaller, and compressing it takes longer than writing it.
ALTER TABLE body ALTER COLUMN content SET STORAGE EXTERNAL;

-- One line of history for each version of a message.
CREATE TABLE event (
    message bigint NOT NULL REFERENCES message (n) ON DELETE CASCADE,
    version integer NOT NULL,
    at text NOT NULL,
    event text NOT NULL,
    by text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (message, version)
);

-- The messages of the last ten minutes: the digest of login, envelope and bytes, and what their client was told.
CREATE TABLE submission (
    message bigint PRIMARY KEY REFERENCES message (n) ON DELETE CASCADE,
    digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    reply text NOT NULL
);
CREATE INDEX submission_digest ON submission (digest);
CREATE INDEX submission_old ON submission (received_at);

-- How many messages are in each state is the sum of these; a row that all have to write to would make the
-- guards wait for one another. They are added up every few seconds.
CREATE TABLE tally (
    state text NOT NULL,
    messages bigint NOT NULL
);

CREATE FUNCTION message_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (state, messages) SELECT state, count(*) FROM new_rows GROUP BY state;
    RETURN NULL;
END $$;

CREATE FUNCTION message_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (state, messages)
        SELECT state, sum(messages) FROM (
            SELECT state, count(*) AS messages FROM new_rows GROUP BY state
            UNION ALL
            SELECT state, -count(*) FROM old_rows GROUP BY state
        ) AS moved GROUP BY state HAVING sum(messages) <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION message_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (state, messages) SELECT state, -count(*) FROM old_rows GROUP BY state;
    RETURN NULL;
END $$;

CREATE TRIGGER message_added AFTER INSERT ON message
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION message_added();
CREATE TRIGGER message_moved AFTER UPDATE ON message
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION message_moved();
CREATE TRIGGER message_forgotten AFTER DELETE ON message
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION message_forgotten();

-- The guards that have something in hand. A lease that is over is never renewed: its guard begins anew under
-- another id, so the id is the fencing epoch of all it had in hand.
CREATE TABLE node (
    id text PRIMARY KEY,
    name text NOT NULL,
    lease_until timestamptz NOT NULL,
    -- What its rules come to, so that guards with different rules find out.
    rules text NOT NULL DEFAULT ''
);

-- Threads grow together as messages name each other: a thread that was joined to another names it as its
-- parent, and its participants move there.
CREATE TABLE thread (
    n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    parent bigint REFERENCES thread (n),
    messages bigint NOT NULL
);

CREATE TABLE thread_message (
    digest bigint PRIMARY KEY,
    thread bigint NOT NULL REFERENCES thread (n)
);

CREATE TABLE participant (
    thread bigint NOT NULL REFERENCES thread (n),
    address text NOT NULL COLLATE "C",
    PRIMARY KEY (thread, address)
);
CREATE INDEX participant_address ON participant (address);

-- The log that the judge's memory is made from: no text, only digests, addresses and times.
-- A number is never given twice: a guard knows by it how far it has read.
CREATE SEQUENCE observation_number;
CREATE TABLE observation (
    n bigint PRIMARY KEY,
    at bigint NOT NULL,
    mark bigint NOT NULL UNIQUE,
    score double precision,
    judged_by bigint,
    content bytea NOT NULL
);
CREATE INDEX observation_at ON observation (at, n);

CREATE TABLE meant (
    person text NOT NULL COLLATE "C",
    code text NOT NULL COLLATE "C",
    address text NOT NULL COLLATE "C",
    PRIMARY KEY (person, code, address)
);

CREATE TABLE learning (
    source text PRIMARY KEY COLLATE "C",
    place text NOT NULL
);

-- By login, or by the address (in its normal form) of one who sends without a login. NULL is the
-- installation's own.
CREATE TABLE preference (
    person text PRIMARY KEY COLLATE "C",
    language text,
    notify text
);

-- What the browser shows is in nobody's hands but the browser's: here is its SHA-256.
CREATE TABLE session (
    digest bytea PRIMARY KEY,
    login text NOT NULL COLLATE "C",
    mark text NOT NULL,
    began_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX session_login ON session (login);

CREATE TABLE token (
    digest bytea PRIMARY KEY,
    login text NOT NULL COLLATE "C",
    name text NOT NULL COLLATE "C",
    scope text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz,
    used_at timestamptz,
    UNIQUE (login, name)
);

-- News that is to be told outside, a row for each target, gone when it was told; written with the change that
-- it is about.
CREATE TABLE outbox (
    n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    -- The same at every attempt: by it a receiver knows what it has had already.
    id text NOT NULL COLLATE "C",
    target text NOT NULL COLLATE "C",
    topic text NOT NULL,
    at timestamptz NOT NULL,
    -- When it is tried next; NULL where it was given up.
    next_at timestamptz,
    attempts integer NOT NULL,
    fault text NOT NULL,
    content text NOT NULL,
    UNIQUE (id, target)
);
CREATE INDEX outbox_due ON outbox (target, next_at, n) WHERE next_at IS NOT NULL;

-- One row: the key that all guards of this queue share, and by what a copy that was restored is known: a
-- table that pg_restore makes has another oid.
CREATE TABLE installation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key bytea,
    message_oid bigint NOT NULL,
    -- Set by hand where a copy cannot be known for one (docs/howto/backup.md).
    restored_at timestamptz,
    -- Grows when a person is taken out of the log, so that each guard does so with its memory.
    erased bigint NOT NULL DEFAULT 0,
    -- The queue on SQLite that was moved here.
    moved_from text
);
INSERT INTO installation (message_oid) VALUES ('message'::regclass::oid::bigint);
