-- Who is signed in to the page and who holds a token; and the list of one person's messages.

-- What the browser shows is in nobody's hands but the browser's: here is its SHA-256.
CREATE TABLE session (
    digest BLOB PRIMARY KEY,
    -- '' is the admin of the machine.
    login TEXT NOT NULL,
    -- Changes with the password.
    mark TEXT NOT NULL,
    began_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_login ON session (login);

CREATE TABLE token (
    digest BLOB PRIMARY KEY,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    made_at TEXT NOT NULL,
    -- NULL where it does not end by itself.
    expires_at TEXT,
    used_at TEXT,
    UNIQUE (login, name)
) WITHOUT ROWID;

-- As message_sender_open and message_sender_done, by login.
CREATE INDEX message_user_open ON message (user, leaves_at) WHERE done_at IS NULL AND user IS NOT NULL;
CREATE INDEX message_user_done ON message (user, done_at) WHERE done_at IS NOT NULL AND user IS NOT NULL;
