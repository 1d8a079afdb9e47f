-- What is needed to erase a client's texts: the policy that says when, a chart that tells of it, and
-- the permissions.

SET ROLE palimpsest_owner;
-- How long a practice keeps what: dated, and never changed; the newest in force counts. Without one
-- the default of the product does.
CREATE TABLE record.retention_policy (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    name text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    effective_from date NOT NULL,
    years_after_last_encounter integer NOT NULL CHECK (years_after_last_encounter >= 0),
    age_of_majority integer NOT NULL CHECK (age_of_majority >= 0),
    years_after_majority integer NOT NULL CHECK (years_after_majority >= 0),
    covers text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, name, version)
);
ALTER TABLE record.retention_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE record.retention_policy FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON record.retention_policy TO palimpsest_app, palimpsest_owner
USING (practice_id = record.current_practice())
WITH CHECK (practice_id = record.current_practice());
GRANT SELECT ON record.retention_policy TO palimpsest_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record.retention_policy
EXECUTE FUNCTION record.append_only();

-- A chart tells what was erased of it, and keeps a place for each note whose text is gone.
CREATE TABLE projection.chart_view_v2 (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    client_id uuid NOT NULL,
    key_id uuid NOT NULL,
    position bigint NOT NULL,
    body bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (practice_id, client_id)
);
CALL projection.shelter('projection.chart_view_v2');

CREATE OR REPLACE FUNCTION projection.charts(of_practice uuid, clients uuid[], types text[])
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
        FROM projection.chart_view_v2 AS d
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
DROP TABLE projection.chart_view_v1;

-- For all practices at once; until the end of this file nobody else sees these tables.
ALTER TABLE projection.position NO FORCE ROW LEVEL SECURITY;
ALTER TABLE projection.parked NO FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.role NO FORCE ROW LEVEL SECURITY;
DELETE FROM projection.position WHERE name = 'chart_view_v1';
DELETE FROM projection.parked WHERE name = 'chart_view_v1';
UPDATE identity.role SET permissions = permissions || ARRAY['retention.hold', 'key.shred']
WHERE role IN ('owner', 'auditor') AND NOT permissions && ARRAY['retention.hold', 'key.shred'];
ALTER TABLE projection.position FORCE ROW LEVEL SECURITY;
ALTER TABLE projection.parked FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.role FORCE ROW LEVEL SECURITY;
RESET ROLE;
