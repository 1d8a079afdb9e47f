"""What happens at a demo practice, and when? A clock, a pen, and people who take turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any
from uuid import UUID

from domain.kernel.events import Act, Command, Context, Decider, Event, Recorded
from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId
from record.access import Accessed, Action, Outcome
from record.envelope import Pending

Process = Iterator[datetime]
"""Somebody's doings: each `yield` waits until that moment."""

_RANDOM_BITS = 74
_LOW = (1 << 62) - 1
_VARIANT = 0b10 << 62
_VERSION = 7 << 76
ORIGIN = "10.0.4.{} Mozilla/5.0 (demo)"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who acts: her id, her role, and what the permissions of that role are used for."""

    id: ActorId
    role: str
    name: str
    desk: int = 0
    does: tuple[str, ...] = ()


@dataclass(slots=True)
class Stream:
    """One history as it grows."""

    decider: Decider[Any]
    id: UUID
    state: Any
    history: list[Recorded] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Deed:
    """What one person did at one moment: events of one log, not sealed yet."""

    at: datetime
    log: str
    context: Context
    events: tuple[Pending, ...]


class Desk:
    """Lets processes act in the order of time, and hands on what they did.

    `tick` rounds moments up, so that much of a large practice happens at the same moment and can
    be written in one go.
    """

    def __init__(
        self, practice_id: PracticeId, dice: Random, start: datetime, tick: timedelta | None = None
    ) -> None:
        self.practice_id = practice_id
        self.dice = dice
        self.start = start
        self.now = start
        self._millis = int(start.timestamp() * 1000)
        self.positions = {"record": 0, "access": 0}
        self._tick = tick
        self._turns: list[tuple[datetime, int, Process]] = []
        self._begun = 0
        self._done: list[Deed] = []
        self._contexts: dict[ActorId, Context] = {}

    def begin(self, at: datetime, process: Process) -> None:
        """Lets somebody start at a moment."""
        self._begun += 1
        heappush(self._turns, (self._rounded(at), self._begun, process))

    def run(self, until: datetime) -> Iterator[Deed]:
        """All that is done before a moment, in order."""
        while self._turns and self._turns[0][0] < until:
            self.now, number, process = heappop(self._turns)
            self._millis = int(self.now.timestamp() * 1000)
            wake = next(process, None)
            if wake is not None:
                heappush(self._turns, (max(self._rounded(wake), self.now), number, process))
            yield from self._done
            self._done.clear()

    def new_id(self) -> UUID:
        """A version 7 UUID of this moment, the same in every run."""
        bits = self.dice.getrandbits(_RANDOM_BITS)
        high, low = bits >> 62, bits & _LOW
        return UUID(int=self._millis << 80 | _VERSION | high << 64 | _VARIANT | low)

    def open(self, decider: Decider[Any]) -> Stream:
        """A history that has not begun yet."""
        return Stream(decider, self.new_id(), decider.initial)

    def ask(self, by: Member, stream: Stream, command: Command) -> None:
        """One command on one stream. Raises what the decider raises."""
        self.ask_all(by, (Act(stream.decider, stream.id, command),), stream)

    def ask_all(self, by: Member, acts: Sequence[Act], *streams: Stream) -> None:
        """Several acts on these streams, all or none. Raises what the deciders raise."""
        known = {stream.id: stream for stream in streams}
        decided = [
            (stream, stream.decider.decide(stream.state, act.command))
            for act in acts
            for stream in (known[act.stream_id],)
        ]
        context = self._context(by)
        pending: list[Pending] = []
        for stream, events in decided:
            for event in events:
                self.positions["record"] += 1
                stream.state = stream.decider.evolve(stream.state, event)
                stream.history.append(self._recorded(stream, event, by))
                pending.append(Pending(stream.id, len(stream.history), event))
        self._done.append(Deed(self.now, "record", context, tuple(pending)))

    def look(
        self,
        by: Member,
        action: Action,
        what: str,
        clients: Sequence[UUID | None],
        *,
        thing_id: UUID | None = None,
        outcome: Outcome = "allowed",
    ) -> None:
        """Notes that somebody saw something, or was refused it."""
        entries = tuple(
            Pending(
                self.new_id(),
                1,
                Accessed(
                    occurred_at=self.now,
                    client_id=None if client is None else ClientId(client),
                    action=action,
                    what=what,
                    outcome=outcome,
                    thing_id=thing_id,
                    origin=ORIGIN.format(by.desk),
                ),
            )
            for client in clients
        )
        self.positions["access"] += len(entries)
        self._done.append(Deed(self.now, "access", self._context(by), entries))

    def _rounded(self, at: datetime) -> datetime:
        if self._tick is None:
            return at
        return at + (self.start - at) % self._tick

    def _context(self, by: Member) -> Context:
        known = self._contexts.get(by.id)
        if known is None:
            known = self._contexts[by.id] = Context(
                practice_id=self.practice_id,
                actor_id=by.id,
                role=by.role,
                at=self.now,
                command_id=CommandId(self.new_id()),
                correlation_id=self.new_id(),
                purpose="audit" if by.role == "auditor" else "treatment",
            )
        # Copied, not checked again: there are very many, of few people.
        return known.model_copy(
            update={
                "at": self.now,
                "command_id": self.new_id(),
                "correlation_id": self.new_id(),
            }
        )

    def _recorded(self, stream: Stream, event: Event, by: Member) -> Recorded:
        return Recorded(
            position=self.positions["record"],
            stream_id=stream.id,
            version=len(stream.history) + 1,
            event=event,
            subject=getattr(event, "client_id", None),
            actor=by.id,
            role=by.role,
            purpose="treatment",
            occurred_at=event.occurred_at,
            recorded_at=self.now,
            leaf_hash=b"",
        )
