"""How does a test say: given these facts, when this is asked, then those facts, or that refusal?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from domain.kernel.errors import DomainError
from domain.kernel.events import Act, Command, Decider, Event, Recorded
from domain.kernel.ids import ActorId
from domain.kernel.upcasting import read_event

E = TypeVar("E", bound=DomainError)


def stored(event: Event) -> bytes:
    """The body as the log keeps it."""
    return event.model_dump_json().encode()


def reread(event: Event) -> Event:
    """The event as it comes back from the log."""
    return read_event(event.type, stored(event))


@dataclass(frozen=True)
class Outcome:
    """What became of a command: events, or a refusal."""

    events: tuple[Event, ...] = ()
    refusal: DomainError | None = None

    def then(self, *expected: Event) -> None:
        """Exactly these events follow, and the log would give each back as it is."""
        assert self.refusal is None, f"refused: {self.refusal!r} {self.refusal.details}"
        assert self.events == expected
        assert tuple(reread(event) for event in self.events) == expected

    def refused(self, error: type[E], **details: object) -> E:
        """Nothing follows but this refusal, with these details; returns it for a closer look."""
        assert self.refusal is not None, f"allowed: {self.events}"
        assert type(self.refusal) is error, repr(self.refusal)
        assert self.refusal.details == details
        return self.refusal


@dataclass(frozen=True)
class Given:
    """A history, and the rules that judge what is asked next."""

    decider: Decider[Any]
    history: tuple[Event, ...]

    def when(self, command: Command) -> Outcome:
        """Asks, as the record does: fold what came back from the log, then decide."""
        state = self.decider.fold([reread(event) for event in self.history])
        try:
            return Outcome(events=tuple(self.decider.decide(state, command)))
        except DomainError as refusal:
            return Outcome(refusal=refusal)


@dataclass(frozen=True)
class Spec:
    """`Spec(NOTE).given(signed).when(retract).then(retracted)`."""

    decider: Decider[Any]

    def given(self, *events: Event) -> Given:
        """What has happened already."""
        return Given(self.decider, events)


def replay(decider: Decider[Any], commands: Iterable[Command]) -> list[Event]:
    """Asks one after the other, ignoring refusals, and returns the whole history."""
    history: list[Event] = []
    for command in commands:
        history.extend(Spec(decider).given(*history).when(command).events)
    return history


def recorded(
    events: Sequence[Event], *, stream_id: UUID, actor: ActorId, at: datetime | None = None
) -> list[Recorded]:
    """The events as a log would hand them over, all written by one person at one moment."""
    return [
        Recorded(
            position=number,
            stream_id=stream_id,
            version=number,
            event=event,
            subject=getattr(event, "client_id", None),
            actor=actor,
            role="clinician",
            purpose="treatment",
            occurred_at=event.occurred_at,
            recorded_at=at or datetime(2026, 3, 2, 12, tzinfo=UTC),
            leaf_hash=bytes(32),
        )
        for number, event in enumerate(events, start=1)
    ]


@dataclass
class Streams:
    """A record in memory: several acts are appended together, or none of them."""

    events: dict[UUID, list[Event]] = field(default_factory=dict)

    def state(self, decider: Decider[Any], stream_id: UUID) -> Any:
        """The state that the stream's events lead to."""
        return decider.fold(self.events.get(stream_id, []))

    def perform(self, *acts: Act) -> None:
        """Decides every act before it appends any. Raises what the rules raise."""
        appends = [
            (act, act.decider.decide(self.state(act.decider, act.stream_id), act.command))
            for act in acts
        ]
        for act, events in appends:
            self.events.setdefault(act.stream_id, []).extend(map(reread, events))
