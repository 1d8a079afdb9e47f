"""Is the chart that people read what the record says, at once, sealed, and nobody else's?"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.chart.events import Sections
from domain.kernel.ids import ClientId
from projections.chart_view.document import ChartDocument, fold
from projections.chart_view.reader import ChartView
from projections.parking import parked
from record.database import Database, Row
from record.errors import Unreadable
from tests.support.projections import WRITER, Desk, Shown

CANARY = "xylophone-marmalade"


def live(shown: Shown, desk: Desk, client_id: UUID) -> ChartDocument:
    document = shown.chart_view.chart(desk.practice_id, client_id)
    assert document is not None
    return document


def test_a_chart_is_never_behind_the_record(shown: Shown) -> None:
    here, there = shown.here, shown.there
    ana, lars = here.register("Ana"), here.register("Lars")
    there.sign(there.register())
    for step in range(4):
        note = here.sign(ana, f"Visit {step}")
        here.sign(lars, "Another chart")
        assert live(shown, here, ana) == fold(here.history(ana)), "before the projector"
        shown.catch_up()
        here.correct(note, subjective=f"Visit {step}, corrected")
        assert live(shown, here, ana) == fold(here.history(ana)), "after it, and behind by one"
    shown.catch_up()
    assert live(shown, here, ana) == fold(here.history(ana))
    assert len(live(shown, here, ana).notes) == 4
    assert live(shown, here, lars) == fold(here.history(lars))


def test_an_unknown_client_and_one_of_another_practice_look_the_same(shown: Shown) -> None:
    theirs = shown.there.register()
    for _ in range(2):
        assert shown.chart_view.chart(shown.here.practice_id, theirs) is None
        assert shown.chart_view.charts(shown.here.practice_id, theirs) == ([ChartDocument()], 0)
        assert shown.chart_view.chart(shown.here.practice_id, uuid4()) is None
        shown.catch_up()


def test_a_chart_comes_with_those_merged_into_it(shown: Shown) -> None:
    here = shown.here
    kept, other, earlier = (here.register(name) for name in ("Ana", "Anna", "Anne"))
    for client in (kept, other, earlier):
        here.sign(client, f"Of {client}")
    here.merge(other, earlier)
    here.merge(kept, other)
    for _ in range(2):
        documents, position = shown.chart_view.charts(here.practice_id, kept)
        assert [document.client_id for document in documents] == [kept, other, earlier]
        assert [len(document.notes) for document in documents] == [1, 1, 1]
        assert position == here.head()
        shown.catch_up()
    here.unmerge(kept, other)
    assert [one.client_id for one in shown.chart_view.charts(here.practice_id, kept)[0]] == [kept]
    assert live(shown, here, other).merged_into is None


class Counting:
    """A database that counts the statements asked of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements = 0

    @contextmanager
    def connection(self) -> Iterator["Counting"]:
        with self._database.connection() as connection:
            self._connection: psycopg.Connection[Row] = connection
            yield self

    def execute(self, sql: str, values: tuple[object, ...], *, binary: bool) -> psycopg.Cursor[Row]:
        self.statements += 1
        return self._connection.execute(sql.encode(), values, binary=binary)


def test_a_chart_is_read_in_one_statement(shown: Shown) -> None:
    here, counting = shown.here, Counting(shown.record.database)
    ana = here.register()
    here.sign(ana)
    shown.catch_up()
    here.sign(ana)
    view = ChartView(counting, shown.record.keys, shown.record.practices)  # type: ignore[arg-type] # counts for it
    assert view.charts(here.practice_id, ana)[0] == [fold(here.history(ana))]
    assert counting.statements == 1


def test_what_is_stored_cannot_be_read_without_the_key(shown: Shown) -> None:
    ana = shown.here.register("Ana", CANARY)
    shown.here.sign(ana, CANARY)
    shown.catch_up()
    ((row,),) = shown.record.admin("SELECT t::text FROM projection.chart_view_v2 AS t")
    assert CANARY not in row
    assert CANARY.encode().hex() not in row
    assert CANARY in live(shown, shown.here, ana).model_dump_json()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE projection.chart_view_v2 SET position = position - 1",
        "UPDATE projection.chart_view_v2 SET client_id = gen_random_uuid()",
    ],
)
def test_a_document_in_another_place_does_not_open(shown: Shown, change: str) -> None:
    ana = shown.here.register()
    shown.here.sign(ana)
    shown.catch_up()
    shown.record.admin(change)
    ((client_id,),) = shown.record.admin("SELECT client_id FROM projection.chart_view_v2")
    with pytest.raises(Unreadable):
        shown.chart_view.chart(shown.here.practice_id, client_id)


def test_an_earlier_document_cannot_hide_what_came_later(shown: Shown) -> None:
    ana = shown.here.register()
    shown.catch_up()
    shown.record.admin("CREATE TABLE kept AS SELECT * FROM projection.chart_view_v2")
    shown.here.sign(ana)
    shown.catch_up()
    shown.record.admin(
        "UPDATE projection.chart_view_v2 AS c SET body = k.body, key_id = k.key_id FROM kept AS k"
    )
    with pytest.raises(Unreadable):
        shown.chart_view.chart(shown.here.practice_id, ana)


def shred(shown: Shown, client_id: ClientId) -> None:
    shown.record.admin(
        """UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()
        WHERE subject = %s AND category = 'clinical'""",
        (client_id,),
    )
    shown.record.keys.forget()


def test_a_client_whose_clinical_key_was_destroyed_keeps_her_name(shown: Shown) -> None:
    here = shown.here
    ana, lars = here.register("Ana"), here.register("Lars")
    here.sign(ana, CANARY)
    here.sign(lars)
    shown.catch_up()
    shred(shown, ana)
    document = live(shown, here, ana)
    assert document.details is not None
    assert document.details.given_name == "Ana"
    (note,) = document.notes
    assert (note.status, note.is_locked, note.version) == ("erased", True, 1)
    (version,) = note.versions
    assert (version.kind, version.author, version.is_erased) == ("signed", WRITER, True)
    assert version.sections == Sections()
    assert [note.status for note in live(shown, here, lars).notes] == ["signed"]


def test_a_chart_goes_on_after_its_key_was_destroyed(shown: Shown) -> None:
    here = shown.here
    ana = here.register("Ana")
    here.sign(ana, CANARY)
    shown.catch_up()
    shred(shown, ana)
    here.sign(ana, "Came back.")
    for _ in range(2):
        document = live(shown, here, ana)
        assert [note.sections.subjective for note in document.notes] == ["Came back.", ""]
        assert document.details is not None
        shown.catch_up()
    assert parked(shown.record.database) == []
