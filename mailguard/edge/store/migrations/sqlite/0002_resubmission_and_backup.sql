-- What is needed to know a message that is handed in again, and a store that was restored from a backup.

-- The messages of the last ten minutes: the digest of login, envelope and bytes, and what their client was told.
CREATE TABLE submission (
    message INTEGER PRIMARY KEY REFERENCES message (n),
    digest BLOB NOT NULL,
    received_at TEXT NOT NULL,
    reply TEXT NOT NULL
);
CREATE INDEX submission_digest ON submission (digest);

-- One row in a copy that was made as a backup, until the first start from it; none in any other store.
CREATE TABLE backup (
    at TEXT NOT NULL
);
