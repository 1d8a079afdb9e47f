"""Does the database itself keep practices apart? Looks for what would let it not."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg

SHARED_SCHEMAS: Final = ("deploy",)
"""Which migrations ran: the one thing that belongs to no practice."""

REVIEWED_FUNCTIONS: Final = {
    "record.append": "the gate: appends for the practices named, may only insert and move heads",
    "record.remember": "remembers a command of one practice that appends nothing",
    "identity.find_logins": "sign-in, before there is a practice: takes one e-mail address",
}
"""The SECURITY DEFINER functions there may be, and why; each must pin its search_path."""

REVIEWED_POLICIES: Final = {
    "record.head.news": "which practices have news? positions only",
    "projection.position.news": "which practices have news? positions only",
    "projection.parked.news": "what is stuck, in which practice? places and types only",
}
"""The policies under which the application may see other practices' rows, and why."""

LOGS: Final = ("record.event", "record.head", "record.command")
"""What only the gate may write."""

SEALS: Final = ("record.tree_node", "record.checkpoint", "record.census")
"""What the sealer adds to, and nobody changes."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, and with what."""

    code: str
    thing: str


def lint(
    connection: psycopg.Connection[tuple[Any, ...]], role: str = "palimpsest_app"
) -> list[Finding]:
    """Everything that breaks the rules of tenancy; `role` is what the application runs as."""
    found = connection.execute(
        _FINDINGS,
        {
            "role": role,
            "shared": list(SHARED_SCHEMAS),
            "functions": list(REVIEWED_FUNCTIONS),
            "policies": list(REVIEWED_POLICIES),
            "logs": list(LOGS),
            "seals": list(SEALS),
        },
    ).fetchall()
    return sorted(Finding(*row) for row in found)


# Each branch is one finding, in the order of its kinds of object.
_FINDINGS: Final = """
WITH relation AS (
    SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
        n.nspname || '.' || c.relname AS name, a.attnum AS practice, a.attnotnull
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute AS a
        ON a.attrelid = c.oid AND a.attname = 'practice_id' AND NOT a.attisdropped
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND n.nspname !~ '^pg_(toast|temp)'
        AND NOT n.nspname = ANY (%(shared)s)
), any_table AS (
    SELECT * FROM relation WHERE relkind IN ('r', 'p', 'f')
), tenant AS (
    SELECT * FROM any_table WHERE practice IS NOT NULL
), policy AS (
    SELECT p.*, r.name || '.' || p.polname AS name,
        pg_get_expr(p.polqual, p.polrelid) AS seen,
        pg_get_expr(p.polwithcheck, p.polrelid) AS written
    FROM pg_policy AS p JOIN relation AS r ON r.oid = p.polrelid
)
SELECT 'NO_FORCE_RLS', name FROM tenant
WHERE NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT 'TABLE_WITHOUT_PRACTICE', name FROM any_table
WHERE practice IS NULL OR NOT attnotnull
UNION ALL
SELECT 'VIEW_NOT_INVOKER', name FROM relation
WHERE relkind = 'v' AND NOT EXISTS (
    SELECT FROM pg_options_to_table(reloptions)
    WHERE option_name = 'security_invoker' AND option_value::boolean
)
UNION ALL
SELECT 'MATVIEW', name FROM relation WHERE relkind = 'm'
UNION ALL
SELECT 'SECDEF_FN', n.nspname || '.' || p.proname
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT (
    n.nspname || '.' || p.proname = ANY (%(functions)s)
    AND 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig)
)
UNION ALL
SELECT 'POLICY_NO_WITH_CHECK', name FROM policy
WHERE polcmd IN ('a', 'w', '*') AND written IS NULL
UNION ALL
-- Of the permissive policies one that is true is enough, so each must name the practice.
SELECT 'POLICY_OPEN', name FROM policy
WHERE polpermissive AND name <> ALL (%(policies)s)
    AND EXISTS (
        SELECT FROM unnest(polroles) AS r
        WHERE r = 0 OR pg_has_role(%(role)s::regrole, r, 'MEMBER')
    )
    AND '(practice_id = record.current_practice())' <> ANY (
        array_remove(ARRAY[seen, written], NULL)
    )
UNION ALL
SELECT 'UNIQUE_NOT_TENANT_SCOPED', i.indexrelid::regclass::text
FROM pg_index AS i JOIN tenant AS t ON t.oid = i.indrelid
WHERE (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> t.practice
UNION ALL
SELECT 'FK_NOT_TENANT_SCOPED', t.name || '.' || c.conname
FROM pg_constraint AS c JOIN tenant AS t ON t.oid = c.conrelid
LEFT JOIN tenant AS other ON other.oid = c.confrelid
WHERE c.contype = 'f' AND NOT EXISTS (
    SELECT FROM unnest(c.conkey, c.confkey) AS k(here, there)
    WHERE k.here = t.practice AND k.there = other.practice
)
UNION ALL
SELECT 'APP_HAS_TRUNCATE', name FROM any_table
WHERE has_table_privilege(%(role)s::regrole, oid, 'TRUNCATE, REFERENCES, TRIGGER')
UNION ALL
SELECT 'LOG_WRITABLE', name FROM any_table
WHERE name = ANY (%(logs)s) AND (
    has_table_privilege(%(role)s::regrole, oid, 'INSERT, UPDATE, DELETE, MAINTAIN')
    OR has_any_column_privilege(%(role)s::regrole, oid, 'INSERT, UPDATE')
)
UNION ALL
SELECT 'SEAL_CHANGEABLE', name FROM any_table
WHERE name = ANY (%(seals)s) AND (
    has_table_privilege(%(role)s::regrole, oid, 'UPDATE, DELETE, MAINTAIN')
    OR has_any_column_privilege(%(role)s::regrole, oid, 'UPDATE')
)
UNION ALL
SELECT 'APP_OWNS', name FROM relation
WHERE pg_has_role(%(role)s::regrole, relowner, 'MEMBER')
UNION ALL
SELECT 'ROLE_BYPASS', rolname FROM pg_roles
WHERE (rolsuper OR rolbypassrls) AND pg_has_role(%(role)s::regrole, oid, 'MEMBER')
"""
