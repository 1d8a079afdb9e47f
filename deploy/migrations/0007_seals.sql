-- Seals: the Merkle tree over the leaf hashes of each log, and its signed heads. Both are only ever
-- added to. Neither has to be believed: nodes follow from the leaves, and a head is signed with a
-- key that is not in the database.

SET ROLE palimpsest_owner;

-- The complete subtrees of 2^height leaves, for every eighth height: one row for 256 leaves, so that
-- a proof reads a few blocks of neighbours however long the log is.
CREATE TABLE record.tree_node (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    log text NOT NULL,
    height smallint NOT NULL CHECK (height > 0 AND height % 8 = 0),
    number bigint NOT NULL CHECK (number >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (practice_id, log, height, number),
    FOREIGN KEY (practice_id, log) REFERENCES record.head
);

-- One head per size: of two sealers that race, one signs.
CREATE TABLE record.checkpoint (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    log text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (practice_id, log, size),
    FOREIGN KEY (practice_id, log) REFERENCES record.head
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tree_node', 'checkpoint'] LOOP
        EXECUTE format('ALTER TABLE record.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE record.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY practice ON record.%I TO palimpsest_app, palimpsest_owner
             USING (practice_id = record.current_practice())
             WITH CHECK (practice_id = record.current_practice())', name
        );
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record.%I
             EXECUTE FUNCTION record.append_only()', name
        );
        EXECUTE format('GRANT SELECT, INSERT ON record.%I TO palimpsest_app', name);
    END LOOP;
END
$$;
RESET ROLE;
