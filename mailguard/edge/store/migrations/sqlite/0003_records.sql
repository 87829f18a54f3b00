-- The log that the judge's memory is made from (core/recall/observation.py): no text, only digests, addresses
-- and times.

CREATE TABLE observation (
    n INTEGER PRIMARY KEY,
    -- Seconds since 1970, UTC.
    at INTEGER NOT NULL,
    -- The same for two copies of one mail (core/recall/posting.py).
    mark INTEGER NOT NULL UNIQUE,
    -- How suspect the mail looked before it left, and to which judge; NULL where nobody judged it.
    score REAL,
    judged_by INTEGER,
    content BLOB NOT NULL
);
CREATE INDEX observation_at ON observation (at);

-- What somebody said yes to: he is not asked again.
CREATE TABLE meant (
    person TEXT NOT NULL,
    code TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (person, code, address)
) WITHOUT ROWID;

-- Mailboxes that `learn` has begun to read, and how far it got; none of those that it has read to the end.
CREATE TABLE learning (
    source TEXT PRIMARY KEY,
    place TEXT NOT NULL
) WITHOUT ROWID;
