-- A stream is found by its key, whatever the planner believes.
--
-- Asked for `practice_id = … AND log = … AND stream_id = …`, the planner of a young log, whose
-- statistics say that a practice has a row or two, may read the practice's whole log by position
-- instead and filter it: 20 times as slow after 5,000 events, and worse with each more. Asked for a
-- range of the whole key in its order, it has the primary key alone to answer with.

SET ROLE palimpsest_owner;
GRANT CREATE ON SCHEMA record TO palimpsest_writer;
SET ROLE palimpsest_writer;

-- As in 0002, but for the three look-ups of a stream's version.
CREATE OR REPLACE FUNCTION record.append(
    a_practice uuid[], a_log text[], a_command uuid[], a_digest bytea[], a_actor uuid[],
    a_on_behalf_of uuid[], a_role text[], a_location uuid[], a_purpose text[],
    a_correlation uuid[], a_causation uuid[],
    e_append integer[], e_stream uuid[], e_version integer[], e_type text[], e_subject uuid[],
    e_occurred timestamptz[], e_key uuid[], e_body bytea[],
    at_time timestamptz DEFAULT NULL
) RETURNS TABLE (
    append integer, outcome text, stream uuid, stream_version integer,
    first_position bigint, last_position bigint
)
LANGUAGE plpgsql SECURITY DEFINER VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET jit = off AS $$
DECLARE
    heads integer;
    v_now timestamptz;
    v_position bigint;
    v_version integer;
    v_digest bytea;
    refused integer[] := '{}';
    refusal record;
BEGIN
    IF at_time IS NOT NULL AND NOT pg_has_role(session_user, 'palimpsest_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'the application may not set the time of recording'
            USING ERRCODE = 'insufficient_privilege';
    END IF;

    IF cardinality(a_practice) = 1 AND cardinality(e_append) = 1 THEN
        append := e_append[1];
        SELECT h.position, h.recorded_at INTO v_position, v_now FROM record.head AS h
        WHERE h.practice_id = a_practice[append] AND h.log = a_log[append]
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such practice' USING ERRCODE = 'foreign_key_violation';
        END IF;
        IF a_command[append] IS NOT NULL THEN
            SELECT c.stream_id, c.version, c.position, c.digest
            INTO stream, stream_version, last_position, v_digest
            FROM record.command AS c
            WHERE c.practice_id = a_practice[append] AND c.command_id = a_command[append];
            IF FOUND THEN
                outcome := CASE WHEN v_digest = a_digest[append] THEN 'duplicate' ELSE 'mismatch' END;
                RETURN NEXT;
                RETURN;
            END IF;
        END IF;
        stream := e_stream[1];
        SELECT e.version INTO v_version FROM record.event AS e
        WHERE (e.practice_id, e.log, e.stream_id, e.version)
                BETWEEN (a_practice[append], a_log[append], stream, 0)
                AND (a_practice[append], a_log[append], stream, 2147483647)
        ORDER BY e.practice_id DESC, e.log DESC, e.stream_id DESC, e.version DESC LIMIT 1;
        IF e_version[1] <> v_version + 1 OR (v_version IS NULL AND e_version[1] NOT IN (0, 1)) THEN
            outcome := 'conflict';
            stream_version := coalesce(v_version, 0);
            RETURN NEXT;
            RETURN;
        END IF;
        v_position := v_position + 1;
        v_now := greatest(coalesce(at_time, clock_timestamp()), v_now);
        INSERT INTO record.event (
            practice_id, log, stream_id, version, position, type, subject, actor, on_behalf_of,
            role, location, purpose, command_id, correlation_id, causation_id, occurred_at,
            recorded_at, key_id, body, leaf_hash
        ) VALUES (
            a_practice[append], a_log[append], stream, e_version[1], v_position, e_type[1],
            e_subject[1], a_actor[append], a_on_behalf_of[append], a_role[append],
            a_location[append], a_purpose[append], a_command[append], a_correlation[append],
            a_causation[append], coalesce(e_occurred[1], v_now), v_now, e_key[1], e_body[1],
            record.leaf(
                a_practice[append], a_log[append], stream, e_version[1], v_position, e_type[1],
                e_subject[1], a_actor[append], a_on_behalf_of[append], a_role[append],
                a_location[append], a_purpose[append], a_command[append], a_correlation[append],
                a_causation[append],
                (extract(epoch FROM coalesce(e_occurred[1], v_now)) * 1000000)::bigint,
                (extract(epoch FROM v_now) * 1000000)::bigint,
                e_key[1], e_body[1]
            )
        );
        IF a_command[append] IS NOT NULL THEN
            INSERT INTO record.command
                (practice_id, command_id, digest, stream_id, version, position, recorded_at)
            VALUES (a_practice[append], a_command[append], a_digest[append], stream, e_version[1],
                v_position, v_now);
        END IF;
        UPDATE record.head AS h SET position = v_position, recorded_at = v_now
        WHERE h.practice_id = a_practice[append] AND h.log = a_log[append];
        outcome := 'accepted';
        stream_version := e_version[1];
        first_position := v_position;
        last_position := v_position;
        RETURN NEXT;
        RETURN;
    END IF;

    -- 1. Hold the heads: whoever commits first has the lower positions, and there are no holes.
    PERFORM FROM record.head AS h
    WHERE (h.practice_id, h.log) IN (SELECT u.p, u.l FROM unnest(a_practice, a_log) AS u(p, l))
    ORDER BY h.practice_id, h.log
    FOR NO KEY UPDATE;
    GET DIAGNOSTICS heads = ROW_COUNT;
    IF cardinality(a_practice) = 1 THEN
        IF heads <> 1 THEN
            RAISE EXCEPTION 'no such practice' USING ERRCODE = 'foreign_key_violation';
        END IF;
    ELSE
        IF heads <> (SELECT count(*) FROM (
            SELECT DISTINCT u.p, u.l FROM unnest(a_practice, a_log) AS u(p, l)) AS d)
        THEN
            RAISE EXCEPTION 'no such practice' USING ERRCODE = 'foreign_key_violation';
        END IF;
        -- Followers of a refused append would need its outcome; callers send them next round.
        IF EXISTS (
            SELECT FROM unnest(e_append, e_stream) AS u(k, s)
            GROUP BY a_practice[k], a_log[k], s HAVING count(DISTINCT k) > 1
        ) OR EXISTS (
            SELECT FROM unnest(a_practice, a_command) AS u(p, c)
            WHERE c IS NOT NULL GROUP BY p, c HAVING count(*) > 1
        ) THEN
            RAISE EXCEPTION 'a stream or command stands in two appends of one call'
                USING ERRCODE = 'cardinality_violation';
        END IF;
    END IF;
    v_now := coalesce(at_time, clock_timestamp());

    -- 2. Commands answered before, and streams that have moved on. The statements see everything
    --    that committed before the heads were held.
    FOR refusal IN
        SELECT a.k::integer AS k, c.stream_id, c.version, c.position, c.digest = a.d AS is_same
        FROM unnest(a_practice, a_command, a_digest) WITH ORDINALITY AS a(p, c, d, k)
        JOIN record.command AS c ON c.practice_id = a.p AND c.command_id = a.c
    LOOP
        append := refusal.k;
        outcome := CASE WHEN refusal.is_same THEN 'duplicate' ELSE 'mismatch' END;
        stream := refusal.stream_id;
        stream_version := refusal.version;
        first_position := NULL;
        last_position := refusal.position;
        refused := refused || refusal.k;
        RETURN NEXT;
    END LOOP;
    -- Within an append each event of a stream follows the one before it, and the first follows
    -- what the log holds; a stream begins at version 0 or 1.
    FOR refusal IN
        SELECT DISTINCT ON (part.k) part.k, part.s AS stream_id
        FROM (
            SELECT u.k, u.s, u.v, u.o, lag(u.v) OVER (PARTITION BY u.k, u.s ORDER BY u.o) AS before
            FROM unnest(e_append, e_stream, e_version) WITH ORDINALITY AS u(k, s, v, o)
            WHERE u.k <> ALL (refused)
        ) AS part
        LEFT JOIN LATERAL (
            SELECT e.version FROM record.event AS e
            WHERE (e.practice_id, e.log, e.stream_id, e.version)
                    BETWEEN (a_practice[part.k], a_log[part.k], part.s, 0)
                    AND (a_practice[part.k], a_log[part.k], part.s, 2147483647)
                AND part.before IS NULL
            ORDER BY e.practice_id DESC, e.log DESC, e.stream_id DESC, e.version DESC LIMIT 1
        ) AS now_at ON true
        WHERE part.v <> coalesce(part.before, now_at.version) + 1
            OR (coalesce(part.before, now_at.version) IS NULL AND part.v NOT IN (0, 1))
        ORDER BY part.k, part.o
    LOOP
        append := refusal.k;
        outcome := 'conflict';
        stream := refusal.stream_id;
        SELECT e.version INTO stream_version FROM record.event AS e
        WHERE (e.practice_id, e.log, e.stream_id, e.version)
                BETWEEN (a_practice[append], a_log[append], stream, 0)
                AND (a_practice[append], a_log[append], stream, 2147483647)
        ORDER BY e.practice_id DESC, e.log DESC, e.stream_id DESC, e.version DESC LIMIT 1;
        stream_version := coalesce(stream_version, 0);
        first_position := NULL;
        last_position := NULL;
        refused := refused || append;
        RETURN NEXT;
    END LOOP;
    IF cardinality(refused) = cardinality(a_practice) THEN
        RETURN;
    END IF;

    -- 3. The accepted events take the next positions; 4. commands are remembered, heads advance.
    RETURN QUERY
    WITH numbered AS MATERIALIZED (
        SELECT u.k, u.o, u.s, u.v, u.t, u.sub, u.key, u.body, u.occurred,
            h.position + row_number() OVER (PARTITION BY a_practice[u.k], a_log[u.k] ORDER BY u.o)
                AS at_position,
            greatest(v_now, h.recorded_at) AS recorded
        FROM unnest(e_append, e_stream, e_version, e_type, e_subject, e_key, e_body, e_occurred)
            WITH ORDINALITY AS u(k, s, v, t, sub, key, body, occurred, o)
        JOIN record.head AS h ON h.practice_id = a_practice[u.k] AND h.log = a_log[u.k]
        WHERE u.k <> ALL (refused)
    ), inserted AS (
        INSERT INTO record.event (
            practice_id, log, stream_id, version, position, type, subject, actor, on_behalf_of,
            role, location, purpose, command_id, correlation_id, causation_id, occurred_at,
            recorded_at, key_id, body, leaf_hash
        )
        SELECT a_practice[n.k], a_log[n.k], n.s, n.v, n.at_position, n.t, n.sub, a_actor[n.k],
            a_on_behalf_of[n.k], a_role[n.k], a_location[n.k], a_purpose[n.k], a_command[n.k],
            a_correlation[n.k], a_causation[n.k], coalesce(n.occurred, n.recorded), n.recorded,
            n.key, n.body,
            record.leaf(
                a_practice[n.k], a_log[n.k], n.s, n.v, n.at_position, n.t, n.sub, a_actor[n.k],
                a_on_behalf_of[n.k], a_role[n.k], a_location[n.k], a_purpose[n.k], a_command[n.k],
                a_correlation[n.k], a_causation[n.k],
                (extract(epoch FROM coalesce(n.occurred, n.recorded)) * 1000000)::bigint,
                (extract(epoch FROM n.recorded) * 1000000)::bigint,
                n.key, n.body
            )
        FROM numbered AS n
    ), answers AS MATERIALIZED (
        SELECT n.k, min(n.at_position) AS first, max(n.at_position) AS last,
            (array_agg(n.s ORDER BY n.o))[1] AS s, max(n.recorded) AS recorded,
            max(n.v) FILTER (WHERE n.s = e_stream[array_position(e_append, n.k)]) AS v
        FROM numbered AS n GROUP BY n.k
    ), remembered AS (
        INSERT INTO record.command
            (practice_id, command_id, digest, stream_id, version, position, recorded_at)
        SELECT a_practice[a.k], a_command[a.k], a_digest[a.k], a.s, a.v, a.last, a.recorded
        FROM answers AS a WHERE a_command[a.k] IS NOT NULL
    ), advanced AS (
        UPDATE record.head AS h SET position = h.position + x.n, recorded_at = x.recorded
        FROM (
            SELECT a_practice[n.k] AS p, a_log[n.k] AS l, count(*) AS n, max(n.recorded) AS recorded
            FROM numbered AS n GROUP BY 1, 2
        ) AS x
        WHERE h.practice_id = x.p AND h.log = x.l
    )
    SELECT a.k, 'accepted', a.s, a.v, a.first, a.last FROM answers AS a;
END
$$;

SET ROLE palimpsest_owner;
REVOKE CREATE ON SCHEMA record FROM palimpsest_writer;

-- Under a policy the planner sees the practice whatever is asked, so here the order alone decides:
-- only the key yields a stream's versions in order, and sorting is forbidden.
CREATE OR REPLACE FUNCTION record.streams(
    of_practice uuid, of_log text, ids uuid[], after integer DEFAULT -1
) RETURNS SETOF record.event
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET enable_sort = off AS $$
BEGIN
    PERFORM set_config('palimpsest.practice', of_practice::text, true);
    RETURN QUERY
    SELECT e.* FROM unnest(ids) AS i(id)
    CROSS JOIN LATERAL (
        SELECT one.* FROM record.event AS one
        WHERE one.practice_id = of_practice AND one.log = of_log AND one.stream_id = i.id
            AND one.version > after
        ORDER BY one.version
        LIMIT 2147483647  -- which keeps the order in here
    ) AS e;
END
$$;
RESET ROLE;
