-- The practice's key in generations: the newest wraps new data keys, an earlier one lives until the
-- last key under it has been wrapped anew. A data key's generation is a foreign key: none can be
-- made under a generation that is gone, and none can go while a key is still under it.

SET ROLE palimpsest_owner;
CREATE TABLE record.practice_key (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    generation integer NOT NULL CHECK (generation > 0),
    wrapped bytea NOT NULL,
    root_key_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, generation)
);
ALTER TABLE record.data_key ADD COLUMN generation integer DEFAULT 1;
ALTER TABLE record.data_key ALTER COLUMN generation DROP DEFAULT;

-- For all practices at once; until the end of this file nobody else sees these tables.
ALTER TABLE record.practice NO FORCE ROW LEVEL SECURITY;
ALTER TABLE record.data_key NO FORCE ROW LEVEL SECURITY;
INSERT INTO record.practice_key (practice_id, generation, wrapped, root_key_id, created_at)
SELECT practice_id, 1, wrapped_key, root_key_id, created_at FROM record.practice;
UPDATE record.data_key SET generation = NULL WHERE wrapped IS NULL;
ALTER TABLE record.data_key
ADD FOREIGN KEY (practice_id, generation) REFERENCES record.practice_key;
ALTER TABLE record.practice FORCE ROW LEVEL SECURITY;
ALTER TABLE record.data_key FORCE ROW LEVEL SECURITY;
ALTER TABLE record.practice DROP COLUMN wrapped_key, DROP COLUMN root_key_id;
CREATE INDEX data_key_generation ON record.data_key (practice_id, generation, key_id);

ALTER TABLE record.practice_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.practice_key FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON record.practice_key TO palimpsest_app, palimpsest_owner
USING (practice_id = record.current_practice())
WITH CHECK (practice_id = record.current_practice());
GRANT SELECT ON record.practice_key TO palimpsest_app;
RESET ROLE;
