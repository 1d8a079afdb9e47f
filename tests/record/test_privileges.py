"""What can SQL as the application role do to a log, and to another practice? Nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from domain.client.aggregate import CLIENT
from domain.kernel.ids import PracticeId
from record.gate import Append
from tests.support.record import Record, context, plain, register

Connection = psycopg.Connection[tuple[Any, ...]]
TABLES = ("practice", "practice_key", "head", "event", "command", "data_key", "draft")
REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def app(record: Record) -> Iterator[Connection]:
    """The application role, of no practice, as an attacker with SQL would have it."""
    with psycopg.connect(record.ready.app_url, autocommit=True) as connection:
        yield connection


@contextmanager
def of(connection: Connection, practice_id: PracticeId) -> Iterator[None]:
    with connection.transaction():
        connection.execute("SELECT set_config('palimpsest.practice', %s, true)", [str(practice_id)])
        yield


@pytest.fixture
def filled_id(record: Record, practice_id: PracticeId) -> PracticeId:
    """A practice with a row in each table."""
    by, client = context(practice_id), uuid4()
    record.practices[practice_id].handle(CLIENT, client, register(client, by), by)
    by = context(practice_id)
    record.drafts.open(by, uuid4(), client, b"a draft")  # type: ignore[arg-type]  # a client's id
    return practice_id


@pytest.mark.parametrize("table", ["event", "command", "head"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record.{} SET practice_id = practice_id",
        "DELETE FROM record.{}",
        "TRUNCATE record.{}",
        "INSERT INTO record.{} DEFAULT VALUES",
        "COPY record.{} FROM STDIN",
        "MERGE INTO record.{} USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
        "SELECT FROM record.{} FOR UPDATE",
        "ALTER TABLE record.{} DISABLE ROW LEVEL SECURITY",
        "DROP TABLE record.{}",
        "CREATE TRIGGER t BEFORE INSERT ON record.{} EXECUTE FUNCTION tsvector_update_trigger()",
    ],
)  # fmt: skip
def test_no_log_can_be_changed(
    app: Connection, filled_id: PracticeId, statement: str, table: str
) -> None:
    written = sql.SQL(statement).format(sql.Identifier(table))
    with pytest.raises(REFUSED), of(app, filled_id):
        app.execute(written)


def test_every_column_of_a_log_is_closed(
    record: Record, app: Connection, practice_id: PracticeId
) -> None:
    for (name,) in record.admin(
        """SELECT attname FROM pg_attribute
        WHERE attrelid = 'record.event'::regclass AND attnum > 0"""
    ):
        with pytest.raises(REFUSED), of(app, practice_id):
            app.execute(sql.SQL("UPDATE record.event SET {0} = {0}").format(sql.Identifier(name)))


def _do(admin: Connection, practice_id: PracticeId, *statements: sql.SQL | sql.Composed) -> None:
    with of(admin, practice_id):
        for statement in statements:
            admin.execute(statement)


@pytest.mark.parametrize("table", ["event", "command"])
@pytest.mark.parametrize(
    "slip",
    [
        "UPDATE record.{} SET practice_id = practice_id",
        "DELETE FROM record.{}",
        "DELETE FROM record.{} WHERE false",
        "TRUNCATE record.{}",
        "TRUNCATE record.practice, record.{} CASCADE",
        "MERGE INTO record.{} USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
    ],
)
@pytest.mark.parametrize("become", ["RESET ROLE", "SET LOCAL ROLE palimpsest_owner"])
def test_not_even_an_administrator_changes_a_log_by_mistake(
    record: Record, filled_id: PracticeId, become: str, slip: str, table: str
) -> None:
    before = record.events(filled_id)
    change = sql.SQL(slip).format(sql.Identifier(table))
    with psycopg.connect(record.ready.admin_url, autocommit=True) as admin:
        with pytest.raises(psycopg.errors.RestrictViolation, match="only ever added to"):
            _do(admin, filled_id, sql.SQL(become), change)
        assert admin.execute("SELECT count(*) FROM record.command").fetchone() != (0,)
    assert record.events(filled_id) == before != []


@pytest.mark.parametrize("role", ["palimpsest_owner", "palimpsest_writer"])
def test_the_application_becomes_nobody_else(app: Connection, role: str) -> None:
    with pytest.raises(REFUSED):
        app.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


def test_nor_does_it_make_anything_of_its_own(app: Connection) -> None:
    for statement in (
        "CREATE TABLE record.mine ()",
        "CREATE FUNCTION record.f() RETURNS int RETURN 1",
    ):
        with pytest.raises(REFUSED):
            app.execute(sql.SQL(statement))


@pytest.mark.parametrize("table", ["event", "command", "practice", "data_key", "draft"])
def test_without_a_practice_a_read_is_an_error(
    record: Record, app: Connection, filled_id: PracticeId, table: str
) -> None:
    read = sql.SQL("SELECT * FROM record.{}").format(sql.Identifier(table))
    with pytest.raises(psycopg.errors.UndefinedObject):
        app.execute(read)
    with of(app, filled_id):
        assert app.execute(read).fetchall()
    # The setting has ended with its transaction.
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        app.execute(read)


@pytest.mark.parametrize("table", TABLES)
def test_another_practice_has_no_rows(
    record: Record, app: Connection, filled_id: PracticeId, other_id: PracticeId, table: str
) -> None:
    read = sql.SQL("SELECT practice_id FROM record.{}").format(sql.Identifier(table))
    named = read + sql.SQL(" WHERE practice_id = {}").format(sql.Literal(filled_id))
    with of(app, filled_id):
        own = app.execute(named).fetchall()
        assert own == [(filled_id,)] * len(own) != []
    with of(app, other_id):
        if table == "head":  # positions, no content: which practices have news?
            assert set(app.execute(read).fetchall()) > {(filled_id,), (other_id,)}
        else:
            assert app.execute(named).fetchall() == []
            assert set(app.execute(read).fetchall()) <= {(other_id,)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()",
        "UPDATE record.data_key SET generation = 2",
        "DELETE FROM record.data_key",
        "DELETE FROM record.draft",
        "UPDATE record.practice_key SET wrapped = ''",
        "DELETE FROM record.practice_key",
        "INSERT INTO record.practice_key (generation, wrapped, root_key_id) VALUES (2, '', '')",
        "INSERT INTO record.retention_policy SELECT",
        "VACUUM (FULL) record.data_key",
    ],
)
def test_the_application_destroys_no_key_and_sets_no_retention(
    record: Record, app: Connection, filled_id: PracticeId, statement: str
) -> None:
    keys = "SELECT * FROM record.data_key WHERE practice_id = %s ORDER BY key_id"
    before = record.admin(keys, [filled_id])
    if statement.startswith("VACUUM"):
        app.execute(statement.encode())  # passed over, with a warning
    else:
        with pytest.raises(REFUSED), of(app, filled_id):
            app.execute(statement.encode())
    assert record.admin(keys, [filled_id]) == before


def test_a_row_cannot_be_made_or_moved_into_another_practice(
    app: Connection, filled_id: PracticeId, other_id: PracticeId
) -> None:
    with pytest.raises(REFUSED, match="row-level security"), of(app, filled_id):
        app.execute(
            """INSERT INTO record.data_key (practice_id, key_id, subject, category, wrapped)
            VALUES (%s, gen_random_uuid(), gen_random_uuid(), 'contact', '')""",
            [other_id],
        )
    with pytest.raises(REFUSED), of(app, filled_id):
        app.execute("UPDATE record.draft SET practice_id = %s", [other_id])
    # What is nobody's to change: whose draft it is, and on whose chart.
    for column in ("subject", "author", "stream_id", "opened_at"):
        with pytest.raises(REFUSED), of(app, filled_id):
            app.execute(sql.SQL("UPDATE record.draft SET {0} = {0}").format(sql.Identifier(column)))


def test_a_foreign_key_does_not_reach_into_another_practice(
    record: Record, app: Connection, filled_id: PracticeId, other_id: PracticeId
) -> None:
    ((key_id,), *_) = record.admin(
        "SELECT key_id FROM record.data_key WHERE practice_id = %s AND category = 'clinical'",
        [filled_id],
    )
    draft = """INSERT INTO record.draft (stream_id, subject, base_version, revision, key_id, body,
            author, opened_at, saved_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), 0, 1, %s, '', gen_random_uuid(), now(),
            now())"""
    with of(app, filled_id):
        app.execute(draft, [key_id])
    with pytest.raises(psycopg.errors.ForeignKeyViolation), of(app, other_id):
        app.execute(draft, [key_id])


def test_a_unique_key_tells_nothing_of_another_practice(
    record: Record, filled_id: PracticeId, other_id: PracticeId
) -> None:
    """The same ids may stand in both: a refusal would say that they exist in the other one."""
    for row in record.events(filled_id):
        by = context(other_id, command_id=row["command_id"])
        same = plain(row["stream_id"], row["version"])
        answer = record.gate.append(Append(other_id, "record", [same], by))
        assert answer.outcome == "accepted"


def test_the_reading_function_leaves_no_practice_set_behind(
    app: Connection, filled_id: PracticeId
) -> None:
    app.execute("SELECT * FROM record.streams(%s, 'record', '{}'::uuid[])", [filled_id])
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        app.execute("SELECT * FROM record.event")
