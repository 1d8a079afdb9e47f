-- The gate without its privilege: it runs as the application, under the row-level security of one
-- practice at a time. Only ever installed in a database made for `palimpsest bench gate`.
--
-- The same statements as the real one, which is renamed and called once for each practice of a
-- call, after the practice has been set. The application needs what the real gate spares it: the
-- right to insert into the logs and to move the heads.

GRANT palimpsest_owner, palimpsest_writer TO CURRENT_USER;
GRANT CREATE ON SCHEMA record TO palimpsest_writer;
GRANT INSERT ON record.event, record.command TO palimpsest_app;
GRANT UPDATE (position, recorded_at) ON record.head TO palimpsest_app;

SET ROLE palimpsest_writer;
ALTER FUNCTION record.append RENAME TO append_within;
ALTER FUNCTION record.append_within SECURITY INVOKER;

CREATE FUNCTION record.append(
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
LANGUAGE plpgsql SECURITY INVOKER VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    part record;
    events record;
BEGIN
    IF a_practice[1] = ALL (a_practice) THEN
        PERFORM set_config('palimpsest.practice', a_practice[1]::text, true);
        RETURN QUERY SELECT * FROM record.append_within(
            a_practice, a_log, a_command, a_digest, a_actor, a_on_behalf_of, a_role, a_location,
            a_purpose, a_correlation, a_causation, e_append, e_stream, e_version, e_type,
            e_subject, e_occurred, e_key, e_body, at_time
        );
        RETURN;
    END IF;
    -- In the order of the practices, so that two calls cannot wait for each other.
    FOR part IN
        SELECT u.p, array_agg(u.k::integer ORDER BY u.k) AS k, array_agg(u.p) AS practice,
            array_agg(u.l ORDER BY u.k) AS log, array_agg(u.c ORDER BY u.k) AS command,
            array_agg(u.d ORDER BY u.k) AS digest, array_agg(u.a ORDER BY u.k) AS actor,
            array_agg(u.b ORDER BY u.k) AS on_behalf_of, array_agg(u.r ORDER BY u.k) AS role,
            array_agg(u.o ORDER BY u.k) AS location, array_agg(u.w ORDER BY u.k) AS purpose,
            array_agg(u.x ORDER BY u.k) AS correlation, array_agg(u.y ORDER BY u.k) AS causation
        FROM unnest(
            a_practice, a_log, a_command, a_digest, a_actor, a_on_behalf_of, a_role, a_location,
            a_purpose, a_correlation, a_causation
        ) WITH ORDINALITY AS u(p, l, c, d, a, b, r, o, w, x, y, k)
        GROUP BY u.p ORDER BY u.p
    LOOP
        SELECT array_agg(array_position(part.k, u.k) ORDER BY u.o) AS append,
            array_agg(u.s ORDER BY u.o) AS stream, array_agg(u.v ORDER BY u.o) AS version,
            array_agg(u.t ORDER BY u.o) AS type, array_agg(u.sub ORDER BY u.o) AS subject,
            array_agg(u.occurred ORDER BY u.o) AS occurred, array_agg(u.key ORDER BY u.o) AS key,
            array_agg(u.body ORDER BY u.o) AS body
        INTO events
        FROM unnest(
            e_append, e_stream, e_version, e_type, e_subject, e_occurred, e_key, e_body
        ) WITH ORDINALITY AS u(k, s, v, t, sub, occurred, key, body, o)
        WHERE u.k = ANY (part.k);
        PERFORM set_config('palimpsest.practice', part.p::text, true);
        RETURN QUERY
        SELECT part.k[w.append], w.outcome, w.stream, w.stream_version, w.first_position,
            w.last_position
        FROM record.append_within(
            part.practice, part.log, part.command, part.digest, part.actor, part.on_behalf_of,
            part.role, part.location, part.purpose, part.correlation, part.causation,
            events.append, events.stream, events.version, events.type, events.subject,
            events.occurred, events.key, events.body, at_time
        ) AS w;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION record.append TO palimpsest_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA record FROM palimpsest_writer;
