"""Do rows follow from events, once each, wholly or not at all?"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from domain.kernel.events import Recorded
from domain.kernel.upcasting import UPCASTERS
from projections.all import all_projections
from projections.base import Projection
from projections.chart_view.document import ChartDocument, fold
from projections.chart_view.projection import ChartViewProjection
from record.database import Row
from tests.support.projections import Desk, Shown
from workers.projector import Projector

QUESTIONS = ("client_search", "chart_view")
DELETE = ("DELETE FROM {0}", "DELETE FROM {1}")
PRACTICES = ("SELECT DISTINCT practice_id FROM {0}", "SELECT DISTINCT practice_id FROM {1}")


def filled(desk: Desk) -> None:
    """A bit of everything, of two clients and more, interleaved."""
    ana, lars, anna = desk.register("Ana"), desk.register("Lars"), desk.register("Anna")
    notes = [desk.sign(client, f"Of {client}") for client in (ana, lars, anna, ana)]
    desk.correct(notes[0], subjective="Rather so.")
    desk.add(notes[1], "And this.")
    desk.change(lars, family_name="Johnson", phone="212 555 0100")
    desk.move(notes[3], lars)
    desk.retract(notes[2])
    desk.merge(ana, anna)
    desk.die(lars)
    desk.unmerge(ana, anna)
    desk.correct(notes[0], plan="Tomorrow.")
    desk.live(lars)


@pytest.mark.parametrize("question", QUESTIONS)
def test_twice_is_once(shown: Shown, question: str) -> None:
    filled(shown.here)
    filled(shown.there)
    shown.catch_up()
    before = shown.rows(question, shown.here), shown.rows(question, shown.there)
    log = shown.here.log()
    with shown.record.database.practice(shown.here.practice_id) as connection:
        shown[question].apply(connection, shown.here.practice_id, log)
        shown[question].apply(connection, shown.here.practice_id, log[5:9])
    assert before == (shown.rows(question, shown.here), shown.rows(question, shown.there))
    assert len(before[0]) == 3


@pytest.mark.parametrize("question", QUESTIONS)
def test_after_each_event_the_rows_are_those_of_the_events_so_far(
    shown: Shown, question: str
) -> None:
    """One event at a time, or all at once into empty tables: the same bytes."""
    filled(shown.here)
    filled(shown.there)
    practice_id = shown.here.practice_id
    log = shown.here.log()
    projection = shown[question]
    for end in range(1, len(log) + 1):
        with shown.record.database.practice(practice_id) as connection:
            projection.apply(connection, practice_id, log[end - 1 : end])
        one_by_one = shown.rows(question, shown.here)
        with shown.record.database.practice(practice_id) as connection:
            for place in range(len(projection.tables)):
                connection.execute(projection.query(DELETE[place]))
            projection.apply(connection, practice_id, log[:end])
        assert one_by_one == shown.rows(question, shown.here)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.integers(1, 9))
def test_the_size_of_the_batches_changes_nothing(shared: Shown, batch: int) -> None:
    desk = Desk(shared.record, shared.record.new_practice())
    filled(desk)
    projector = Projector(
        shared.record.database, shared.record.practices, shared.projections, batch=batch
    )
    projector.run_until_caught_up()
    rows = shared.rows("chart_view", desk)
    for client_id, text in rows.items():
        position, _, document = text.partition(b" ")
        told = fold(desk.history(client_id))
        assert document.decode() == told.model_dump_json()
        assert int(position) == told.position
    assert len(rows) == 3


class Failing(ChartViewProjection):
    """Cannot fold a note with the word in it."""

    WORD = "unfoldable"

    def fold(
        self, events: Iterable[Recorded], document: ChartDocument | None = None
    ) -> ChartDocument:
        result = super().fold(events, document)
        if self.WORD in result.model_dump_json():
            raise ArithmeticError(result.model_dump_json())
        return result


class FailingLate(ChartViewProjection):
    """Writes the rows of the whole batch, then fails on the word."""

    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        super().apply(connection, practice_id, batch)
        if any(Failing.WORD in one.event.model_dump_json() for one in batch):
            raise ArithmeticError


@pytest.mark.parametrize("failing", [Failing, FailingLate])
def test_a_failing_fold_never_half_writes(shown: Shown, failing: type[ChartViewProjection]) -> None:
    here = shown.here
    clients = [here.register(f"C{number}") for number in range(6)]
    for client in clients:
        here.sign(client, Failing.WORD if client == clients[3] else "Fine.")
    shown.there.register()
    projection = failing(shown.record.keys, shown.record.practices)
    Projector(shown.record.database, shown.record.practices, [projection]).run_until_caught_up()
    ((reached,),) = shown.record.admin(
        "SELECT position FROM projection.position WHERE practice_id = %s", (here.practice_id,)
    )
    assert reached == 6 + 3, "everything up to the note before"
    rows = shown.rows("chart_view", here)
    for client in clients:
        told = fold(one for one in here.history(client) if one.position <= reached)
        assert rows[client].partition(b" ")[2].decode() == told.model_dump_json()
    assert len(rows) == 6


def test_every_projection_has_a_version_in_its_name_and_tables(shared: Shown) -> None:
    names = set()
    for projection in all_projections(shared.record.keys, shared.record.practices):
        question, _, version = projection.name.rpartition("_v")
        assert question == projection.question
        assert version.isdigit()
        assert projection.handles
        for table in projection.tables:
            assert table.startswith(question)
            assert table.endswith(f"_v{version}")
        names |= {projection.name, *projection.tables}
    tables = shared.record.admin(
        "SELECT relname FROM pg_class WHERE relnamespace = 'projection'::regnamespace "
        "AND relkind = 'r' AND relname NOT IN ('position', 'parked')"
    )
    assert {table for (table,) in tables} <= names


def test_events_of_earlier_versions_are_handled_too(shared: Shown) -> None:
    projection: Projection = ChartViewProjection(shared.record.keys, shared.record.practices)
    UPCASTERS["test.older.v1"] = ("test.old.v1", lambda body: body)
    UPCASTERS["test.old.v1"] = ("note.signed.v1", lambda body: body)
    try:
        assert {"test.older.v1", "test.old.v1", "note.signed.v1"} <= set(projection.types)
    finally:
        del UPCASTERS["test.older.v1"], UPCASTERS["test.old.v1"]


def test_a_practice_sees_only_its_own_rows_whatever_it_asks_for(shown: Shown) -> None:
    filled(shown.here)
    filled(shown.there)
    shown.catch_up()
    queries = [
        projection.query(text)
        for projection in shown.projections
        for text in PRACTICES[: len(projection.tables)]
    ]
    with shown.record.database.practice(shown.here.practice_id) as connection:
        for query in queries:
            assert connection.execute(query).fetchall() == [(shown.here.practice_id,)]
    with shown.record.database.connection() as connection:
        for query in queries:
            with pytest.raises(psycopg.errors.DatabaseError):
                connection.execute(query)
    assert len(queries) == 3
