"""Does the projector skip nothing and repeat nothing, whatever happens to it?"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from time import monotonic, sleep
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from psycopg import Connection
from structlog.testing import capture_logs

from domain.kernel.events import Recorded
from projections.base import Projection
from projections.chart_view.document import ChartDocument, fold
from projections.chart_view.projection import ChartViewProjection
from projections.client_search.projection import ClientSearchProjection
from projections.parking import FIRST_PAUSE, LONGEST_PAUSE, Parked, parked
from projections.rebuild import Rebuild
from record.database import Row
from tests.support.projections import Desk, Shown
from workers.projector import Projector

WORD = "unfoldable"
PATIENCE = 20.0


def until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not true():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.01)


def charts_are_right(shown: Shown, desk: Desk) -> bool:
    """The stored documents, without what is read after them, are the folds of the record."""
    clients = {one.subject for one in desk.log() if one.subject is not None}
    told = {client: fold(desk.history(client)).model_dump_json() for client in clients}
    stored = {key: text.split(b" ", 1)[1].decode() for key, text in rows(shown, desk).items()}
    return stored == told


def rows(shown: Shown, desk: Desk) -> dict[UUID, bytes]:
    return shown.rows("chart_view", desk)


def busy(desk: Desk, clients: int = 3, notes: int = 2) -> None:
    people = [desk.register(f"Ana{number}") for number in range(clients)]
    written = [desk.sign(client) for _ in range(notes) for client in people]
    for note in written[::2]:
        desk.correct(note, subjective="Corrected.")


class Failing(ChartViewProjection):
    """Cannot fold the word, as long as it is broken."""

    is_broken = True

    def fold(
        self, events: Iterable[Recorded], document: ChartDocument | None = None
    ) -> ChartDocument:
        result = super().fold(events, document)
        if self.is_broken and WORD in result.model_dump_json():
            raise ArithmeticError(result.model_dump_json())
        return result


def test_it_catches_up_with_every_practice(shown: Shown) -> None:
    busy(shown.here)
    busy(shown.there, clients=2)
    shown.catch_up()
    assert charts_are_right(shown, shown.here)
    assert charts_are_right(shown, shown.there)
    found = shown.record.admin("SELECT practice_id, name, position FROM projection.position")
    heads = {desk.practice_id: desk.head() for desk in (shown.here, shown.there)}
    assert {(p, n): at for p, n, at in found} == {
        (practice, projection.name): head
        for practice, head in heads.items()
        for projection in shown.projections
    }


def test_small_batches_show_the_same_as_large_ones(shown: Shown) -> None:
    busy(shown.here)
    Projector(
        shown.record.database, shown.record.practices, shown.projections, batch=2
    ).run_until_caught_up()
    assert charts_are_right(shown, shown.here)


def test_projections_at_one_place_move_on_in_one_transaction(shown: Shown) -> None:
    transactions = "SELECT count(DISTINCT xmin::text) FROM projection.position GROUP BY practice_id"
    busy(shown.here)
    shown.catch_up()  # each has begun by itself
    assert shown.record.admin(transactions) == [(len(shown.projections),)]
    busy(shown.here)
    shown.catch_up()
    assert shown.record.admin(transactions) == [(1,)]
    record = shown.record
    for one in shown.projections:
        with Rebuild(record.ready.admin_url, record.database, record.practices, one) as beside:
            assert list(beside.differences()) == []


@pytest.mark.parametrize("has_hints", [True, False])
def test_it_follows_in_the_background_until_it_is_stopped(shown: Shown, has_hints: bool) -> None:  # noqa: FBT001 - pytest passes it
    projector = Projector(
        shown.record.database,
        shown.record.practices,
        shown.projections,
        shown.record.hints if has_hints else None,
    )
    with projector:
        for _ in range(3):
            busy(shown.here, clients=1, notes=1)
            until(lambda: charts_are_right(shown, shown.here))
    shown.there.register()
    sleep(0.1)
    assert rows(shown, shown.there) == {}, "it was stopped"
    projector.start()
    until(lambda: charts_are_right(shown, shown.there))
    projector.stop()
    busy(shown.here, clients=1, notes=1)
    projector.run_until_caught_up()
    assert charts_are_right(shown, shown.here)


def test_two_projectors_share_the_work(shown: Shown) -> None:
    desks = [Desk(shown.record, shown.record.new_practice()) for _ in range(6)]
    for desk in desks:
        busy(desk, clients=2)
    projectors = [
        Projector(shown.record.database, shown.record.practices, shown.projections, batch=3)
        for _ in range(3)
    ]
    for projector in projectors:
        projector.start()
    busy(desks[0])
    until(lambda: all(charts_are_right(shown, desk) for desk in desks))
    for projector in projectors:
        projector.stop()


class Meeting(ClientSearchProjection):
    """Holds its claim until the test has seen that nobody else gets it."""

    def __init__(self, barrier: Barrier) -> None:
        super().__init__()
        self._barrier = barrier

    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        super().apply(connection, practice_id, batch)
        self._barrier.wait(PATIENCE)
        self._barrier.wait(PATIENCE)


def test_what_one_has_claimed_another_leaves_alone(shown: Shown) -> None:
    client = shown.here.register()
    barrier = Barrier(2)
    record = shown.record
    holder = Projector(record.database, record.practices, [Meeting(barrier)])
    holder.start()
    barrier.wait(PATIENCE)
    other = Projector(record.database, record.practices, [ClientSearchProjection()])
    assert not other._round(other._work()), "nothing was free to be moved on"
    barrier.wait(PATIENCE)
    holder.stop()
    assert list(shown.search.find(shown.here.practice_id, [client])) == [client]


@pytest.mark.parametrize("question", ["chart_view", "client_search"])
def test_killed_before_the_commit_it_has_neither_skipped_nor_repeated(
    shown: Shown, question: str
) -> None:
    busy(shown.here)
    shown.there.register()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.workers.killed_projector", question,
            shown.record.ready.app_url, "3",
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    ((reached,),) = shown.record.admin(
        "SELECT max(position) FROM projection.position WHERE practice_id = %s",
        (shown.here.practice_id,),
    )
    assert 0 < reached < shown.here.head()
    shown.catch_up()
    assert charts_are_right(shown, shown.here)
    found = shown.search.search(shown.here.practice_id, "Bell")
    assert sorted(one.given_name for one in found) == ["Ana0", "Ana1", "Ana2"]


def stuck(shown: Shown) -> list[Parked]:
    return parked(shown.record.database)


def make_due(shown: Shown, due: str = "-infinity") -> None:
    shown.record.admin("UPDATE projection.parked SET retry_at = %s", (due,))


@pytest.mark.parametrize("has_begun", [False, True], ids=["each by itself", "together at first"])
def test_a_poison_event_holds_up_its_practice_and_projection_only(
    shown: Shown,
    has_begun: bool,  # noqa: FBT001 - pytest passes it
) -> None:
    here, there = shown.here, shown.there
    busy(here, clients=2)
    if has_begun:
        shown.catch_up()
    ana = here.register("Poisoned")
    here.sign(ana, WORD)
    poison = here.head()
    here.sign(ana, "Afterwards")
    busy(there, clients=1)
    failing = Failing(shown.record.keys, shown.record.practices)
    projections: list[Projection] = [failing, ClientSearchProjection()]
    projector = Projector(shown.record.database, shown.record.practices, projections)
    with capture_logs() as logs:
        projector.run_until_caught_up()
    (one,) = stuck(shown)
    assert (one.practice_id, one.name) == (here.practice_id, failing.name)
    assert (one.position, one.event_type, one.error) == (
        poison,
        "note.signed.v1",
        "ArithmeticError",
    )
    reached = {
        (practice, name): position
        for practice, name, position in shown.record.admin(
            "SELECT practice_id, name, position FROM projection.position"
        )
    }
    assert reached[here.practice_id, failing.name] == poison - 1
    assert reached[here.practice_id, "client_search_v1"] == here.head()
    assert reached[there.practice_id, failing.name] == there.head()
    assert charts_are_right(shown, there)
    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert {(one["position"], one["event_type"], one["error"]) for one in errors} == {
        (poison, "note.signed.v1", "ArithmeticError")
    }
    assert WORD not in repr(logs), "a log holds no record"
    chart = shown.chart_view.chart(here.practice_id, ana)
    assert chart is not None
    assert len(chart.notes) == 2, "what people read does not wait for the projector"


def test_a_parked_event_is_tried_ever_more_rarely_until_it_goes(shown: Shown) -> None:
    ana = shown.here.register()
    shown.here.sign(ana, WORD)
    shown.here.sign(ana, "Afterwards")
    failing = Failing(shown.record.keys, shown.record.practices)
    projector = Projector(shown.record.database, shown.record.practices, [failing])
    for failures in range(1, 12):
        ((before,),) = shown.record.admin("SELECT clock_timestamp()")
        projector._round(projector._work())
        while not stuck(shown):  # in halves, until the event stands alone
            projector._round(projector._work())
        ((after,),) = shown.record.admin("SELECT clock_timestamp()")
        (one,) = stuck(shown)
        assert one.failures == failures
        pause = timedelta(seconds=min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE))
        assert before + pause <= one.retry_at <= after + pause
        make_due(shown, "infinity")
        assert projector._work() == [], "not before its time"
        make_due(shown)
    failing.is_broken = False
    projector.run_until_caught_up()
    assert stuck(shown) == []
    assert charts_are_right(shown, shown.here)


def test_what_one_projector_has_parked_the_others_leave_alone_until_it_is_due(
    shown: Shown,
) -> None:
    shown.here.sign(shown.here.register(), WORD)
    failing = Failing(shown.record.keys, shown.record.practices)
    one, other = (
        Projector(shown.record.database, shown.record.practices, [failing]) for _ in range(2)
    )
    one.run_until_caught_up()
    make_due(shown, "infinity")
    assert other._work() == []
    assert other._applier.move(shown.here.practice_id, failing.name) is None
    make_due(shown)
    with capture_logs() as logs:
        other._round(other._work())
    assert [entry["event"] for entry in logs] == ["projection_parked"], "tried alone at once"
    assert [entry.failures for entry in stuck(shown)] == [2]


def test_a_rebuild_forgets_what_was_parked(shown: Shown) -> None:
    shown.here.sign(shown.here.register(), WORD)
    failing = Failing(shown.record.keys, shown.record.practices)
    Projector(shown.record.database, shown.record.practices, [failing]).run_until_caught_up()
    assert len(stuck(shown)) == 1
    with Rebuild(
        shown.record.ready.admin_url,
        shown.record.database,
        shown.record.practices,
        shown["chart_view"],
    ) as beside:
        beside.replace()
    assert stuck(shown) == []
    assert charts_are_right(shown, shown.here)


def test_an_outage_is_no_fault_of_an_event(shown: Shown) -> None:
    ana = shown.here.register()
    shown.here.sign(ana)
    shown.record.keys.forget()
    shown.record.kms.is_down = True
    with capture_logs() as logs, shown.projector:
        until(lambda: any(entry["event"] == "worker_interrupted" for entry in logs))
        assert stuck(shown) == []
        shown.record.kms.is_down = False
        until(lambda: charts_are_right(shown, shown.here))
    assert not any(entry["event"] == "projection_parked" for entry in logs)


def test_the_lag_is_there_to_be_watched(shown: Shown) -> None:
    def gauge(name: str, projection: str) -> float | None:
        return REGISTRY.get_sample_value(name, {"projection": projection})

    busy(shown.here, clients=1, notes=1)
    shown.there.register()
    events = shown.here.head() + shown.there.head()
    shown.projector._work()
    assert gauge("palimpsest_projection_lag_events", "chart_view_v2") == events
    shown.catch_up()
    assert gauge("palimpsest_projection_lag_events", "chart_view_v2") == 0
    assert gauge("palimpsest_projection_parked", "chart_view_v2") == 0
