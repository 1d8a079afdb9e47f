"""Who writes while things break? Clerks, who ask again until they are told, or give up."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from time import monotonic, sleep
from uuid import UUID, uuid4

from domain.chart.aggregate import NOTE
from domain.client.aggregate import CLIENT
from domain.kernel.ids import PracticeId
from gateways.kms import KmsUnavailable
from projections.all import all_projections
from record.database import DatabaseUnavailable
from record.errors import AccessNotLogged, GateBusy
from record.gate import Append
from tests.faults import seals, views
from tests.faults.history import History
from tests.support.record import Record, context, plain, register, sign
from workers.projector import Projector
from workers.sealer import Sealer

OUTAGES = (DatabaseUnavailable, KmsUnavailable)
PATIENCE = 30.0
"""Seconds for anything to come about."""


@dataclass
class Clerk:
    """Appends, registers and reads in some practices, until told to stop."""

    record: Record
    practice_ids: list[PracticeId]
    history: History
    stop: Event
    seed: int
    streams: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)
    """Her own streams: which practice, at which version."""
    clients: list[tuple[PracticeId, UUID]] = field(default_factory=list)

    def run(self) -> None:
        """Works until told to stop; what has no answer by then is given up as unknown."""
        self.dice = random.Random(self.seed)
        while not self.stop.is_set():
            practice_id = self.dice.choice(self.practice_ids)
            acts = (self.append, self.register, self.sign, self.read)
            self.dice.choices(acts, (12, 3, 3, 2))[0](practice_id)

    def append(self, practice_id: PracticeId) -> None:
        """Rows without an envelope: one or three, of a new stream or one of her own."""
        stream, version = uuid4(), 0
        known = [one for one, place in self.streams.items() if place[0] == practice_id]
        if known and self.dice.random() < 0.3:
            stream = known[0]
            version = self.streams.pop(stream)[1]
        count = self.dice.choice((1, 1, 1, 3))
        events = [plain(stream, version + number) for number in range(1, count + 1)]
        by = context(practice_id)

        def ask() -> int:
            answer = self.record.gate.append(Append(practice_id, "record", events, by))
            assert answer.last is not None
            return answer.last

        # A stream of which she does not know where it stands she leaves alone.
        if self._until_answered(practice_id, by.command_id, count, stream, ask):
            self.streams[stream] = (practice_id, version + count)

    def register(self, practice_id: PracticeId) -> None:
        """A client, by a command that the rules decide on."""
        client_id, by = uuid4(), context(practice_id)
        command = register(client_id, by)

        def ask() -> int:
            practice = self.record.practices[practice_id]
            return practice.handle(CLIENT, client_id, command, by).position

        if self._until_answered(practice_id, by.command_id, 1, client_id, ask):
            self.clients.append((practice_id, client_id))

    def sign(self, practice_id: PracticeId) -> None:
        """A note on a chart of hers."""
        known = [client for where, client in self.clients if where == practice_id]
        if not known:
            return
        note_id, by = uuid4(), context(practice_id)
        command = sign(self.dice.choice(known), by)

        def ask() -> int:
            practice = self.record.practices[practice_id]
            return practice.handle(NOTE, note_id, command, by).position

        self._until_answered(practice_id, by.command_id, 1, note_id, ask)

    def read(self, practice_id: PracticeId) -> None:
        """A look at somebody: she is shown something only once it has been noted."""
        client_id, by = uuid4(), context(practice_id)
        try:
            self.record.accesses.note(by, "read", "chart", clients=[client_id])
        except AccessNotLogged:
            return
        self.history.read(practice_id, client_id, by.correlation_id)

    def _until_answered(
        self, practice_id: UUID, command_id: UUID, events: int, stream: UUID, ask: Callable[[], int]
    ) -> bool:
        operation = self.history.invoke(practice_id, command_id, events=events, stream_id=stream)
        while True:
            try:
                position = ask()
            except GateBusy:
                self.history.refused(operation)
            except OUTAGES:
                self.history.unanswered(operation)
                # Whether it was done stays unknown.
                if self.stop.is_set() or self.dice.random() < 0.2:
                    return False
            else:
                self.history.acknowledged(operation, position)
                return True


@contextmanager
def clerks_at_work(record: Record, history: History, count: int) -> Iterator[list[PracticeId]]:
    """So many clerks in two practices, until the block ends."""
    practice_ids = [record.new_practice() for _ in range(2)]
    stop = Event()
    with ThreadPoolExecutor(count) as pool:
        clerks = [Clerk(record, practice_ids, history, stop, seed) for seed in range(count)]
        working = [pool.submit(clerk.run) for clerk in clerks]
        try:
            yield practice_ids
        finally:
            stop.set()
        for each in working:
            each.result(PATIENCE)


@contextmanager
def workers_at_work(record: Record) -> Iterator[None]:
    """A projector and a sealer, until they have caught up with what the block has left."""
    projections = all_projections(record.keys, record.practices)
    projector = Projector(record.database, record.practices, projections, record.hints)
    with projector, Sealer(record.database, record.seals) as sealer:
        yield
        until(lambda: views.have_caught_up(record.ready.admin_url))
        until(lambda: seals.have_caught_up(record.ready.admin_url))
        assert sealer.broken == frozenset(), "a seal is called broken that is none"


def until(true: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Returns once it is true. Fails if that takes too long."""
    deadline = monotonic() + patience
    while not true():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.005)


def answers_again(history: History, fault: float) -> float:
    """Waits for an operation acknowledged from now on; returns the seconds since the fault."""
    now = monotonic()
    until(lambda: history.last_answer > now)
    return history.last_answer - fault
