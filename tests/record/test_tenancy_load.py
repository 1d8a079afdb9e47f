"""Do practices stay apart when twenty of them share five connections?"""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from deploy.database import Database as Ready
from domain.kernel.ids import PracticeId
from record.database import DatabaseUnavailable
from record.gate import Append, VersionConflict
from tests.support.record import Record, plain, record_on

PRACTICES = 20
REQUESTS = 10_000
THREADS = 10


def mark(practice_id: UUID) -> bytes:
    return b"of " + practice_id.bytes


class _Visitor:
    """Asks for random practices' rows, in every way there is, and counts what is not theirs."""

    def __init__(self, record: Record, everyone: list[PracticeId], seed: int) -> None:
        self.record, self.everyone = record, everyone
        self.dice = random.Random(seed)
        self.streams: dict[UUID, list[UUID]] = {one: [] for one in everyone}
        self.asked, self.foreign, self.appended = Counter[str](), 0, 0

    def visit(self, requests: int) -> None:
        acts = (self.append, self.log, self.stream, self.nobody, self.fail)
        for _ in range(requests):
            act = self.dice.choices(acts, weights=(30, 30, 30, 5, 5))[0]
            act(self.dice.choice(self.everyone))
            self.asked[act.__name__] += 1

    def append(self, practice_id: PracticeId) -> None:
        stream = uuid4()
        append = Append(practice_id, "record", [plain(stream, body=mark(practice_id))])
        self.record.gate.append(append)
        self.streams[practice_id].append(stream)
        self.appended += 1

    def log(self, practice_id: PracticeId) -> None:
        recorder = self.record.recorder(practice_id)
        first = self.dice.randint(1, 50)
        for row in recorder.select_entries(first, 10):
            self.foreign += row.state != mark(practice_id)

    def stream(self, practice_id: PracticeId) -> None:
        """A stream of its own, and one of another practice."""
        own = self.streams[practice_id]
        other = self.streams[self.dice.choice(self.everyone)]
        for stream in self.dice.sample(own, min(1, len(own))):
            events = self.record.recorder(practice_id).select_events(stream)
            assert [event.state for event in events] == [mark(practice_id)]
        for stream in self.dice.sample(other, min(1, len(other))):
            if stream not in own:
                self.foreign += len(self.record.recorder(practice_id).select_events(stream))

    def nobody(self, practice_id: PracticeId) -> None:
        """A statement outside any practice gets an error, whoever had the connection before."""
        del practice_id
        unset = (psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation)
        with self.record.database.connection() as connection, pytest.raises(unset):
            connection.execute("SELECT body FROM record.event LIMIT 5")

    def fail(self, practice_id: PracticeId) -> None:
        """A request that fails half-way gives its connection back clean."""
        with (
            pytest.raises(psycopg.errors.DivisionByZero),
            self.record.database.practice(practice_id) as connection,
        ):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(VersionConflict):
            self.record.gate.append(Append(practice_id, "record", [plain(version=9)]))


def test_ten_thousand_requests_of_twenty_practices_over_five_connections(
    module_database: Ready,
) -> None:
    with record_on(module_database, pool_size=5) as record:
        everyone = [record.new_practice() for _ in range(PRACTICES)]
        visitors = [_Visitor(record, everyone, seed) for seed in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(one.visit, REQUESTS // THREADS) for one in visitors]:
                done.result()
        assert record.database.pool.get_stats()["pool_max"] == 5

        asked = sum((one.asked for one in visitors), Counter[str]())
        assert asked.total() == REQUESTS
        assert min(asked.values()) > REQUESTS / 50
        assert sum(one.foreign for one in visitors) == 0
        # Each practice's log holds its own rows only, all of them.
        logs = [record.events(practice_id) for practice_id in everyone]
        assert sum(map(len, logs)) == sum(one.appended for one in visitors)
        for practice_id, rows in zip(everyone, logs, strict=True):
            assert {row["body"] for row in rows} == {mark(practice_id)}
            assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))


def test_whoever_finds_no_connection_in_time_is_told_to_come_back(module_database: Ready) -> None:
    with record_on(module_database, pool_size=2) as record:
        record.database.pool.timeout = 0.05
        with (
            record.database.connection(),
            record.database.connection(),
            pytest.raises(DatabaseUnavailable),
            record.database.connection(),
        ):
            pass
