-- Projections: what people look at. Any of it can be thrown away and made again from the record.
-- A table whose shape or meaning changes gets the next version in its name and is filled beside.

CREATE SCHEMA projection AUTHORIZATION palimpsest_owner;
-- Where a rebuild fills its tables; empty at any other time. Nobody reads here.
CREATE SCHEMA rebuild AUTHORIZATION palimpsest_owner;
GRANT USAGE ON SCHEMA projection TO palimpsest_app;
SET ROLE palimpsest_owner;

-- What every projection's table gets, made by a migration or by a rebuild.
CREATE PROCEDURE projection.shelter(one regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one);
    EXECUTE format(
        'CREATE POLICY practice ON %s TO palimpsest_app, palimpsest_owner
         USING (practice_id = record.current_practice())
         WITH CHECK (practice_id = record.current_practice())', one
    );
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO palimpsest_app', one);
END
$$;

-- How far each projection has come in each practice's record; it moves in the same transaction as
-- the rows that follow from the events up to there.
CREATE TABLE projection.position (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    name text NOT NULL,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    PRIMARY KEY (practice_id, name)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CALL projection.shelter('projection.position');
-- Which practices have news? Positions only, no content.
CREATE POLICY news ON projection.position FOR SELECT TO palimpsest_app USING (true);

-- Who is who. Contact details stand here as they are: people search by them.
CREATE TABLE projection.client_search_v1 (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    client_id uuid NOT NULL,
    given_name text NOT NULL,
    family_name text NOT NULL,
    birth_date date NOT NULL,
    phone text,
    phone_digits text COLLATE "C",
    email text,
    email_folded text COLLATE "C",
    is_deceased boolean NOT NULL,
    merged_into uuid,
    position bigint NOT NULL,
    PRIMARY KEY (practice_id, client_id)
);
CREATE INDEX ON projection.client_search_v1 (practice_id, birth_date);
CREATE INDEX ON projection.client_search_v1 (practice_id, phone_digits)
WHERE phone_digits IS NOT NULL;
CREATE INDEX ON projection.client_search_v1 (practice_id, email_folded)
WHERE email_folded IS NOT NULL;

-- The trigrams of names, and of phone numbers behind a '#'. Rows of their own, because under
-- row-level security an index is used for leakproof operators only: text equality is one, the
-- operators of pg_trgm are not (and they see no letter outside ASCII where the locale is C).
CREATE TABLE projection.client_search_gram_v1 (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    gram text COLLATE "C" NOT NULL,
    client_id uuid NOT NULL,
    PRIMARY KEY (practice_id, gram, client_id)
);

-- One document per client, sealed under her clinical key; sealed text does not compress.
CREATE TABLE projection.chart_view_v1 (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    client_id uuid NOT NULL,
    key_id uuid NOT NULL,
    position bigint NOT NULL,
    body bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (practice_id, client_id)
);
CALL projection.shelter('projection.client_search_v1');
CALL projection.shelter('projection.client_search_gram_v1');
CALL projection.shelter('projection.chart_view_v1');

-- The documents of some clients (without a stream) and the events after each, so that what is read
-- is never behind: the setting and the read in one call, of one moment.
CREATE FUNCTION projection.charts(of_practice uuid, clients uuid[], types text[])
RETURNS TABLE (
    stream_id uuid, version integer, type text, body bytea, subject uuid, key_id uuid,
    occurred_at timestamptz, "position" bigint, actor uuid, role text, purpose text,
    recorded_at timestamptz, leaf_hash bytea
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('palimpsest.practice', of_practice::text, true);
    RETURN QUERY
    WITH document AS MATERIALIZED (
        SELECT d.client_id, d.key_id, d.position, d.body
        FROM projection.chart_view_v1 AS d
        WHERE d.practice_id = of_practice AND d.client_id = ANY (clients)
    )
    SELECT NULL::uuid, NULL::integer, NULL::text, d.body, d.client_id, d.key_id,
        NULL::timestamptz, d.position, NULL::uuid, NULL::text, NULL::text, NULL::timestamptz,
        NULL::bytea
    FROM document AS d
    UNION ALL
    SELECT e.stream_id, e.version, e.type, e.body, e.subject, e.key_id, e.occurred_at, e.position,
        e.actor, e.role, e.purpose, e.recorded_at, e.leaf_hash
    FROM unnest(clients) AS c(client_id)
    LEFT JOIN document AS d ON d.client_id = c.client_id
    CROSS JOIN LATERAL (
        SELECT n.* FROM record.event AS n
        WHERE n.practice_id = of_practice AND n.log = 'record' AND n.subject = c.client_id
            -- CASE, because the planner does not know that coalesce leaks nothing.
            AND n.position > CASE WHEN d.position IS NULL THEN 0 ELSE d.position END
            AND n.type = ANY (types)
        ORDER BY n.position
    ) AS e;
END
$$;
RESET ROLE;
