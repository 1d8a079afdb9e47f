"""Does the checker object to whatever could go wrong, and to nothing else?"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from deploy.database import Database
from domain.client.aggregate import CLIENT
from domain.kernel.ids import PracticeId
from projections.all import all_projections
from record.gate import Append
from tests.faults import views
from tests.faults.checker import Row, Stored, objections, stored
from tests.faults.history import History, Operation
from tests.support.leaf import leaf_hash
from tests.support.record import Record, context, plain, record_on, register
from workers.projector import Projector


@dataclass
class Run:
    """A small run in which nothing broke: what was told, and what is stored."""

    practice_id: PracticeId
    history: History
    found: Stored
    single: Operation
    triple: Operation
    lost: Operation
    """Without an answer, and not stored."""
    refused: Operation

    def rows(self, log: str = "record") -> list[Row]:
        return self.found.events[self.practice_id, log]

    def of(self, operation: Operation) -> list[Row]:
        return [row for row in self.rows() if row["command_id"] == operation.command_id]

    def kinds(self) -> set[str]:
        return {one.kind for one in objections(self.history, self.found)}


@pytest.fixture(scope="module")
def record(module_database: Database) -> Iterator[Record]:
    with record_on(module_database) as made:
        yield made


def append(record: Record, history: History, practice_id: PracticeId, count: int) -> Operation:
    by, stream = context(practice_id), uuid4()
    events = [plain(stream, 1 + number) for number in range(count)]
    operation = history.invoke(practice_id, by.command_id, events=count, stream_id=stream)
    history.unanswered(operation)
    answer = record.gate.append(Append(practice_id, "record", events, by))
    assert answer.last is not None
    history.acknowledged(operation, answer.last)
    return operation


@pytest.fixture(scope="module")
def untouched(record: Record) -> Run:
    history, practice_id = History(), record.new_practice()
    single, triple = (append(record, history, practice_id, count) for count in (1, 3))
    client_id, by = uuid4(), context(practice_id)
    operation = history.invoke(practice_id, by.command_id, stream_id=client_id)
    written = record.practices[practice_id].handle(CLIENT, client_id, register(client_id, by), by)
    history.acknowledged(operation, written.position)
    draft = history.invoke(practice_id, uuid4(), events=0)
    with record.database.practice(practice_id) as connection:
        connection.execute(
            "SELECT record.remember(%s, %s, 'digest', %s)",
            (practice_id, draft.command_id, uuid4()),
        )
    history.acknowledged(draft, written.position)
    lost, refused = (history.invoke(practice_id, uuid4()) for _ in range(2))
    history.unanswered(lost)
    history.refused(refused)
    record.accesses.note(by, "read", "chart", clients=[client_id])
    history.read(practice_id, client_id, by.correlation_id)
    found = stored(record.ready.admin_url)
    return Run(practice_id, history, found, single, triple, lost, refused)


@pytest.fixture
def run(untouched: Run) -> Run:
    """A copy, to be spoilt."""
    return Run(
        untouched.practice_id,
        *_copies(untouched.history, untouched.found),
        untouched.single, untouched.triple, untouched.lost, untouched.refused,
    )  # fmt: skip


def _copies(history: History, found: Stored) -> tuple[History, Stored]:
    made = History()
    made.operations = deepcopy(history.operations)
    made.reads = list(history.reads)
    return made, deepcopy(found)


def test_a_run_in_which_all_is_well_is_left_in_peace(untouched: Run) -> None:
    assert untouched.kinds() == set()
    history = untouched.history
    assert (history.answered, history.unknown) == (4, 1)
    assert len(untouched.rows()) == 5


def test_an_operation_without_an_answer_may_be_done_or_not(run: Run) -> None:
    history = run.history
    history.operations[run.practice_id, run.single.command_id].answers.clear()
    assert run.kinds() == set()


def _again(run: Run, rows: list[Row], command_id: UUID | None) -> None:
    """The same rows once more at the end, well formed, as if appended a second time."""
    head = run.rows()[-1]["position"]
    stream = uuid4()
    for number, row in enumerate(rows, start=1):
        copy = row | {"position": head + number, "stream_id": stream, "command_id": command_id}
        copy["recorded_at"] = run.rows()[-1]["recorded_at"]
        run.rows().append(copy | {"leaf_hash": leaf_hash(copy)})
    run.found.heads[run.practice_id, "record"] += len(rows)


def _without(run: Run, operation: Operation) -> None:
    """As if it had never been appended: later rows stand one place lower, whole and dense."""
    gone = len(run.of(operation))
    first = run.of(operation)[0]["position"]
    run.rows()[:] = [row for row in run.rows() if row not in run.of(operation)]
    for row in run.rows():
        if row["position"] > first:
            row["position"] -= gone
            row["leaf_hash"] = leaf_hash(row)
    run.found.heads[run.practice_id, "record"] -= gone


def lose_an_answer(run: Run) -> None:
    _without(run, run.single)


def forget_a_command(run: Run) -> None:
    del run.found.commands[run.practice_id, run.single.command_id]


def forget_the_start_of_a_draft(run: Run) -> None:
    draft = next(key for key, one in run.history.operations.items() if one.events == 0)
    del run.found.commands[draft]


def answer_with_another_position(run: Run) -> None:
    run.history.operations[run.practice_id, run.single.command_id].answers = {3}


def answer_twice_differently(run: Run) -> None:
    run.history.operations[run.practice_id, run.single.command_id].answers.add(3)


def do_it_twice(run: Run) -> None:
    _again(run, run.of(run.single), run.single.command_id)


def do_it_twice_without_an_answer(run: Run) -> None:
    for _ in range(2):
        _again(run, run.of(run.single), run.lost.command_id)


def do_half_of_it(run: Run) -> None:
    _again(run, run.of(run.triple)[:2], run.lost.command_id)
    run.history.operations[run.practice_id, run.lost.command_id].events = 3


def do_what_nobody_asked_for(run: Run) -> None:
    _again(run, run.of(run.single), uuid4())


def do_what_has_no_command(run: Run) -> None:
    _again(run, run.of(run.single), None)


def do_what_was_refused(run: Run) -> None:
    _again(run, run.of(run.single), run.refused.command_id)


def leave_a_hole(run: Run) -> None:
    for row in run.rows()[2:]:
        row["position"] += 1


def cut_the_tail(run: Run) -> None:
    del run.rows("access")[-1]


def skip_a_version(run: Run) -> None:
    run.of(run.triple)[-1]["version"] += 1


def begin_in_the_middle(run: Run) -> None:
    run.of(run.single)[0]["version"] = 2


def change_a_body(run: Run) -> None:
    run.rows()[0]["body"] = b"another body"


def turn_back_the_clock(run: Run) -> None:
    row = run.rows()[-1]
    row["recorded_at"] -= timedelta(days=1)
    row["leaf_hash"] = leaf_hash(row)


def forget_who_looked(run: Run) -> None:
    run.rows("access")[0]["correlation_id"] = uuid4()


FAULTS: dict[Callable[[Run], None], str] = {
    lose_an_answer: "lost",
    forget_a_command: "lost",
    forget_the_start_of_a_draft: "lost",
    answer_with_another_position: "misplaced",
    answer_twice_differently: "answered differently",
    do_it_twice: "doubled",
    do_it_twice_without_an_answer: "doubled",
    do_half_of_it: "torn",
    do_what_nobody_asked_for: "unexplained",
    do_what_has_no_command: "unexplained",
    do_what_was_refused: "unexplained",
    leave_a_hole: "hole",
    cut_the_tail: "head",
    skip_a_version: "versions",
    begin_in_the_middle: "versions",
    change_a_body: "leaf",
    turn_back_the_clock: "time",
    forget_who_looked: "untraced",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_it_objects_to(run: Run, fault: Callable[[Run], None]) -> None:
    fault(run)
    assert FAULTS[fault] in run.kinds()


def test_it_objects_to_a_projection_that_is_not_what_the_record_says(
    record: Record, untouched: Run
) -> None:
    Projector(
        record.database, record.practices, all_projections(record.keys, record.practices)
    ).run_until_caught_up()
    assert views.of_record(record) == []
    record.admin("DELETE FROM projection.client_search_v1")
    assert {one.kind for one in views.of_record(record)} == {"projection"}
