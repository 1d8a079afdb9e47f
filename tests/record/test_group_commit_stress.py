"""Many callers, several practices, connections cut at random: is each answered once, and truly?"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock
from uuid import UUID, uuid4

import psycopg

from domain.kernel.events import Context
from domain.kernel.ids import PracticeId
from record.database import DatabaseUnavailable
from record.errors import IdempotencyMismatch
from record.gate import Answer, Append, VersionConflict
from tests.support.leaf import leaf_hash
from tests.support.record import Record, context, plain, until

CALLERS = 16
CALLS = 60
PRACTICES = 3
CUTS = 8


@dataclass
class World:
    """What all callers know: the answers so far."""

    record: Record
    practices: list[PracticeId]
    shared: dict[PracticeId, list[UUID]]
    lock: Lock = field(default_factory=Lock)
    answered: list[tuple[Append, Answer]] = field(default_factory=list)
    versions: Counter[UUID] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, append: Append, answer: Answer | None = None) -> None:
        with self.lock:
            self.counts[kind] += 1
            if answer is not None:
                self.answered.append((append, answer))
                for event in append.events:
                    stream = event.originator_id
                    assert isinstance(stream, UUID)
                    known = self.versions[stream]
                    self.versions[stream] = max(known, event.originator_version)


class Caller:
    """One of many; checks what can be said of each outcome alone."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.own = {practice_id: [uuid4(), 0] for practice_id in world.practices}

    def run(self) -> None:
        acts: list[Callable[[PracticeId], None]] = [
            self.follow, self.follow, self.race, self.race, self.repeat, self.mistake, self.stray,
        ]  # fmt: skip
        for _ in range(CALLS):
            self.dice.choice(acts)(self.dice.choice(self.world.practices))

    def append(self, append: Append) -> Answer:
        """Asks again, with the same command id, until there is an answer."""
        while True:
            try:
                return self.world.record.gate.append(append)
            except DatabaseUnavailable:
                self.world.note("unknown", append)

    def follow(self, practice_id: PracticeId) -> None:
        """The next versions of a stream of her own, with others now and then: never refused."""
        stream, version = self.own[practice_id]
        assert isinstance(stream, UUID)
        assert isinstance(version, int)
        events = [plain(stream, version + 1)]
        if self.dice.random() < 0.3:
            events += [plain(), plain(stream, version + 2), plain()]
        self.own[practice_id][1] = version + len(events) // 2 + len(events) % 2
        append = Append(practice_id, "record", events, context(practice_id))
        answer = self.append(append)
        # Done when the connection was cut, it is told so the second time.
        assert answer.outcome in {"accepted", "duplicate"}
        assert answer.stream_id == stream
        assert answer.version == self.own[practice_id][1]
        self.world.note("accepted", append, answer)

    def race(self, practice_id: PracticeId) -> None:
        """A version of a stream that all write to."""
        stream = self.dice.choice(self.world.shared[practice_id])
        known = self.world.versions[stream]
        wanted = known + self.dice.choice((1, 1, 1, 2))
        append = Append(practice_id, "record", [plain(stream, wanted)], context(practice_id))
        try:
            answer = self.append(append)
        except VersionConflict as conflict:
            self.world.note("conflict", append)
            is_right = conflict.stream_id == stream and known <= conflict.version != wanted - 1
        else:
            self.world.note("accepted", append, answer)
            is_right = (answer.stream_id, answer.version) == (stream, wanted)
        assert is_right

    def repeat(self, _: PracticeId) -> None:
        """A command that somebody was answered before."""
        if not self.world.answered:
            return
        append, first = self.dice.choice(self.world.answered)
        again = self.append(append)
        assert again == Answer("duplicate", first.stream_id, first.version, None, first.last)
        self.world.note("duplicate", append)

    def mistake(self, _: PracticeId) -> None:
        """The command id of another request."""
        if not self.world.answered:
            return
        append, _first = self.dice.choice(self.world.answered)
        assert isinstance(append.context, Context)
        other = append.context.model_copy(update={"digest": b"another request"})
        wrong = Append(append.practice_id, "record", [plain()], other)
        try:
            self.append(wrong)
        except IdempotencyMismatch:
            self.world.note("mismatch", wrong)
        else:
            raise AssertionError("one id served two requests")

    def stray(self, _: PracticeId) -> None:
        """A practice that does not exist: nobody else may suffer from it."""
        nowhere = Append(uuid4(), "record", [plain()])
        try:
            self.append(nowhere)
        except psycopg.errors.ForeignKeyViolation:
            self.world.note("stray", nowhere)
        else:
            raise AssertionError("appended to no practice")


def cut_connections(world: World, done: Event) -> None:
    """Ends the gate's connection again and again, each time after some more were answered."""

    def have_come_to(share: float) -> bool:
        return sum(world.counts.values()) >= share or done.is_set()

    for cut in range(1, CUTS + 1):
        until(partial(have_come_to, cut * CALLERS * CALLS / (CUTS + 1)))
        world.record.cut_appends()


def test_each_is_answered_once_and_truly(record: Record) -> None:
    practices = [record.new_practice() for _ in range(PRACTICES)]
    world = World(record, practices, {one: [uuid4(), uuid4()] for one in practices})
    done = Event()
    with ThreadPoolExecutor(CALLERS + 1) as pool:
        cutting = pool.submit(cut_connections, world, done)
        callers = [pool.submit(Caller(world, seed).run) for seed in range(CALLERS)]
        try:
            for caller in callers:
                caller.result()
        finally:
            done.set()
        cutting.result()

    # The test has met what it is about.
    assert min(world.counts[kind] for kind in ("conflict", "duplicate", "mismatch", "stray")) > 20
    assert world.counts["unknown"] >= CUTS // 2

    answers = {append.context: answer for append, answer in world.answered}
    assert len(answers) == len(world.answered)
    stored = 0
    for practice_id in practices:
        rows = record.events(practice_id)
        stored += len(rows)
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
        assert all(row["leaf_hash"] == leaf_hash(row) for row in rows)
        versions, places = Counter[UUID](), defaultdict[UUID, list[int]](list)
        for row in rows:
            versions[row["stream_id"]] += 1
            assert row["version"] == versions[row["stream_id"]]
            places[row["command_id"]].append(row["position"])
        mine = [
            (append, one) for append, one in world.answered if append.practice_id == practice_id
        ]
        for append, answer in mine:
            assert append.context is not None
            assert answer.last is not None
            count = len(append.events)
            held = list(range(answer.last - count + 1, answer.last + 1))
            assert places.pop(append.context.command_id) == held
            assert answer.first in {held[0], None}
        assert not places, "stored, though nobody was told"
    assert stored == sum(len(append.events) for append, _ in world.answered)
