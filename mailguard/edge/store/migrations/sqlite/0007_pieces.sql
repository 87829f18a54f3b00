-- Large bodies, in pieces: each is written by a transaction of its own, so that nobody waits for all of them.

CREATE TABLE piece (
    -- In the order in which they make the body.
    n INTEGER PRIMARY KEY,
    upload INTEGER NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX piece_upload ON piece (upload);

-- The uploads that no message has, not yet or not any more. Which of them somebody is just writing the guard
-- knows; the others are removed.
CREATE TABLE loose (
    upload INTEGER PRIMARY KEY
);

-- Where the body is in pieces; `content` is empty then.
ALTER TABLE body ADD COLUMN upload INTEGER;
