"""Does each caller get the outcome she would have got alone, whoever shares her round?"""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4, uuid5

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.kernel.ids import CommandId, PracticeId
from record import rounds
from record.database import Database, DatabaseUnavailable
from record.errors import GateBusy, IdempotencyMismatch
from record.gate import Answer, Append, Gate, VersionConflict, _waiter
from tests.support.record import Record, context, held_up, plain, until

Outcome = Answer | Exception


def all_in_one_round(
    record: Record, practice_id: PracticeId, appends: Sequence[Append]
) -> list[Outcome]:
    """The callers come in this order while a first append is held up, and so wait together."""

    def ask(append: Append) -> Outcome:
        try:
            return record.gate.append(append)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error

    with ThreadPoolExecutor(len(appends) + 1) as pool:
        asked: list[Future[Outcome]] = []
        with held_up(record, practice_id) as is_met:
            first = pool.submit(ask, Append(practice_id, "record", [plain()]))
            until(is_met)
            for append in appends:
                asked.append(pool.submit(ask, append))
                until(lambda: record.gate.waiting == len(asked))
        assert isinstance(first.result(), Answer)
        return [one.result() for one in asked]


# -- as if one after another -------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3),
        st.integers(0, 5),
        st.sampled_from(["one body", "other body"]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=12,
)
"""Events as (stream, version), command, digest, practice."""


@dataclass
class Model:
    """What the log holds when the appends come one after another, in Python."""

    versions: dict[UUID, int] = field(default_factory=dict)
    commands: dict[UUID, tuple[bytes, UUID, int]] = field(default_factory=dict)

    def append(self, append: Append) -> tuple[str, UUID, int]:
        by = append.context
        assert by is not None
        known = self.commands.get(by.command_id)
        if known is not None:
            return ("duplicate" if known[0] == by.digest else "mismatch", *known[1:])
        versions = dict[UUID, int]()
        for event in append.events:
            stream = event.originator_id
            assert isinstance(stream, UUID)
            before = versions.get(stream, self.versions.get(stream))
            follows = (0, 1) if before is None else (before + 1,)
            if event.originator_version not in follows:
                return "conflict", stream, self.versions.get(stream, 0)
            versions[stream] = event.originator_version
        self.versions |= versions
        first = append.events[0].originator_id
        assert isinstance(first, UUID)
        self.commands[by.command_id] = (by.digest, first, versions[first])
        return "accepted", first, versions[first]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_together_is_as_one_after_another(
    record: Record, steps: list[tuple[list[tuple[int, int]], int, str, int]]
) -> None:
    practices = [record.new_practice(), record.new_practice()]
    appends = []
    for events, command, digest, number in steps:
        practice_id = practices[number]
        by = context(practice_id).model_copy(
            update={
                "command_id": CommandId(uuid5(practice_id, f"command {command}")),
                "digest": digest.encode(),
            }
        )
        rows = [plain(uuid5(practice_id, f"stream {one}"), version) for one, version in events]
        appends.append(Append(practice_id, "record", rows, by))

    outcomes = all_in_one_round(record, practices[0], appends)

    model = Model()
    for append, outcome in zip(appends, outcomes, strict=True):
        kind, stream, version = model.append(append)
        match outcome:
            case Answer():
                assert (outcome.outcome, outcome.stream_id, outcome.version) == (
                    kind, stream, version,
                )  # fmt: skip
            case VersionConflict():
                assert (kind, stream, version) == ("conflict", outcome.stream_id, outcome.version)
            case _:
                assert (kind, type(outcome)) == ("mismatch", IdempotencyMismatch)
    for number, practice_id in enumerate(practices):
        accepted = [
            one for one, append in zip(outcomes, appends, strict=True)
            if append.practice_id == practice_id and isinstance(one, Answer)
            and one.outcome == "accepted"
        ]  # fmt: skip
        check_places(record, practice_id, accepted, others=1 - number)


def check_places(
    record: Record, practice_id: PracticeId, accepted: Sequence[Answer], *, others: int
) -> None:
    """Positions run 1..N, and each accepted append holds the places it was told."""
    rows = record.events(practice_id)
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    taken = [
        position
        for answer in accepted
        if answer.first is not None and answer.last is not None
        for position in range(answer.first, answer.last + 1)
    ]
    assert len(taken) == len(set(taken)) == len(rows) - others
    assert set(taken) <= {row["position"] for row in rows}


def test_what_the_function_would_refuse_together_never_goes_together(
    practice_id: PracticeId,
) -> None:
    stream, by = uuid4(), context(practice_id)
    first = _waiter(Append(practice_id, "record", [plain(stream), plain()], by))
    for second in (
        Append(practice_id, "record", [plain(), plain(stream, 2)], context(practice_id)),
        Append(practice_id, "record", [plain()], by),
    ):
        assert first.keys & _waiter(second).keys


# -- one by one where it must be ---------------------------------------------------------------


def test_only_who_is_at_fault_learns_of_a_fault(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    stranger, diary = uuid4(), "diary"
    malformed = Append(practice_id, "record", [plain(kind="no\x00type")])
    appends = [
        Append(practice_id, "record", [plain()], context(practice_id)),
        Append(PracticeId(stranger), "record", [plain()]),
        Append(other_id, "record", [plain(), plain()], context(other_id)),
        malformed,
        Append(practice_id, "record", [plain(version=7)]),
        Append(practice_id, diary, [plain()]),
        Append(practice_id, "access", [plain()], context(practice_id)),
    ]
    kinds = [type(one) for one in all_in_one_round(record, practice_id, appends)]
    assert kinds == [
        Answer, psycopg.errors.ForeignKeyViolation, Answer, psycopg.DataError,
        VersionConflict, psycopg.errors.ForeignKeyViolation, Answer,
    ]  # fmt: skip
    assert [len(record.events(one)) for one in (practice_id, other_id)] == [2, 2]
    assert len(record.events(practice_id, "access")) == 1


def test_a_round_that_gets_no_answer_gives_none_to_any_and_the_next_one_does(
    record: Record, practice_id: PracticeId
) -> None:
    appends = [Append(practice_id, "record", [plain()], context(practice_id)) for _ in range(5)]
    with ThreadPoolExecutor(6) as pool, held_up(record, practice_id) as is_met:
        first = pool.submit(record.gate.append, Append(practice_id, "record", [plain()]))
        until(is_met)
        asked = [pool.submit(record.gate.append, append) for append in appends]
        until(lambda: record.gate.waiting == 5)
        record.cut_appends()
        assert isinstance(first.exception(10), DatabaseUnavailable)
        # They were in no call yet: theirs is the next, over a new connection.
        until(is_met)
        assert not any(one.done() for one in asked)
        record.cut_appends()
        assert {type(one.exception(10)) for one in asked} == {DatabaseUnavailable}
    # Whether it was done is asked by sending it again.
    again = [record.gate.append(append).outcome for append in appends]
    assert again == ["accepted"] * 5


def test_a_connection_lost_while_nobody_appended_costs_nobody_an_append(
    record: Record, practice_id: PracticeId
) -> None:
    append = Append(practice_id, "record", [plain()])
    for positions in (1, 2, 3):
        assert record.gate.append(append).last == positions
        append = Append(practice_id, "record", [plain()])
        record.practices[practice_id].position()  # of the pool that reads
        assert record.cut_all() >= 2
        assert record.practices[practice_id].position() == positions


def test_without_a_connection_all_who_wait_are_told_at_once(
    record: Record, practice_id: PracticeId
) -> None:
    with Database(record.ready.app_url, size=1) as database:
        gate = Gate(database)
        database.pool.timeout = 0.5
        append = Append(practice_id, "record", [plain()])
        with ThreadPoolExecutor(4) as pool:
            with database.connection():
                asked = [pool.submit(gate.append, append) for _ in range(4)]
                errors = [one.exception(10) for one in asked]
            assert {type(error) for error in errors} == {DatabaseUnavailable}
        # One of them asked for a connection, for all.
        assert database.pool.get_stats()["requests_errors"] < 4
        assert gate.append(append).outcome == "accepted"
    # The process shuts down: who is late gets an answer too.
    with pytest.raises(DatabaseUnavailable):
        gate.append(append)


def test_what_cannot_wait_is_refused_and_nothing_done(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "WAITING_COUNT", 2)
    with ThreadPoolExecutor(3) as pool, held_up(record, practice_id) as is_met:
        asked = [pool.submit(record.gate.append, Append(practice_id, "record", [plain()]))]
        until(is_met)
        for _ in range(2):
            asked.append(pool.submit(record.gate.append, Append(practice_id, "record", [plain()])))
            until(lambda: record.gate.waiting == len(asked) - 1)
        with pytest.raises(GateBusy):
            record.gate.append(Append(practice_id, "record", [plain()]))
    assert [one.result().outcome for one in asked] == ["accepted"] * 3
    assert len(record.events(practice_id)) == 3


def test_a_forked_child_is_refused_before_it_reads_its_parents_answers(record: Record) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            record.gate.append(Append(uuid4(), "record", [plain()]))
        except RuntimeError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert b"before a fork" in os.read(reader, 1000)
    os.close(reader)
    os.close(writer)
