-- Who may sign in, in which role, and which sessions and tokens are alive.

CREATE SCHEMA identity AUTHORIZATION palimpsest_owner;
GRANT USAGE ON SCHEMA identity TO palimpsest_app, palimpsest_writer;
SET ROLE palimpsest_owner;

-- Roles are bundles of permissions: data, not code.
CREATE TABLE identity.role (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    role text NOT NULL,
    title text NOT NULL,
    permissions text[] NOT NULL,
    PRIMARY KEY (practice_id, role)
);

CREATE TABLE identity.member (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    member_id uuid NOT NULL,
    email text NOT NULL CHECK (email = lower(email)),
    name text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    PRIMARY KEY (practice_id, member_id),
    UNIQUE (practice_id, email),
    FOREIGN KEY (practice_id, role) REFERENCES identity.role
);

-- A browser's session or a bearer token; only the hash of its secret is kept.
CREATE TABLE identity.session (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    secret_hash bytea NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('session', 'token')),
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (practice_id, secret_hash),
    FOREIGN KEY (practice_id, member_id) REFERENCES identity.member
);
CREATE INDEX session_member ON identity.session (practice_id, member_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['role', 'member', 'session'] LOOP
        EXECUTE format('ALTER TABLE identity.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE identity.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY practice ON identity.%I TO palimpsest_app, palimpsest_owner
             USING (practice_id = record.current_practice())
             WITH CHECK (practice_id = record.current_practice())', name
        );
    END LOOP;
END
$$;
CREATE POLICY sign_in ON identity.member FOR SELECT TO palimpsest_writer USING (true);

GRANT SELECT ON identity.role TO palimpsest_app;
GRANT SELECT, INSERT, UPDATE ON identity.member, identity.session TO palimpsest_app;
GRANT SELECT (practice_id, member_id, email, password_hash, disabled_at) ON identity.member
TO palimpsest_writer;

-- Whose secret is this? The setting and the read in one call.
CREATE FUNCTION identity.whose(of_practice uuid, hash bytea) RETURNS TABLE (
    member_id uuid, member_name text, email text, role text, role_title text, permissions text[],
    practice_name text, zone text, kind text, last_seen_at timestamptz, expires_at timestamptz,
    is_alive boolean
)
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM set_config('palimpsest.practice', of_practice::text, true);
    RETURN QUERY
    SELECT m.member_id, m.name, m.email, m.role, r.title, r.permissions, p.name, p.zone,
        s.kind, s.last_seen_at, s.expires_at, s.ended_at IS NULL AND m.disabled_at IS NULL
    FROM identity.session AS s
    JOIN identity.member AS m ON m.practice_id = s.practice_id AND m.member_id = s.member_id
    JOIN identity.role AS r ON r.practice_id = m.practice_id AND r.role = m.role
    JOIN record.practice AS p ON p.practice_id = s.practice_id
    WHERE s.practice_id = of_practice AND s.secret_hash = hash;
END
$$;
RESET ROLE;

-- Before anybody has signed in there is no practice: who might this e-mail address be?
GRANT CREATE ON SCHEMA identity TO palimpsest_writer;
SET ROLE palimpsest_writer;
CREATE FUNCTION identity.find_logins(of_email text)
RETURNS TABLE (practice_id uuid, member_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.practice_id, m.member_id, m.password_hash
    FROM identity.member AS m
    WHERE m.email = lower(of_email) AND m.disabled_at IS NULL
    ORDER BY m.practice_id LIMIT 10;
END;
REVOKE ALL ON FUNCTION identity.find_logins FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.find_logins TO palimpsest_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA identity FROM palimpsest_writer;
CREATE INDEX member_email ON identity.member (email, practice_id);
