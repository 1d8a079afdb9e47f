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
RESET ROLE;

-- Whoever audits or treats may take along the evidence, also in practices that there are already.
DO $$
DECLARE
    practices uuid[];
    one uuid;
BEGIN
    SET LOCAL ROLE palimpsest_writer;
    SELECT array_agg(h.practice_id) INTO practices FROM record.head AS h WHERE h.log = 'record';
    SET LOCAL ROLE palimpsest_owner;
    FOREACH one IN ARRAY coalesce(practices, '{}') LOOP
        PERFORM set_config('palimpsest.practice', one::text, true);
        UPDATE identity.role SET permissions = permissions || 'record.export'::text
        WHERE practice_id = one AND role IN ('auditor', 'clinician')
            AND 'record.export' <> ALL (permissions);
    END LOOP;
END
$$;
RESET ROLE;
