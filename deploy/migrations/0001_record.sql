-- The record: two append-only logs per practice, the one way into them, and the keys that seal them.
-- Every table has its practice, and row-level security is forced on all of them.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'palimpsest_owner NOLOGIN', 'palimpsest_writer NOLOGIN', 'palimpsest_app LOGIN'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = split_part(wanted, ' ', 1)) THEN
            EXECUTE 'CREATE ROLE ' || wanted || ' NOINHERIT NOCREATEDB NOCREATEROLE';
        END IF;
    END LOOP;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format(
            'GRANT palimpsest_owner, palimpsest_writer TO %I WITH SET TRUE, INHERIT TRUE',
            current_user
        );
    END IF;
END
$$;

CREATE SCHEMA record AUTHORIZATION palimpsest_owner;
GRANT USAGE ON SCHEMA record TO palimpsest_app, palimpsest_writer;
GRANT CREATE ON SCHEMA record TO palimpsest_writer;
SET ROLE palimpsest_owner;

-- Fails closed: without a practice this raises, so a forgotten setting is an error, never a leak.
CREATE FUNCTION record.current_practice() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('palimpsest.practice')::uuid;

CREATE TABLE record.practice (
    practice_id uuid PRIMARY KEY DEFAULT record.current_practice(),
    slug text NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    wrapped_key bytea NOT NULL,
    root_key_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One row per practice and log. Its lock makes positions gapless and commit-ordered.
CREATE TABLE record.head (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    log text NOT NULL CHECK (log IN ('record', 'access')),
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    recorded_at timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (practice_id, log)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE record.event (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    log text NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL CHECK (version >= 0),
    position bigint NOT NULL CHECK (position > 0),
    type text NOT NULL,
    subject uuid,
    actor uuid NOT NULL,
    on_behalf_of uuid,
    role text NOT NULL,
    location uuid,
    purpose text NOT NULL,
    command_id uuid,
    correlation_id uuid,
    causation_id uuid,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    key_id uuid,
    body bytea NOT NULL,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    PRIMARY KEY (practice_id, log, stream_id, version),
    UNIQUE (practice_id, log, position),
    FOREIGN KEY (practice_id, log) REFERENCES record.head
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX event_subject ON record.event (practice_id, log, subject, position)
WHERE subject IS NOT NULL;

-- What each command did, so that asking again gives the first answer and does nothing.
CREATE TABLE record.command (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    command_id uuid NOT NULL,
    digest bytea NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (practice_id, command_id)
);

-- Rights keep the application from changing what stands in a log; this keeps administrators from
-- doing so by mistake. Per statement, so that inserts cost nothing.
CREATE FUNCTION record.append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% refused: a log is only ever added to',
        tg_op, tg_table_schema, tg_table_name USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record.event
EXECUTE FUNCTION record.append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record.command
EXECUTE FUNCTION record.append_only();

-- Data keys, wrapped. The subject of the practice's own key is the practice.
CREATE TABLE record.data_key (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    key_id uuid NOT NULL,
    subject uuid NOT NULL,
    category text NOT NULL
        CHECK (category IN ('clinical', 'contact', 'photo', 'marketing', 'business')),
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (practice_id, key_id),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE UNIQUE INDEX data_key_in_use ON record.data_key (practice_id, subject, category)
WHERE destroyed_at IS NULL;

-- Unsigned text: outside the log, sealed all the same. `base_version` is the stream version the
-- draft builds on; once the stream has moved on, the draft is spent.
CREATE TABLE record.draft (
    practice_id uuid NOT NULL DEFAULT record.current_practice(),
    stream_id uuid NOT NULL,
    subject uuid NOT NULL,
    base_version integer NOT NULL,
    revision integer NOT NULL,
    key_id uuid NOT NULL,
    body bytea NOT NULL,
    author uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    saved_at timestamptz NOT NULL,
    -- While a command signs this very revision, nothing is saved over it.
    claimed_by uuid,
    claimed_at timestamptz,
    PRIMARY KEY (practice_id, stream_id),
    FOREIGN KEY (practice_id, key_id) REFERENCES record.data_key
);
CREATE INDEX draft_subject ON record.draft (practice_id, subject);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['practice', 'head', 'event', 'command', 'data_key', 'draft'] LOOP
        EXECUTE format('ALTER TABLE record.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE record.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY practice ON record.%I TO palimpsest_app, palimpsest_owner
             USING (practice_id = record.current_practice())
             WITH CHECK (practice_id = record.current_practice())', name
        );
    END LOOP;
    -- The gate appends for many practices in one call.
    FOREACH name IN ARRAY ARRAY['head', 'event', 'command'] LOOP
        EXECUTE format(
            'CREATE POLICY gate ON record.%I TO palimpsest_writer USING (true) WITH CHECK (true)',
            name
        );
    END LOOP;
END
$$;
-- Which practices have news? Positions only, no content.
CREATE POLICY news ON record.head FOR SELECT TO palimpsest_app USING (true);

GRANT SELECT ON record.practice, record.head, record.event, record.command, record.data_key
TO palimpsest_app;
GRANT INSERT ON record.data_key TO palimpsest_app;
GRANT SELECT, INSERT,
    UPDATE (revision, base_version, key_id, body, saved_at, claimed_by, claimed_at) ON record.draft
TO palimpsest_app;
GRANT SELECT, INSERT ON record.event, record.command TO palimpsest_writer;
GRANT SELECT ON record.head TO palimpsest_writer;
GRANT UPDATE (position, recorded_at) ON record.head TO palimpsest_writer;

-- The leaf of RFC 6962: SHA-256 of 0x00 and the entry. The entry is the whole header, each field
-- with its length or presence, and the ciphertext; times are microseconds since 1970 in UTC.
-- The same arguments always give the same hash, yet it is STABLE, as convert_to is: declared
-- IMMUTABLE it would not be inlined, and cost several times as much.
CREATE FUNCTION record.leaf(
    practice_id uuid, log text, stream_id uuid, version integer, position_ bigint, type text,
    subject uuid, actor uuid, on_behalf_of uuid, role text, location uuid, purpose text,
    command_id uuid, correlation_id uuid, causation_id uuid,
    occurred_us bigint, recorded_us bigint, key_id uuid, body bytea
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    '\x0001'::bytea || uuid_send(practice_id)
    || int4send(octet_length(log)) || convert_to(log, 'UTF8')
    || uuid_send(stream_id) || int4send(version) || int8send(position_)
    || int4send(octet_length(type)) || convert_to(type, 'UTF8')
    || coalesce('\x01'::bytea || uuid_send(subject), '\x00'::bytea)
    || uuid_send(actor)
    || coalesce('\x01'::bytea || uuid_send(on_behalf_of), '\x00'::bytea)
    || int4send(octet_length(role)) || convert_to(role, 'UTF8')
    || coalesce('\x01'::bytea || uuid_send(location), '\x00'::bytea)
    || int4send(octet_length(purpose)) || convert_to(purpose, 'UTF8')
    || coalesce('\x01'::bytea || uuid_send(command_id), '\x00'::bytea)
    || coalesce('\x01'::bytea || uuid_send(correlation_id), '\x00'::bytea)
    || coalesce('\x01'::bytea || uuid_send(causation_id), '\x00'::bytea)
    || int8send(occurred_us) || int8send(recorded_us)
    || coalesce('\x01'::bytea || uuid_send(key_id), '\x00'::bytea)
    || body
);

-- One stream, or several, of one practice: the setting and the read in one call.
CREATE FUNCTION record.streams(of_practice uuid, of_log text, ids uuid[], after integer DEFAULT -1)
RETURNS SETOF record.event
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM set_config('palimpsest.practice', of_practice::text, true);
    RETURN QUERY
    SELECT e.* FROM record.event AS e
    WHERE e.practice_id = of_practice AND e.log = of_log AND e.stream_id = ANY (ids)
        AND e.version > after
    ORDER BY e.stream_id, e.version;
END
$$;

CREATE FUNCTION record.drafts(of_practice uuid, of_client uuid) RETURNS SETOF record.draft
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM set_config('palimpsest.practice', of_practice::text, true);
    RETURN QUERY
    SELECT d.* FROM record.draft AS d
    WHERE d.practice_id = of_practice AND d.subject = of_client
    ORDER BY d.opened_at, d.stream_id;
END
$$;
RESET ROLE;
