"""Could the tables be spread over machines by practice, with every key checked where the rows lie?

A table distributed by `practice_id` can enforce only keys that contain it: no shard sees another's
rows. The migrations are read twice, as text for the tables they declare and, once applied, in the
catalog for the keys these have, so that no table is made where nobody looks.
"""

import re
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from deploy.database import Database
from deploy.migrate import LEDGER, read_migrations

SCALE = Path(__file__).parents[2] / "docs" / "scale.md"
LOCAL_SCHEMA: Final = "deploy"
"""Which release a database has: asked and written on one node, with no practice in it."""

_COMMENT = re.compile(r"--[^\n]*")
_DECLARED = re.compile(
    r"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+\.\w+)", re.IGNORECASE
)
_DROPPED = re.compile(r"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(\w+\.\w+)", re.IGNORECASE)
_ROW = re.compile(r"^\| `(\w+\.\w+)` \| (distributed|local) \|", re.MULTILINE)

_TABLES: Final = """SELECT c.oid, n.nspname || '.' || c.relname AS name,
        coalesce((SELECT attnum FROM pg_attribute
            WHERE attrelid = c.oid AND attname = 'practice_id' AND NOT attisdropped), 0) AS practice
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'"""
# A constraint behind an index has the index's name, so each key is met once.
_SHORT_KEYS: Final = f"""WITH relation AS ({_TABLES}), distributed AS (
        SELECT * FROM relation WHERE split_part(name, '.', 1) <> '{LOCAL_SCHEMA}'
    )
    SELECT t.name, NULL AS key FROM distributed AS t WHERE t.practice = 0
    UNION ALL
    SELECT t.name, i.indexrelid::regclass::text FROM pg_index AS i
    JOIN distributed AS t ON t.oid = i.indrelid
    WHERE (i.indisunique OR i.indisexclusion)
        AND t.practice <> ALL (i.indkey[0 : i.indnkeyatts - 1])
    UNION ALL
    SELECT t.name, c.conname FROM pg_constraint AS c
    JOIN distributed AS t ON t.oid = c.conrelid
    LEFT JOIN distributed AS other ON other.oid = c.confrelid
    WHERE c.contype = 'f' AND NOT EXISTS (
        SELECT FROM unnest(c.conkey, c.confkey) AS k(here, there)
        WHERE k.here = t.practice AND k.there = other.practice
    )
    ORDER BY 1, 2"""  # noqa: S608 - constants

SEEDED: Final = {
    "CREATE TABLE record.stray (id uuid)": ("record.stray", None),
    "CREATE TABLE record.one (practice_id uuid, id uuid PRIMARY KEY)":
        ("record.one", "record.one_pkey"),
    "ALTER TABLE record.practice ADD UNIQUE (slug)":
        ("record.practice", "record.practice_slug_key"),
    "CREATE UNIQUE INDEX aside ON record.draft (stream_id) INCLUDE (practice_id)":
        ("record.draft", "record.aside"),
    "CREATE UNIQUE INDEX partial ON record.command (digest) WHERE version = 0":
        ("record.command", "record.partial"),
    "CREATE TABLE record.booking (practice_id uuid, during tstzrange, "
    "CONSTRAINT alone EXCLUDE USING gist (during WITH &&))":
        ("record.booking", "record.alone"),
    "ALTER TABLE record.draft ADD CONSTRAINT to_local FOREIGN KEY (revision) "
    "REFERENCES deploy.migration":
        ("record.draft", "to_local"),
    "ALTER TABLE record.data_key ADD UNIQUE (practice_id, subject, key_id);"
    "ALTER TABLE record.draft ADD CONSTRAINT crosses FOREIGN KEY (subject, practice_id, key_id)"
    "REFERENCES record.data_key (practice_id, subject, key_id)":
        ("record.draft", "crosses"),
}  # fmt: skip


def short_keys(connection: psycopg.Connection[Any]) -> list[tuple[str, str | None]]:
    """Table and key wherever a key lacks the practice; no key where the table does."""
    return [(row[0], row[1]) for row in connection.execute(_SHORT_KEYS)]


def declared(texts: list[str]) -> set[str]:
    """The tables that stand when these migrations have run, as their text has it."""
    tables: set[str] = set()
    for text in texts:
        bare = _COMMENT.sub("", text)
        tables |= set(_DECLARED.findall(bare))
        tables -= set(_DROPPED.findall(bare))
    return tables


def in_catalog(connection: psycopg.Connection[Any]) -> set[str]:
    return {row[1] for row in connection.execute(sql.SQL(_TABLES))}


def test_the_keys_of_every_distributed_table_contain_the_practice(
    module_database: Database,
) -> None:
    with psycopg.connect(module_database.admin_url) as connection:
        assert short_keys(connection) == []


def test_the_migrations_declare_every_table_there_is(module_database: Database) -> None:
    texts = [LEDGER, *(migration.text for migration in read_migrations())]
    with psycopg.connect(module_database.admin_url) as connection:
        assert in_catalog(connection) == declared(texts)


def test_the_paper_says_of_every_table_how_it_spreads(module_database: Database) -> None:
    written = dict(_ROW.findall(SCALE.read_text(encoding="utf-8")))
    with psycopg.connect(module_database.admin_url) as connection:
        tables = in_catalog(connection)
    assert written == {
        name: "local" if name.startswith(f"{LOCAL_SCHEMA}.") else "distributed" for name in tables
    }, "docs/scale.md lists every table: add a row for a new one"


@pytest.mark.parametrize("defect", SEEDED, ids=lambda defect: str(SEEDED[defect]))
def test_a_key_without_the_practice_is_found(module_database: Database, defect: str) -> None:
    with psycopg.connect(module_database.admin_url) as connection:
        connection.execute(sql.SQL(defect))
        assert short_keys(connection) == [SEEDED[defect]]
        connection.rollback()


def test_a_table_that_is_dropped_again_or_only_spoken_of_is_not_declared() -> None:
    texts = [
        "CREATE TABLE record.kept (a int); create table if not exists record.gone (b int);",
        "-- CREATE TABLE record.thought_of\nDROP TABLE record.gone;",
    ]
    assert declared(texts) == {"record.kept"}
