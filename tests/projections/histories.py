"""Which histories can a client's record have? Whatever the rules allow, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from domain.chart.aggregate import NOTE
from domain.chart.commands import AddAddendum, CorrectNote, LockNote, RetractNote, SignNote
from domain.chart.events import Sections
from domain.client.aggregate import CLIENT
from domain.client.commands import (
    ChangeContactDetails,
    RecordDeath,
    RegisterClient,
    WithdrawDeath,
)
from domain.client.events import Details
from domain.kernel.errors import DomainError
from domain.kernel.events import Act, Command, Recorded
from domain.kernel.ids import ActorId, ClientId, NoteId
from domain.usecases.merge_clients import merge, unmerge
from domain.usecases.reassign_note import reassign

START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANA: Final = ClientId(UUID(int=1))
LARS: Final = ClientId(UUID(int=2))
WRITER: Final = ActorId(UUID(int=99))

Step = tuple[str, int, str]
STEPS: Final = (
    "sign", "late", "draft_sign", "lock", "correct", "add", "retract", "move", "merge", "unmerge",
    "rename", "die", "live",
)  # fmt: skip

histories = st.lists(
    st.tuples(
        st.sampled_from(STEPS), st.integers(0, 5), st.text("abc \u00e9\n", min_size=1, max_size=8)
    ),
    max_size=15,
)


@dataclass
class History:
    """A record in memory: what the rules refuse does not happen."""

    log: list[Recorded] = field(default_factory=list)
    notes: list[NoteId] = field(default_factory=list)

    def stream(self, stream_id: UUID) -> list[Recorded]:
        return [one for one in self.log if one.stream_id == stream_id]

    def of(self, client_id: UUID) -> list[Recorded]:
        return [one for one in self.log if one.subject == client_id]

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=len(self.log))

    def ask(self, *acts: Act) -> None:
        """All of their events, at one moment, or none."""
        at, decided = self.now, []
        for act in acts:
            stream = self.stream(act.stream_id)
            state = act.decider.fold([one.event for one in stream])
            events = act.decider.decide(state, act.command)
            decided += [(act.stream_id, len(stream) + n, one) for n, one in enumerate(events, 1)]
        for stream_id, version, event in decided:
            self.log.append(
                Recorded(
                    position=len(self.log) + 1,
                    stream_id=stream_id,
                    version=version,
                    event=event,
                    subject=getattr(event, "client_id", None),
                    actor=WRITER,
                    role="clinician",
                    purpose="treatment",
                    occurred_at=event.occurred_at,
                    recorded_at=at,
                    leaf_hash=bytes(32),
                )
            )


def happened(steps: Sequence[Step]) -> History:
    """Two registered clients, and what the steps make of them."""
    history = History()
    for client_id, name in ((ANA, "Ana"), (LARS, "Lars")):
        details = Details(given_name=name, family_name="Bell", birth_date=START.date())
        history.ask(
            Act(
                CLIENT,
                client_id,
                RegisterClient(by=WRITER, at=history.now, client_id=client_id, details=details),
            )
        )
    for step in steps:
        try:
            history.ask(*_acts(history, *step))
        except DomainError:
            continue
    return history


def _acts(history: History, what: str, number: int, text: str) -> Sequence[Act]:
    client, other = (ANA, LARS) if number % 2 else (LARS, ANA)
    common: dict[str, Any] = {"by": WRITER, "at": history.now}
    reason = text.strip() or "A reason"
    acts: Sequence[Act] = ()
    match what:
        case "sign" | "late" | "draft_sign":
            acts = (_sign(history, client, what, text),)
        case "merge":
            acts = merge(client, other, reason, **common)
        case "unmerge":
            acts = unmerge(client, other, reason, **common)
        case "rename":
            name = reason.replace("\n", " ")
            acts = (Act(CLIENT, client, ChangeContactDetails(**common, given_name=name)),)
        case "die":
            day = history.now.date()
            acts = (Act(CLIENT, client, RecordDeath(**common, died_on=day, source=reason)),)
        case "live":
            acts = (Act(CLIENT, client, WithdrawDeath(**common, reason=reason)),)
        case _ if history.notes:
            acts = _on_note(history, what, number, text)
    return acts


def _sign(history: History, client: ClientId, what: str, text: str) -> Act:
    note_id = NoteId(UUID(int=1000 + len(history.notes)))
    history.notes.append(note_id)
    late = timedelta(days=3 if what == "late" else 0, minutes=len(history.notes) % 3)
    command = SignNote(
        by=WRITER,
        at=history.now,
        client_id=client,
        sections=Sections(subjective=text, plan="Review."),
        occurred_at=history.now - late,
        lock=what != "draft_sign",
    )
    return Act(NOTE, note_id, command)


def _on_note(history: History, what: str, number: int, text: str) -> Sequence[Act]:
    note_id = history.notes[number % len(history.notes)]
    common: dict[str, Any] = {"by": WRITER, "at": history.now}
    reason = text.strip() or "A reason"
    command: Command
    match what:
        case "lock":
            command = LockNote(**common)
        case "correct":
            command = CorrectNote(**common, changes={"subjective": f"{text}!"}, reason=reason)
        case "add":
            command = AddAddendum(**common, text=reason)
        case "retract":
            command = RetractNote(**common, reason=reason)
        case _:
            return _move(history, note_id, number, reason)
    return (Act(NOTE, note_id, command),)


def _move(history: History, note_id: NoteId, number: int, reason: str) -> Sequence[Act]:
    successor = NoteId(UUID(int=1000 + len(history.notes)))
    stream = history.stream(note_id)
    to_client = CLIENT.fold([one.event for one in history.stream(ANA if number % 2 else LARS)])
    acts = reassign(stream, note_id, successor, to_client, reason, by=WRITER, at=history.now)
    history.notes.append(successor)
    return acts
