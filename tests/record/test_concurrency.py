"""Do many writers leave one order that every reader sees whole?"""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Barrier, Event
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from domain.client.aggregate import CLIENT, ClientAlreadyRegistered
from domain.kernel.events import Context
from domain.kernel.ids import PracticeId
from record.database import Database
from record.errors import IdempotencyMismatch, StaleVersion
from record.gate import Answer, Append, Gate, VersionConflict
from record.practice import Written
from record.recorder import PracticeSubscription
from tests.support.leaf import leaf_hash
from tests.support.record import Record, context, plain, register

T = TypeVar("T")
WRITERS = 8
APPENDS = 500


def at_once(*works: Callable[[], T]) -> list[T | Exception]:
    """Does all of them as nearly at the same moment as threads can."""
    start = Barrier(len(works))

    def work(one: Callable[[], T]) -> T | Exception:
        start.wait()
        try:
            return one()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, works))


def write_many(record: Record, practice_id: PracticeId, shared: UUID, seed: int) -> int:
    """Appends to streams of its own, several at once now and then, and races for a shared one."""
    dice, events, version = random.Random(seed), 0, 0
    own = uuid4()
    for _ in range(APPENDS):
        version += 1
        append = [plain(own, version)]
        if dice.random() < 0.1:
            append += [plain(), plain()]
        record.gate.append(Append(practice_id, "record", append))
        events += len(append)
        if dice.random() < 0.05:
            try:
                record.gate.append(
                    Append(practice_id, "record", [plain(shared, dice.randint(1, 60)), plain()])
                )
            except VersionConflict:
                continue
            events += 2
    return events


def follow(
    record: Record, practice_id: PracticeId, limit: int, done: Event, pause: float
) -> list[int]:
    """Reads from the last position on, a few at a time, until the writers are done."""
    recorder, seen = record.recorder(practice_id), list[int]()
    while True:
        was_done = done.wait(pause)
        found = recorder.select_notifications(
            seen[-1] if seen else None, limit, inclusive_of_start=False
        )
        seen += [notification.id for notification in found]
        if was_done and not found:
            return seen


def iterate(subscription: PracticeSubscription, last: UUID) -> list[int]:
    """Iterates until the event that the test ends with, or until it is told to stop."""
    seen = []
    with subscription:
        for notification in subscription:
            seen.append(notification.id)
            if notification.originator_id == last:
                break
    return seen


def test_eight_writers_leave_no_hole_and_no_reader_skips_one(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.recorder.READ_LIMIT", 7)
    shared, last, done = uuid4(), uuid4(), Event()
    with ExitStack() as stack, ThreadPoolExecutor(WRITERS + 6) as pool:
        # Gates of their own, as in processes of their own: one gate appends for one at a time.
        gates = [
            Gate(stack.enter_context(Database(record.ready.app_url, size=1)), record.hints.send)
            for _ in range(WRITERS // 2)
        ]
        tails = [
            pool.submit(follow, record, practice_id, limit, done, pause)
            for limit, pause in ((5, 0.002), (17, 0.005), (100, 0.02))
        ]
        subscriptions = [record.recorder(practice_id).subscribe() for _ in range(3)]
        subscribers = [pool.submit(iterate, one, last) for one in subscriptions]
        writers = [
            pool.submit(
                write_many, replace(record, gate=gates[seed // 2]), practice_id, shared, seed
            )
            for seed in range(WRITERS)
        ]
        try:
            count = sum(writer.result() for writer in writers) + 1
            record.gate.append(Append(practice_id, "record", [plain(last)]))
        except BaseException:
            for subscription in subscriptions:
                subscription.stop()
            raise
        finally:
            done.set()
        seen = [reader.result() for reader in (*tails, *subscribers)]

    rows = record.events(practice_id)
    assert count > WRITERS * APPENDS
    assert [row["position"] for row in rows] == list(range(1, count + 1))
    assert record.recorder(practice_id).max_notification_id() == count
    for one in seen:
        assert one == list(range(1, count + 1))
    # Within a stream, versions follow positions without a hole.
    versions = Counter[UUID]()
    for row in rows:
        versions[row["stream_id"]] += 1
        assert row["version"] == versions[row["stream_id"]]
    assert versions[shared] > 0
    # Time never runs backwards, and the hash is what the format says.
    times = [row["recorded_at"] for row in rows]
    assert times == sorted(times)
    assert all(row["leaf_hash"] == leaf_hash(row) for row in rows)


def test_of_many_who_write_the_next_version_one_does(
    record: Record, practice_id: PracticeId
) -> None:
    stream = uuid4()
    answers = at_once(
        *[
            lambda: record.gate.append(
                Append(practice_id, "record", [plain(stream)], context(practice_id))
            )
        ]
        * 16
    )
    refused = [answer for answer in answers if isinstance(answer, VersionConflict)]
    assert len(refused) == 15
    assert {(conflict.stream_id, conflict.version) for conflict in refused} == {(stream, 1)}
    assert len(record.events(practice_id)) == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_same_command_sent_many_times_at_once_has_one_effect(
    record: Record, practice_id: PracticeId, count: int
) -> None:
    by = context(practice_id)
    answers = at_once(
        *[
            lambda: record.gate.append(
                Append(practice_id, "record", [plain() for _ in range(count)], by)
            )
        ]
        * 16
    )
    outcomes = Counter(getattr(answer, "outcome", answer) for answer in answers)
    assert outcomes == {"accepted": 1, "duplicate": 15}
    assert {(a.stream_id, a.version, a.last) for a in answers if not isinstance(a, Exception)} == {
        (record.events(practice_id)[0]["stream_id"], 1, count)
    }
    assert len(record.events(practice_id)) == count


def test_a_command_handled_many_times_at_once_is_answered_alike(
    record: Record, practice_id: PracticeId
) -> None:
    """Also where the rules refuse a second one: a client cannot be registered twice."""
    practice = record.practices[practice_id]
    for _ in range(5):
        by, client = context(practice_id), uuid4()

        handle = partial(practice.handle, CLIENT, client, register(client, by), by)
        answers = at_once(*[handle] * 8)
        written = record.events(practice_id)[-1]
        assert answers == [Written(client, 1, written["position"])] * 8
        assert written["stream_id"] == client
    assert len(record.events(practice_id)) == 5


def test_one_id_for_two_requests_at_once_does_one_and_refuses_the_other(
    record: Record, practice_id: PracticeId
) -> None:
    def ask(by: Context) -> Answer:
        return record.gate.append(Append(practice_id, "record", [plain()], by))

    for _ in range(10):
        one = context(practice_id)
        other = one.model_copy(update={"digest": b"another request"})
        answers = at_once(partial(ask, one), partial(ask, other))
        kinds = [type(answer).__name__ for answer in answers]
        assert sorted(kinds) == ["Answer", "IdempotencyMismatch"]
    assert len(record.events(practice_id)) == 10


def test_two_who_act_on_what_they_saw(record: Record, practice_id: PracticeId) -> None:
    """Who says which version she saw gets a conflict; who does not is decided again."""
    practice, client = record.practices[practice_id], uuid4()
    by = context(practice_id)
    assert practice.handle(CLIENT, client, register(client, by), by).version == 1
    late = context(practice_id)
    with pytest.raises(StaleVersion) as stale:
        practice.handle(CLIENT, client, register(client, late), late, expected=0)
    assert stale.value.details == {"current_version": 1}
    with pytest.raises(ClientAlreadyRegistered):
        practice.handle(CLIENT, client, register(client, late), late)
    mistaken = by.model_copy(update={"digest": b"another request"})
    with pytest.raises(IdempotencyMismatch):
        practice.handle(CLIENT, client, register(client, by, "Bea"), mistaken)
    # The first request again is no conflict, whatever version it names.
    again = practice.handle(CLIENT, client, register(client, by), by, expected=0)
    assert (again.version, again.position) == (1, 1)
