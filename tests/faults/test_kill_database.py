"""Is anything acknowledged lost, or done twice, when PostgreSQL is killed while people write?"""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest

from domain.kernel.ids import PracticeId
from record.database import DatabaseUnavailable
from record.gate import Append
from tests.faults.conftest import Server
from tests.support.leaf import leaf_hash
from tests.support.record import Record, context, plain, record_on

pytestmark = pytest.mark.serial

KILLS = 5
WRITERS = 4
ANSWERS_WITHIN = 10.0
"""Seconds from the server's start to the first acknowledged append."""


@dataclass
class Writer:
    """Appends until told to stop; sends what got no answer again, with the same command id."""

    record: Record
    practice_ids: list[PracticeId]
    seed: int
    acknowledged: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)
    unknown: set[UUID] = field(default_factory=set)
    failures: int = 0
    last: float = 0.0

    def run(self, stop: Event) -> None:
        dice = random.Random(self.seed)
        while not stop.is_set():
            practice_id = dice.choice(self.practice_ids)
            by, stream = context(practice_id), uuid4()
            events = [plain(stream, 1 + number) for number in range(dice.choice((1, 1, 1, 3)))]
            while by.command_id not in self.acknowledged:
                try:
                    answer = self.record.gate.append(Append(practice_id, "record", events, by))
                except DatabaseUnavailable:
                    self.failures += 1
                    if dice.random() < 0.2:  # whether it was done stays unknown
                        self.unknown.add(by.command_id)
                        break
                else:
                    assert answer.last is not None
                    self.acknowledged[by.command_id] = (practice_id, answer.last)
                    self.last = monotonic()


def tail(record: Record, practice_id: PracticeId, done: Event) -> list[int]:
    """Reads on from the last position, through every outage."""
    recorder, seen = record.recorder(practice_id), [0]
    while True:
        was_done = done.wait(0.01)
        try:
            found = recorder.select_notifications(seen[-1], 20, inclusive_of_start=False)
        except DatabaseUnavailable:
            continue
        seen += [notification.id for notification in found]
        if was_done and not found:
            return seen[1:]


def kill_now_and_then(server: Server, writers: list[Writer]) -> None:
    dice = random.Random(7)
    for _ in range(KILLS):
        sleep(dice.uniform(0.3, 0.9))
        server.kill()
        server.cluster.start()
        started = monotonic()
        while max(writer.last for writer in writers) < started:
            assert monotonic() - started < ANSWERS_WITHIN, "the service does not come back"
            sleep(0.01)


def test_nothing_acknowledged_is_lost_and_nothing_done_twice(server: Server) -> None:
    with record_on(server.start()) as record:
        practice_ids = [record.new_practice() for _ in range(2)]
        writers = [Writer(record, practice_ids, seed) for seed in range(WRITERS)]
        stop, done = Event(), Event()
        with ThreadPoolExecutor(WRITERS + 2) as pool:
            writing = [pool.submit(writer.run, stop) for writer in writers]
            tails = [pool.submit(tail, record, one, done) for one in practice_ids]
            try:
                kill_now_and_then(server, writers)
                stop.set()
                for work in writing:
                    work.result()
            finally:
                stop.set()
                done.set()
            seen = [work.result() for work in tails]

        logs = [record.events(practice_id) for practice_id in practice_ids]
    check(practice_ids, logs, writers)
    assert seen == [[row["position"] for row in rows] for rows in logs]


def check(
    practice_ids: list[PracticeId],
    logs: list[list[dict[str, object]]],
    writers: list[Writer],
) -> None:
    acknowledged = {key: place for one in writers for key, place in one.acknowledged.items()}
    unknown = {key for one in writers for key in one.unknown}
    # The test has met what it is about: work done before, between and after the kills.
    assert len(acknowledged) > 100
    assert sum(one.failures for one in writers) >= KILLS

    stored: Counter[UUID] = Counter()
    last: dict[UUID, tuple[UUID, int]] = {}
    for practice_id, rows in zip(practice_ids, logs, strict=True):
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
        assert all(row["leaf_hash"] == leaf_hash(row) for row in rows)
        for row in rows:
            command_id, position = row["command_id"], row["position"]
            assert isinstance(command_id, UUID)
            assert isinstance(position, int)
            stored[command_id] += row["version"] == 1
            last[command_id] = (practice_id, position)
    assert stored.keys() >= acknowledged.keys(), "acknowledged, and lost"
    assert stored.keys() - acknowledged.keys() <= unknown, "stored, though nobody asked"
    assert set(stored.values()) == {1}, "done twice"
    assert {key: last[key] for key in acknowledged} == acknowledged, "answered wrongly"
