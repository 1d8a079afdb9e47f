-- A data key that was handed out with an evidence bundle still opens what it sealed, and seals
-- nothing more: the next text of that client and category gets a new key.

SET ROLE palimpsest_owner;
ALTER TABLE record.data_key ADD COLUMN retired_at timestamptz;
DROP INDEX record.data_key_in_use;
CREATE UNIQUE INDEX data_key_in_use ON record.data_key (practice_id, subject, category)
WHERE destroyed_at IS NULL AND retired_at IS NULL;
GRANT UPDATE (retired_at) ON record.data_key TO palimpsest_app;
RESET ROLE;
