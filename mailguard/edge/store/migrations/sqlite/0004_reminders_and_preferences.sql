-- Who is asked for a yes when the approvers have not answered, and when somebody is asked next; what people prefer.

ALTER TABLE message ADD COLUMN deputies TEXT NOT NULL DEFAULT '[]';
ALTER TABLE message ADD COLUMN remind_at TEXT;
CREATE INDEX message_reminding ON message (remind_at)
    WHERE remind_at IS NOT NULL AND state IN ('confirm', 'approval');

-- By login, or by the address (in its normal form) of one who sends without a login. NULL is the installation's own.
CREATE TABLE preference (
    person TEXT PRIMARY KEY,
    language TEXT,
    notify TEXT
) WITHOUT ROWID;
