-- Who the guards are, for whoever asks how it stands. What stands there already was written by a guard that does
-- not tell since when it runs.
ALTER TABLE node
    -- When the guard began; its lease may be a later one.
    ADD COLUMN since timestamptz,
    -- From where it has come to the database; NULL by a socket.
    ADD COLUMN address inet,
    -- For how long its lease was renewed last, so that what is left of it tells when that was.
    ADD COLUMN length interval NOT NULL DEFAULT '15 seconds';
ALTER TABLE node
    ALTER COLUMN since SET DEFAULT clock_timestamp(),
    ALTER COLUMN address SET DEFAULT inet_client_addr();
