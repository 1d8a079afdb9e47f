"""Is a rebuilt projection the live one, byte for byte, and does making it disturb anybody?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from uuid import UUID

import psycopg
import pytest

from domain.kernel.ids import ClientId
from projections.base import Projection
from projections.chart_view.document import fold
from projections.compare import Difference
from projections.rebuild import Progress, Rebuild, RebuildRefused, Watch
from tests.projections.test_applying import QUESTIONS, filled
from tests.support.projections import Desk, Shown
from workers.projector import Projector

Rows = dict[UUID, bytes]


def nobody(_: Progress) -> None:
    """Nobody watches."""


def rebuild(
    shown: Shown,
    question: str,
    watch: Watch = nobody,
    *,
    url: str | None = None,
    made: type[Rebuild] = Rebuild,
) -> Rebuild:
    record = shown.record
    return made(
        url or record.ready.admin_url, record.database, record.practices, shown[question], watch
    )


def differences(shown: Shown, question: str) -> list[Difference]:
    with rebuild(shown, question) as beside:
        return list(beside.differences())


def both(shown: Shown, question: str) -> tuple[Rows, Rows]:
    return shown.rows(question, shown.here), shown.rows(question, shown.there)


def beside(shown: Shown) -> list[tuple[str]]:
    return shown.record.admin(
        "SELECT relname FROM pg_class WHERE relnamespace = 'rebuild'::regnamespace"
    )


@pytest.fixture
def used(shown: Shown) -> Iterator[Shown]:
    """Two practices with something of everything, projected in small batches."""
    filled(shown.here)
    filled(shown.there)
    Projector(
        shown.record.database, shown.record.practices, shown.projections, batch=3
    ).run_until_caught_up()
    yield shown
    assert beside(shown) == [], "a rebuild leaves nothing behind"


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_rebuild_is_the_live_projection_byte_for_byte(used: Shown, question: str) -> None:
    before = both(used, question)
    assert differences(used, question) == []
    told: list[Progress] = []
    with rebuild(used, question, told.append) as made:
        events = made.replace()
    assert both(used, question) == before
    assert len(before[0]) == len(before[1]) == 3
    assert told[0] == Progress(0, events)
    assert told[-1] == Progress(events, events)
    assert events > 0
    assert differences(used, question) == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_rebuild_makes_good_whatever_was_wrong(used: Shown, question: str) -> None:
    before = both(used, question)
    for table in used[question].tables:
        used.record.admin(f"TRUNCATE projection.{table}")
    used.record.admin("UPDATE projection.position SET position = 2")
    with rebuild(used, question) as made:
        made.replace()
    assert both(used, question) == before
    used.catch_up()
    used.here.sign(used.here.register("Zelda", "Quirk"))
    used.catch_up()
    assert differences(used, question) == []
    assert used.search.search(used.here.practice_id, "zelda")


def test_what_replaces_a_table_is_as_strict_as_it_was(used: Shown) -> None:
    catalog = """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relacl::text,
            pg_get_userbyid(c.relowner),
            (SELECT string_agg(concat(p.polname, p.polcmd, p.polroles::text,
                pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)), ';'
                ORDER BY p.polname) FROM pg_policy AS p WHERE p.polrelid = c.oid),
            (SELECT string_agg(pg_get_indexdef(i.indexrelid), ';'
                ORDER BY pg_get_indexdef(i.indexrelid))
                FROM pg_index AS i WHERE i.indrelid = c.oid),
            (SELECT string_agg(concat(a.attname, a.atttypid::regtype, a.attnotnull, a.attstorage,
                a.attcollation, pg_get_expr(d.adbin, c.oid)), ';' ORDER BY a.attnum)
                FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d
                    ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid AND a.attnum > 0)
        FROM pg_class AS c
        WHERE c.relnamespace = 'projection'::regnamespace AND c.relkind = 'r'
        ORDER BY c.relname"""
    before = used.record.admin(catalog)
    numbers = "SELECT oid FROM pg_class WHERE relnamespace = 'projection'::regnamespace"
    earlier = set(used.record.admin(numbers))
    for question in QUESTIONS:
        with rebuild(used, question) as made:
            made.replace()
    assert used.record.admin(catalog) == before
    assert len(earlier & set(used.record.admin(numbers))) == 4, "all but positions and parking"


class TestCheck:
    def test_a_changed_row_is_named(self, used: Shown) -> None:
        client = used.here.register("Zelda")
        used.catch_up()
        used.record.admin(
            "UPDATE projection.client_search_v1 SET given_name = 'X' WHERE client_id = %s",
            (client,),
        )
        wrong = Difference(used.here.practice_id, client, "different")
        assert differences(used, "client_search") == [wrong]
        assert differences(used, "chart_view") == []

    def test_a_lost_trigram_is_named(self, used: Shown) -> None:
        client = used.there.register("Zelda")
        used.catch_up()
        used.record.admin(
            "DELETE FROM projection.client_search_gram_v1 WHERE client_id = %s AND gram = 'zel'",
            (client,),
        )
        wrong = Difference(used.there.practice_id, client, "different")
        assert differences(used, "client_search") == [wrong]

    def test_missing_and_surplus_rows_are_named(self, used: Shown) -> None:
        lost, moved = used.here.register("Lost"), used.here.register("Moved")
        used.catch_up()
        used.record.admin("DELETE FROM projection.chart_view_v2 WHERE client_id = %s", (lost,))
        found = differences(used, "chart_view")
        assert found == [Difference(used.here.practice_id, lost, "missing")]
        for statement in (
            "UPDATE projection.client_search_v1 SET practice_id = %s WHERE client_id = %s",
            "UPDATE projection.client_search_gram_v1 SET practice_id = %s WHERE client_id = %s",
        ):
            used.record.admin(statement, (used.there.practice_id, moved))
        found = differences(used, "client_search")
        assert sorted(found, key=lambda one: one.what) == [
            Difference(used.here.practice_id, moved, "missing"),
            Difference(used.there.practice_id, moved, "surplus"),
        ]

    def test_a_projection_that_is_behind_is_compared_where_it_is(self, used: Shown) -> None:
        used.here.sign(used.here.register())
        assert differences(used, "chart_view") == []
        assert used["chart_view"].name in {
            name for (name,) in used.record.admin("SELECT name FROM projection.position")
        }

    def test_it_changes_nothing(self, used: Shown) -> None:
        rows = used.record.admin("SELECT * FROM projection.chart_view_v2 ORDER BY client_id")
        assert differences(used, "chart_view") == []
        again = used.record.admin("SELECT * FROM projection.chart_view_v2 ORDER BY client_id")
        assert rows == again

    def test_a_destroyed_key_is_no_difference(self, used: Shown) -> None:
        used.record.admin(
            """UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()
            WHERE category = 'clinical'"""
        )
        used.record.keys.forget()
        assert differences(used, "chart_view") == []


@dataclass
class People:
    """Somebody writes on a client's chart and somebody reads it, until they are told to stop."""

    shown: Shown
    client: ClientId
    done: Flag = field(default_factory=Flag)
    written: list[object] = field(default_factory=list)
    failures: list[object] = field(default_factory=list)

    def write(self) -> None:
        while not self.done.wait(0.005) and len(self.written) < 300:
            self.written.append(self.shown.here.sign(self.client, "Again."))

    def read(self) -> None:
        practice_id = self.shown.here.practice_id
        while not self.done.wait(0.002):
            found = [one.id for one in self.shown.search.search(practice_id, "zelda")]
            before = len(self.written)
            chart = self.shown.chart_view.chart(practice_id, self.client)
            if found != [self.client] or chart is None or len(chart.notes) < before:
                self.failures.append((found, before, chart))

    def watched(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.failures.append(error)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [
            Thread(target=self.watched, args=(work,)) for work in (self.write, self.read, self.read)
        ]
        for thread in threads:
            thread.start()
        yield
        self.done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("question", QUESTIONS)
def test_people_read_and_write_while_a_projection_is_rebuilt(used: Shown, question: str) -> None:
    client = used.here.register("Zelda", "Quirk")
    used.catch_up()
    people = People(used, client)
    with used.projector, people.at_work():
        for _ in range(3):
            with rebuild(used, question) as made:
                made.replace()
    assert people.failures == []
    assert people.written
    used.catch_up()
    assert differences(used, question) == []
    chart = used.chart_view.chart(used.here.practice_id, client)
    assert chart == fold(used.here.history(client))


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_interrupted_rebuild_changes_nothing_and_leaves_nothing(
    used: Shown, question: str
) -> None:
    before = both(used, question)

    def stop(progress: Progress) -> None:
        if progress.done:
            assert len(beside(used)) >= len(used[question].tables)
            raise Interrupted

    with suppress(Interrupted), rebuild(used, question, stop) as made:
        made.replace()
        pytest.fail("it was not interrupted")
    assert beside(used) == []
    assert both(used, question) == before


def test_what_a_killed_rebuild_left_is_removed_by_the_next(used: Shown) -> None:
    killed = rebuild(used, "chart_view")
    killed.__enter__()
    used.record.admin(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'palimpsest rebuild' AND datname = current_database()"""
    )
    killed.__exit__()
    assert beside(used) != []
    assert differences(used, "chart_view") == []
    assert beside(used) == []


def test_two_rebuilds_of_one_projection_do_not_mix(used: Shown) -> None:
    with (
        rebuild(used, "chart_view"),
        pytest.raises(RebuildRefused, match="rebuilt already"),
        rebuild(used, "chart_view"),
    ):
        pytest.fail("it began")
    with rebuild(used, "chart_view"), rebuild(used, "client_search") as other:
        other.replace()


def test_the_application_itself_may_not_rebuild(used: Shown) -> None:
    url = used.record.ready.app_url
    with (
        pytest.raises(RebuildRefused, match="administrator"),
        rebuild(used, "chart_view", url=url),
    ):
        pytest.fail("it began")


class Impatient(Rebuild):
    """Waits for nobody."""

    lock_wait = "50ms"


def test_a_table_that_is_always_in_use_is_left_as_it_is(used: Shown) -> None:
    before = both(used, "chart_view")
    with psycopg.connect(used.record.ready.admin_url) as reader:
        reader.execute("SELECT count(*) FROM projection.chart_view_v2")
        with (
            pytest.raises(RebuildRefused, match="in use"),
            rebuild(used, "chart_view", made=Impatient) as made,
        ):
            made.replace()
    assert both(used, "chart_view") == before
    with rebuild(used, "chart_view") as made:
        made.replace()
    assert both(used, "chart_view") == before


def test_events_recorded_after_the_start_are_caught_up_with(used: Shown) -> None:
    """A watcher writes while the rebuild is under way, so that every way of filling is taken."""
    desk: Desk = used.here
    ana = desk.register("Zelda")
    wrote = Flag()

    def write(progress: Progress) -> None:
        if progress.done and not wrote.is_set():
            wrote.set()
            for _ in range(5):
                desk.correct(desk.sign(ana), plan="Later.")

    projection: Projection = used["chart_view"]
    with rebuild(used, "chart_view", write) as made:
        made.replace()
    assert wrote.is_set()
    ((reached,),) = used.record.admin(
        "SELECT position FROM projection.position WHERE practice_id = %s AND name = %s",
        (desk.practice_id, projection.name),
    )
    assert reached == desk.head()
    stored = used.rows("chart_view", desk)[ana].partition(b" ")[2].decode()
    assert stored == fold(desk.history(ana)).model_dump_json()
