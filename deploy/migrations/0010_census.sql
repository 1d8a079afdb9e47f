-- Censuses: the signed root over how many entries there are of each client in a log of some size.
-- None of them has to be believed: whoever has the log counts again, as `palimpsest verify` does.

SET ROLE palimpsest_owner;
CREATE TABLE record.census (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    log text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (practice_id, log, size),
    FOREIGN KEY (practice_id, log) REFERENCES record.head
);
ALTER TABLE record.census ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.census FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON record.census TO palimpsest_app, palimpsest_owner
USING (practice_id = record.current_practice())
WITH CHECK (practice_id = record.current_practice());
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record.census
EXECUTE FUNCTION record.append_only();
GRANT SELECT, INSERT ON record.census TO palimpsest_app;

-- Whoever audits or treats may take along the evidence, also in practices that there are already.
ALTER TABLE identity.role NO FORCE ROW LEVEL SECURITY;
UPDATE identity.role SET permissions = array_append(permissions, 'record.export')
WHERE role IN ('auditor', 'clinician') AND 'record.export' <> ALL (permissions);
ALTER TABLE identity.role FORCE ROW LEVEL SECURITY;
RESET ROLE;
