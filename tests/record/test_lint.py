"""Does the tenancy lint find each way in which a database could mix practices?"""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from deploy.commands import app
from deploy.database import Database
from record.lint import Finding, lint
from tests.support.postgres import ROOT_KEY

SEEDED = {
    # The nine of the requirements …
    "ALTER TABLE record.draft NO FORCE ROW LEVEL SECURITY":
        Finding("NO_FORCE_RLS", "record.draft"),
    "ALTER TABLE record.event DISABLE ROW LEVEL SECURITY":
        Finding("NO_FORCE_RLS", "record.event"),
    "CREATE VIEW record.everyone AS SELECT slug FROM record.practice":
        Finding("VIEW_NOT_INVOKER", "record.everyone"),
    "CREATE VIEW record.lax WITH (security_invoker = false) AS SELECT slug FROM record.practice":
        Finding("VIEW_NOT_INVOKER", "record.lax"),
    "CREATE MATERIALIZED VIEW record.copy AS SELECT slug FROM record.practice":
        Finding("MATVIEW", "record.copy"),
    "CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
    "SET search_path = pg_catalog, pg_temp RETURN (SELECT count(*) FROM record.event)":
        Finding("SECDEF_FN", "public.peek"),
    "ALTER FUNCTION record.append RESET search_path":
        Finding("SECDEF_FN", "record.append"),
    "CREATE POLICY lax ON record.draft FOR UPDATE TO palimpsest_app "
    "USING (practice_id = record.current_practice())":
        Finding("POLICY_NO_WITH_CHECK", "record.draft.lax"),
    "CREATE UNIQUE INDEX one_slug ON record.practice (slug)":
        Finding("UNIQUE_NOT_TENANT_SCOPED", "record.one_slug"),
    "CREATE UNIQUE INDEX led_wrongly ON record.draft (stream_id, practice_id)":
        Finding("UNIQUE_NOT_TENANT_SCOPED", "record.led_wrongly"),
    "CREATE UNIQUE INDEX aside ON record.draft (stream_id) INCLUDE (practice_id)":
        Finding("UNIQUE_NOT_TENANT_SCOPED", "record.aside"),
    "CREATE TABLE record.target (practice_id uuid NOT NULL, id uuid UNIQUE);"
    "DROP TABLE record.target; ALTER TABLE record.data_key ADD UNIQUE (key_id);"
    "ALTER TABLE record.draft ADD CONSTRAINT reaches FOREIGN KEY (key_id)"
    "REFERENCES record.data_key (key_id)":
        Finding("FK_NOT_TENANT_SCOPED", "record.draft.reaches"),
    "ALTER TABLE record.data_key ADD UNIQUE (practice_id, subject, key_id);"
    "ALTER TABLE record.draft ADD CONSTRAINT crosses FOREIGN KEY (subject, practice_id, key_id)"
    "REFERENCES record.data_key (practice_id, subject, key_id)":
        Finding("FK_NOT_TENANT_SCOPED", "record.draft.crosses"),
    "GRANT TRUNCATE ON record.draft TO palimpsest_app":
        Finding("APP_HAS_TRUNCATE", "record.draft"),
    "GRANT TRIGGER ON record.event TO PUBLIC":
        Finding("APP_HAS_TRUNCATE", "record.event"),
    "ALTER ROLE palimpsest_app BYPASSRLS":
        Finding("ROLE_BYPASS", "palimpsest_app"),
    "CREATE ROLE lint_test_admin BYPASSRLS; GRANT lint_test_admin TO palimpsest_app":
        Finding("ROLE_BYPASS", "lint_test_admin"),
    # … and what else would do it.
    "CREATE TABLE record.note (text text)":
        Finding("TABLE_WITHOUT_PRACTICE", "record.note"),
    "ALTER TABLE record.head DROP CONSTRAINT head_pkey CASCADE;"
    "ALTER TABLE record.head ALTER practice_id DROP NOT NULL":
        Finding("TABLE_WITHOUT_PRACTICE", "record.head"),
    "CREATE POLICY wide ON record.draft FOR SELECT USING (true)":
        Finding("POLICY_OPEN", "record.draft.wide"),
    "CREATE POLICY off ON record.draft TO palimpsest_app USING ("
    "practice_id = record.current_practice()) WITH CHECK (practice_id IS NOT NULL)":
        Finding("POLICY_OPEN", "record.draft.off"),
    "GRANT UPDATE (body) ON record.event TO palimpsest_app":
        Finding("LOG_WRITABLE", "record.event"),
    "GRANT INSERT ON record.command TO palimpsest_app":
        Finding("LOG_WRITABLE", "record.command"),
    "GRANT DELETE ON record.head TO palimpsest_app":
        Finding("LOG_WRITABLE", "record.head"),
    "GRANT UPDATE (note) ON record.checkpoint TO palimpsest_app":
        Finding("SEAL_CHANGEABLE", "record.checkpoint"),
    "GRANT UPDATE (root) ON record.census TO palimpsest_app":
        Finding("SEAL_CHANGEABLE", "record.census"),
    "GRANT DELETE ON record.tree_node TO palimpsest_app":
        Finding("SEAL_CHANGEABLE", "record.tree_node"),
    "CREATE SCHEMA theirs CREATE TABLE one (practice_id uuid NOT NULL);"
    "ALTER TABLE theirs.one ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY,"
    "OWNER TO palimpsest_app;"
    "REVOKE TRUNCATE, REFERENCES, TRIGGER ON theirs.one FROM palimpsest_app":
        Finding("APP_OWNS", "theirs.one"),
}  # fmt: skip
NINE = {
    "NO_FORCE_RLS", "VIEW_NOT_INVOKER", "MATVIEW", "SECDEF_FN", "POLICY_NO_WITH_CHECK",
    "UNIQUE_NOT_TENANT_SCOPED", "FK_NOT_TENANT_SCOPED", "APP_HAS_TRUNCATE", "ROLE_BYPASS",
}  # fmt: skip


def seeded(admin_url: str, *defects: str) -> list[Finding]:
    """What the lint says of a database with these defects; the transaction is then undone.

    Roles belong to the whole server, so they must never be seen with a defect by others.
    """
    with psycopg.connect(admin_url) as connection:
        for defect in defects:
            connection.execute(sql.SQL(defect))
        found = lint(connection)
        connection.rollback()
    return found


def test_nothing_is_found_in_our_own_schemas(module_database: Database) -> None:
    with psycopg.connect(module_database.admin_url) as connection:
        assert lint(connection) == []
        # It looked at something.
        tables: Any = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname IN ('record', 'identity')"
        ).fetchone()
    assert tables[0] >= 9


@pytest.mark.parametrize("defect", SEEDED, ids=lambda defect: SEEDED[defect].thing)
def test_each_defect_is_named_exactly(module_database: Database, defect: str) -> None:
    found = seeded(module_database.admin_url, defect)
    expected = {SEEDED[defect]}
    if "data_key ADD UNIQUE (key_id)" in defect:  # the key that it needs is one more
        expected.add(Finding("UNIQUE_NOT_TENANT_SCOPED", "record.data_key_key_id_key"))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_all_nine_of_nine_at_once(module_database: Database) -> None:
    found = seeded(module_database.admin_url, *SEEDED)
    assert set(SEEDED.values()) <= set(found)
    assert {finding.code for finding in found} >= NINE


def test_a_superuser_bypasses(module_database: Database) -> None:
    found = seeded(module_database.admin_url, "ALTER ROLE palimpsest_app SUPERUSER")
    assert Finding("ROLE_BYPASS", "palimpsest_app") in found


def test_the_command_line_says_so_too(
    module_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "root.key"
    key.touch(mode=0o600)
    key.write_text(ROOT_KEY.hex())
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", module_database.admin_url)
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key))
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    clean = CliRunner().invoke(app, ["lint-tenancy"])
    assert (clean.exit_code, clean.stdout) == (0, "0 findings\n")
    with psycopg.connect(module_database.admin_url, autocommit=True) as admin:
        admin.execute("CREATE TABLE record.stray (id uuid)")
        try:
            text = CliRunner().invoke(app, ["lint-tenancy"])
            asjson = CliRunner().invoke(app, ["lint-tenancy", "--json"])
        finally:
            admin.execute("DROP TABLE record.stray")
    assert (text.exit_code, text.stdout) == (
        1,
        "TABLE_WITHOUT_PRACTICE\trecord.stray\n1 finding\n",
    )
    assert asjson.exit_code == 1
    assert json.loads(asjson.stdout) == [
        {"code": "TABLE_WITHOUT_PRACTICE", "thing": "record.stray"}
    ]
