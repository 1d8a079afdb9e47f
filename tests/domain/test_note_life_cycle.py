"""Whatever is asked of a note, in whatever order: what was signed once can be read for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.chart.aggregate import NOTE, Note
from domain.chart.commands import (
    AddAddendum,
    CorrectNote,
    LockNote,
    NoteCommand,
    RetractNote,
    SignNote,
)
from domain.chart.events import SECTIONS, NoteSigned, SectionName, Sections
from domain.client.aggregate import Client
from domain.client.events import Details
from domain.kernel.errors import DomainError
from domain.kernel.events import Act, Event
from domain.kernel.ids import ActorId, ClientId, NoteId
from domain.kernel.text import is_blank
from domain.kernel.upcasting import read_event
from domain.usecases.reassign_note import reassign
from tests.support.spec import Streams, recorded, stored

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AUTHORS = [ActorId(UUID(int=n)) for n in (21, 22)]
CLIENTS = [ClientId(UUID(int=n)) for n in (1, 2)]
ADA = Details.model_validate(
    {"given_name": "Ada", "family_name": "Berg", "birth_date": "1984-07-19"}
)

# Whatever a keyboard gives, and little of it, so that the same words often come twice.
words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6
) | st.sampled_from(["", " ", "20 units", "cafe\u0301", "one\r\ntwo"])
said = words.filter(lambda text: not is_blank(text))
sections = st.builds(Sections, subjective=words, objective=words, assessment=words, plan=words)
somebody = st.sampled_from(AUTHORS)


class NoteLifeCycle(RuleBasedStateMachine):
    """One note, the notes it is moved on to, and a memory of everything that was ever attested."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.streams = Streams()
        self.note_id = NoteId(UUID(int=11))
        self.attested: set[tuple[UUID, str]] = set()
        self.bodies: dict[UUID, list[bytes]] = {}
        self.states: dict[UUID, list[Note]] = {}

    # --- what people do ------------------------------------------------------------------------

    @rule(by=somebody, client=st.sampled_from(CLIENTS), text=sections, lock=st.booleans())
    def sign(self, by: ActorId, client: ClientId, text: Sections, *, lock: bool) -> None:
        """Signs, or signs again."""
        if self.ask(
            SignNote(
                by=by, at=self.now, client_id=client, sections=text, occurred_at=NOON, lock=lock
            )
        ):
            self.attest(*dict(text).values())

    @rule(by=somebody)
    def lock(self, by: ActorId) -> None:
        """Closes the note."""
        self.ask(LockNote(by=by, at=self.now))

    @rule(by=somebody, text=said)
    def add(self, by: ActorId, text: str) -> None:
        """Adds below."""
        command = AddAddendum(by=by, at=self.now, text=text)
        if self.ask(command):
            self.attest(command.text)

    @rule(by=somebody, changes=st.dictionaries(st.sampled_from(SECTIONS), words, max_size=3))
    def correct(self, by: ActorId, changes: dict[SectionName, str]) -> None:
        """Changes the wording."""
        command = CorrectNote(by=by, at=self.now, changes=changes, reason="misheard")
        if self.ask(command):
            self.attest(*command.changes.values())

    @rule(by=somebody, sure=st.integers(0, 3))
    def retract(self, by: ActorId, sure: int) -> None:
        """Seldom, because it ends everything."""
        if not sure:
            self.ask(RetractNote(by=by, at=self.now, reason="entered in error"))

    @rule(by=somebody, client=st.sampled_from(CLIENTS))
    def move(self, by: ActorId, client: ClientId) -> None:
        """Moves the note; what follows happens to its successor."""
        successor_id = NoteId(uuid5(self.note_id, "successor"))
        history = recorded(self.history(), stream_id=self.note_id, actor=by, at=self.now)
        to_client = Client(client_id=client, details=ADA)
        try:
            self.streams.perform(
                *reassign(
                    history, self.note_id, successor_id, to_client, "wrong", by=by, at=self.now
                )
            )
        except DomainError:
            return
        known = {text for _, text in self.attested}
        self.note_id = successor_id
        self.attest(*known)

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def no_stored_byte_changes(self) -> None:
        """Neither a rule nor a fold writes into an event that is stored already."""
        for note_id, events in self.streams.events.items():
            bodies = [stored(event) for event in events]
            before = self.bodies.get(note_id, [])
            assert bodies[: len(before)] == before
            self.bodies[note_id] = bodies

    @invariant()
    def every_text_that_was_ever_signed_can_be_read(self) -> None:
        """On the chart it was signed on, and on every chart it was moved to."""
        legible = {
            (note_id, text)
            for note_id, events in self.streams.events.items()
            for event in events
            for text in texts(event.model_dump(mode="json"))
        }
        assert self.attested <= legible

    @invariant()
    def the_past_reads_as_it_did(self) -> None:
        """Folding a prefix gives what the note was then, from stored bytes too."""
        for note_id, events in self.streams.events.items():
            states = self.states.setdefault(note_id, [])
            prefixes = [NOTE.fold(events[:n]) for n in range(1, len(events) + 1)]
            assert prefixes[: len(states)] == states
            self.states[note_id] = prefixes
            again = [read_event(event.type, stored(event)) for event in events]
            assert NOTE.fold(again) == prefixes[-1]

    @invariant()
    def nothing_is_signed_over_a_lock(self) -> None:
        """After the lock there is no second signature, and after the end there is nothing."""
        for events in self.streams.events.values():
            for n, event in enumerate(events):
                before = NOTE.fold(events[:n])
                assert not (isinstance(event, NoteSigned) and before.is_locked)
                assert before.status in {"unsigned", "signed"}

    @invariant()
    def the_words_are_the_authors(self) -> None:
        """Nobody else has signed in between."""
        for events in self.streams.events.values():
            signers = {event.signed_by for event in events if isinstance(event, NoteSigned)}
            assert len(signers) <= 1

    # --- how it is done ------------------------------------------------------------------------

    def history(self) -> list[Event]:
        return self.streams.events.get(self.note_id, [])

    def ask(self, command: NoteCommand) -> bool:
        """Tells whether it was allowed."""
        self.now += timedelta(minutes=1)
        try:
            self.streams.perform(Act(NOTE, self.note_id, command))
        except DomainError:
            return False
        return True

    def attest(self, *given: str) -> None:
        self.attested.update((self.note_id, text) for text in given if text)


def texts(value: Any) -> set[str]:
    """Every text anywhere in it."""
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(texts, inner))


TestNoteLifeCycle = NoteLifeCycle.TestCase
TestNoteLifeCycle.settings = settings(max_examples=60, stateful_step_count=25)
