-- How long a second person may agree to an erasure that was asked for: a part of the dated policy.
SET ROLE palimpsest_owner;
ALTER TABLE record.retention_policy
ADD COLUMN request_lapses_after_days integer NOT NULL DEFAULT 30
CHECK (request_lapses_after_days BETWEEN 1 AND 3650);
