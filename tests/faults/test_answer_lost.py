"""If the connection is cut between a commit and its answer, does asking again tell the truth?"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.database import Database
from domain.kernel.ids import PracticeId, derived
from record.database import DatabaseUnavailable
from record.gate import Append
from tests.api.contract import GUARDED, Operation, name
from tests.faults import seals, views
from tests.faults.checker import judge
from tests.faults.clerks import clerks_at_work, until, workers_at_work
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.faults.proxy import Wire, wire_to
from tests.support.api import Api, Member, api_on, refusal
from tests.support.record import Record, context, plain, record_on
from tests.support.states import client_with_signed_note, done

ENOUGH = times(400, 10_000)
WRITES = [one for one, route in GUARDED.items() if route.kind == "write" and one.method == "POST"]


@dataclass(frozen=True)
class Wired:
    """The application, which reaches its database through a wire."""

    wire: Wire
    api: Api

    def lose_answer(self, by: Member, key: str) -> None:
        """Of the command behind an Idempotency-Key, after it has been committed."""
        command_id = derived(by.practice_id, "command", str(by.member_id), key)
        self.wire.cut_answer(command_id, partial(self._is_done, by.practice_id, command_id))

    def _is_done(self, *command: UUID) -> bool:
        found = self.api.admin(
            "SELECT 1 FROM record.command WHERE practice_id = %s AND command_id = %s", command
        )
        return bool(found)


@pytest.fixture(scope="module")
def wired(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    folder = tmp_path_factory.mktemp("wire")
    with wire_to(module_database, folder) as (wire, through), api_on(through) as api:
        yield Wired(wire, api)


@pytest.mark.parametrize("operation", WRITES, ids=name)
def test_a_write_whose_answer_was_lost_is_answered_when_it_is_sent_again(
    wired: Wired, operation: Operation
) -> None:
    by, key = wired.api.demo.clinician, str(uuid4())
    asked = GUARDED[operation].given(by)
    send = partial(
        by.ask, operation.method, operation.path.format(**asked.ids), asked.body, key=key
    )
    wired.lose_answer(by, key)
    refusal(send(), 503, "database_unavailable")
    wired.wire.mend()
    after = wired.api.positions(wired.api.demo)[0]
    first = done(send())
    assert done(send()) == first
    assert wired.api.positions(wired.api.demo)[0] == after, "it was done the first time, once"


def test_a_read_whose_entry_was_not_acknowledged_shows_nothing(wired: Wired) -> None:
    api = wired.api
    noted = client_with_signed_note(api.demo.clinician)
    before = api.positions(api.demo)[1]
    wired.wire.cut_answer(UUID(noted.client), lambda: api.positions(api.demo)[1] > before)
    refused = api.demo.clinician.get(noted.chart)
    wired.wire.mend()
    refusal(refused, 503, "access_log_unavailable")
    assert [one["client_id"] for one in api.accesses_since(api.demo, before)] == [noted.client]
    done(api.demo.clinician.get(noted.chart))


def test_an_append_whose_answer_was_lost_has_the_same_one_when_it_is_sent_again(
    database: Database, tmp_path: Path
) -> None:
    with wire_to(database, tmp_path) as (wire, through), record_on(through) as record:
        practice_id = record.new_practice()
        for count in (1, 3):
            by, stream = context(practice_id), uuid4()
            events = [plain(stream, 1 + number) for number in range(count)]
            append = Append(practice_id, "record", events, by)
            head = len(record.events(practice_id))
            wire.cut_answer(stream, partial(has_grown, record, practice_id, head))
            with pytest.raises(DatabaseUnavailable):
                record.gate.append(append)
            wire.mend()
            assert len(record.events(practice_id)) == head + count
            assert record.gate.append(append).last == head + count
            assert len(record.events(practice_id)) == head + count


def has_grown(record: Record, practice_id: PracticeId, head: int) -> bool:
    return len(record.events(practice_id)) > head


def test_cut_at_random_moments_nothing_is_lost_and_nothing_done_twice(
    database: Database, tmp_path: Path
) -> None:
    history = History()
    with wire_to(database, tmp_path) as (wire, through), record_on(through) as record:
        with workers_at_work(record), clerks_at_work(record, history, 4):
            wire.chance = 0.02
            until(lambda: history.answered >= ENOUGH, patience=300)
            wire.mend()
        found = judge(
            history,
            database.admin_url,
            lambda: views.of_record(record),
            lambda: seals.objections(record),
        )
    conclude("connection cut", history, found, wire.cuts)
    assert history.hits > 0
