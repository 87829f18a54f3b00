-- By whose login a message came, so that a person's list is found without looking at everybody's.

ALTER TABLE message ADD COLUMN login text;

-- What PostgreSQL's text cannot hold becomes a question mark, as it does in the other columns; a document that is
-- none of ours stays without a login.
CREATE FUNCTION pg_temp.login_of(document text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN regexp_replace(document, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\u003f', 'g')::json ->> 10;
EXCEPTION WHEN others THEN
    RETURN NULL;
END $$;
UPDATE message SET login = pg_temp.login_of(document);
DROP FUNCTION pg_temp.login_of(text);

-- As message_sender_open and message_sender_done, by login; and what came without one.
CREATE INDEX message_login_open ON message (login, leaves_at, n) WHERE done_at IS NULL;
CREATE INDEX message_login_done ON message (login, done_at, n) WHERE done_at IS NOT NULL;
