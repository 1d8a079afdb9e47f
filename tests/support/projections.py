"""How does a test fill a record with people and notes, and see what projections show of them?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast
from uuid import UUID, uuid4

from domain.chart.aggregate import NOTE
from domain.chart.commands import (
    AddAddendum,
    CorrectNote,
    LockNote,
    NoteCommand,
    RetractNote,
    SignNote,
)
from domain.chart.events import SectionName, Sections
from domain.client.aggregate import CLIENT
from domain.client.commands import (
    ChangeContactDetails,
    ClientCommand,
    RecordDeath,
    RegisterClient,
    WithdrawDeath,
)
from domain.client.events import Details
from domain.kernel.events import Act, Context, Recorded
from domain.kernel.ids import ClientId, NoteId, PracticeId
from domain.usecases.merge_clients import merge, unmerge
from domain.usecases.reassign_note import reassign
from projections.all import all_projections
from projections.base import Projection
from projections.chart_view.reader import ChartView
from projections.client_search.reader import ClientSearch
from tests.support.record import Record, context
from workers.projector import Projector

BORN = date(1990, 2, 28)
WRITER = UUID(int=7)


@dataclass(frozen=True)
class Desk:
    """One practice as the people in it use it: they register, write, correct, merge."""

    record: Record
    practice_id: PracticeId

    def _by(self) -> Context:
        return context(self.practice_id, actor=WRITER)

    def ask(self, client_id: UUID, command: ClientCommand, by: Context) -> None:
        """Asks something of a client's record."""
        self.record.practices[self.practice_id].handle(CLIENT, client_id, command, by)

    def register(
        self, given: str = "Ana", family: str = "Bell", born: date = BORN, **contact: str
    ) -> ClientId:
        client_id, by = ClientId(uuid4()), self._by()
        details = Details.model_validate(
            {"given_name": given, "family_name": family, "birth_date": born, **contact}
        )
        command = RegisterClient(by=by.actor_id, at=by.at, client_id=client_id, details=details)
        self.ask(client_id, command, by)
        return client_id

    def change(self, client_id: UUID, **fields: object) -> None:
        by = self._by()
        command = ChangeContactDetails.model_validate({"by": by.actor_id, "at": by.at, **fields})
        self.ask(client_id, command, by)

    def die(self, client_id: UUID) -> None:
        by = self._by()
        told = "Her daughter called."
        command = RecordDeath(by=by.actor_id, at=by.at, died_on=date(2026, 1, 5), source=told)
        self.ask(client_id, command, by)

    def live(self, client_id: UUID) -> None:
        by = self._by()
        command = WithdrawDeath(by=by.actor_id, at=by.at, reason="Somebody else of that name.")
        self.ask(client_id, command, by)

    def sign(
        self, client_id: ClientId, text: str = "Forehead, 12 units.", **fields: object
    ) -> NoteId:
        note_id, by = NoteId(uuid4()), self._by()
        given = {
            "by": by.actor_id,
            "at": by.at,
            "client_id": client_id,
            "sections": Sections(subjective=text, plan="Review in two weeks."),
            "occurred_at": by.at - timedelta(minutes=10),
        }
        self._note(note_id, SignNote.model_validate(given | fields), by)
        return note_id

    def lock(self, note_id: UUID) -> None:
        by = self._by()
        self._note(note_id, LockNote(by=by.actor_id, at=by.at), by)

    def correct(self, note_id: UUID, reason: str = "A typing error.", **changes: str) -> None:
        by = self._by()
        wanted = cast("dict[SectionName, str]", changes)
        self._note(
            note_id, CorrectNote(by=by.actor_id, at=by.at, changes=wanted, reason=reason), by
        )

    def add(self, note_id: UUID, text: str) -> None:
        by = self._by()
        self._note(note_id, AddAddendum(by=by.actor_id, at=by.at, text=text), by)

    def retract(self, note_id: UUID, reason: str = "Another client's.") -> None:
        by = self._by()
        self._note(note_id, RetractNote(by=by.actor_id, at=by.at, reason=reason), by)

    def _note(self, note_id: UUID, command: NoteCommand, by: Context) -> None:
        self.record.practices[self.practice_id].handle(NOTE, note_id, command, by)

    def move(self, note_id: NoteId, to: ClientId) -> NoteId:
        practice, by, successor = (
            self.record.practices[self.practice_id],
            self._by(),
            NoteId(uuid4()),
        )
        receiving = CLIENT.fold([one.event for one in practice.stream(to)])
        acts = reassign(
            practice.stream(note_id), note_id, successor, receiving, "Wrong chart.",
            by=by.actor_id, at=by.at,
        )  # fmt: skip
        self._several(acts, by)
        return successor

    def merge(self, kept: ClientId, other: ClientId) -> None:
        by = self._by()
        self._several(merge(kept, other, "The same person.", by=by.actor_id, at=by.at), by)

    def unmerge(self, kept: ClientId, other: ClientId) -> None:
        by = self._by()
        self._several(unmerge(kept, other, "Her sister.", by=by.actor_id, at=by.at), by)

    def _several(self, acts: Sequence[Act], by: Context) -> None:
        self.record.practices[self.practice_id].handle_many(acts, by)

    def history(self, client_id: UUID) -> list[Recorded]:
        return self.record.practices[self.practice_id].about([client_id])

    def log(self) -> list[Recorded]:
        practice = self.record.practices[self.practice_id]
        rows = self.record.recorder(self.practice_id).select_entries(1, 1000)
        return [practice.open(row) for row in rows]

    def head(self) -> int:
        return self.record.practices[self.practice_id].position()


@dataclass(frozen=True)
class Shown:
    """The projections over a record, and two practices that use it."""

    record: Record
    projections: tuple[Projection, ...]
    projector: Projector
    chart_view: ChartView
    search: ClientSearch
    here: Desk
    there: Desk
    """Another practice, always filled too: a missing practice in a WHERE must show."""

    def __getitem__(self, question: str) -> Projection:
        return next(one for one in self.projections if one.question == question)

    def catch_up(self) -> None:
        self.projector.run_until_caught_up()

    def rows(self, question: str, desk: Desk) -> dict[UUID, bytes]:
        """All rows of a practice as they compare: documents opened."""
        with self.record.database.practice(desk.practice_id) as connection:
            return dict(self[question].rows(connection, desk.practice_id))


def shown_on(record: Record) -> Shown:
    """Two new practices, and projections of which nobody but the test moves anything on."""
    projections = all_projections(record.keys, record.practices)
    return Shown(
        record=record,
        projections=projections,
        projector=Projector(record.database, record.practices, projections, record.hints),
        chart_view=ChartView(record.database, record.keys, record.practices),
        search=ClientSearch(record.database),
        here=Desk(record, record.new_practice()),
        there=Desk(record, record.new_practice()),
    )
