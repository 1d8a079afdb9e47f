"""What do people at a demo practice do with a client: register, treat, sign, and put right?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from deploy.demo.desk import Desk, Member, Process, Stream
from deploy.demo.notes import Scene, Slip, Text
from deploy.demo.notes_visits import NOTES
from deploy.demo.people import Person
from domain.chart.aggregate import NOTE
from domain.chart.commands import AddAddendum, CorrectNote, RetractNote, SignNote
from domain.chart.events import Receipt, Sections
from domain.client.aggregate import CLIENT
from domain.client.commands import ChangeContactDetails, RegisterClient
from domain.kernel.ids import ClientId, NoteId
from domain.usecases.reassign_note import reassign
from projections.chart_view.projection import ChartViewProjection

OPENS, QUARTERS = time(9, 0), 33
"""Appointments begin on the quarter hours from nine until five."""
SUNDAY = 6


@dataclass(slots=True)
class Client:
    """A client as the practice knows her by now."""

    person: Person
    stream: Stream
    regular: Member
    is_extra: bool = True
    """One of the many, to whom anything may happen; the twelve have stories of their own."""
    notes: list[UUID] = field(default_factory=list)
    sessions: dict[str, tuple[int, date]] = field(default_factory=dict)

    @property
    def id(self) -> ClientId:
        return ClientId(self.stream.id)

    @property
    def is_here(self) -> bool:
        """Whether she can be treated: alive, and not another record's duplicate."""
        return self.stream.state.died_on is None and self.stream.state.merged_into is None


class Clinic:
    """A practice at work. `end` is the first day that is not told any more."""

    def __init__(self, desk: Desk, zone: ZoneInfo, staff: tuple[Member, ...], end: date) -> None:
        self.desk = desk
        self.dice = desk.dice
        self.zone = zone
        self.staff = staff
        self.end = end
        self.clients: list[Client] = []
        self.prescriber = next(one for one in staff if "consult" in one.does)

    # -- when ------------------------------------------------------------------------------------

    def ago(self, days: int) -> date:
        """A day that many days before the end."""
        return self.end - timedelta(days=days)

    def opening(self, day: date) -> datetime:
        """A moment of a working day at which an appointment begins; Sunday's are Saturday's."""
        return self.at(day, OPENS) + timedelta(
            minutes=15 * self.dice.randrange(QUARTERS), seconds=self.dice.randrange(240)
        )

    def at(self, day: date, o_clock: time) -> datetime:
        """That time of a working day."""
        if day.weekday() == SUNDAY:
            day -= timedelta(days=1)
        return datetime.combine(day, o_clock, self.zone)

    def later(self, first: int, last: int) -> datetime:
        """Some minutes from now."""
        return self.desk.now + timedelta(seconds=self.dice.randrange(first * 60, last * 60))

    def days_later(self, first: int, last: int) -> datetime:
        """Some days from now, in opening hours, and not before now."""
        day = self.desk.now.date() + timedelta(days=self.dice.randint(first, last))
        if day.weekday() == SUNDAY:
            day += timedelta(days=1)
        return max(self.opening(day), self.desk.now + timedelta(minutes=5))

    # -- who -------------------------------------------------------------------------------------

    def one_of(self, role: str) -> Member:
        """Somebody of that role."""
        return self.dice.choice([one for one in self.staff if one.role == role])

    def performer(self, kind: str, client: Client) -> Member:
        """The client's own clinician if she gives that treatment, or somebody who does."""
        if kind in client.regular.does:
            return client.regular
        return self.dice.choice([one for one in self.staff if kind in one.does])

    def some_client(self, *, but: Client | None = None) -> Client | None:
        """One of the many who has been treated and can be treated; none if there is nobody."""
        for _ in range(20):
            if not self.clients:
                return None
            found = self.dice.choice(self.clients)
            if found.is_extra and found.is_here and found.notes and found is not but:
                return found
        return None

    def text_of(self, client: Client, kind: str, by: Member, today: date, choice: str = "") -> Text:
        """What there is to be written about a treatment of today; counts it."""
        number, last = client.sessions.get(kind, (0, None))
        client.sessions[kind] = (number + 1, today)
        scene = Scene(
            dice=self.dice,
            person=client.person,
            on=today,
            number=number + 1,
            last=last,
            by=by.name,
            prescriber=self.prescriber.name,
            choice=choice,
        )
        return NOTES[kind](scene)

    def begun(self, client: Client, today: date) -> tuple[Member, Text]:
        """A visit of today by the client's own clinician, who has still to write about it."""
        kind = self.dice.choice(client.regular.does)
        return client.regular, self.text_of(client, kind, client.regular, today)

    # -- what ------------------------------------------------------------------------------------

    def asked(self, by: Member) -> dict[str, Any]:
        """Who asks, and when: what every command says."""
        return {"by": by.id, "at": self.desk.now}

    def register(self, person: Person, *, is_extra: bool = True) -> Client:
        """A new record; mostly by the front desk."""
        stream = self.desk.open(CLIENT)
        by = self.one_of("front_desk")
        regular = self.dice.choice([one for one in self.staff if one.does])
        command = RegisterClient(
            **self.asked(by), client_id=ClientId(stream.id), details=person.details
        )
        self.desk.ask(by, stream, command)
        client = Client(person, stream, regular, is_extra)
        self.clients.append(client)
        return client

    def change(self, client: Client, fields: Mapping[str, str | None]) -> None:
        """New contact details."""
        by = self.one_of("front_desk")
        self.desk.look(by, "read", "client", [client.id])
        asked: dict[str, Any] = {**self.asked(by), **fields}
        self.desk.ask(by, client.stream, ChangeContactDetails(**asked))

    def check_in(self, client: Client) -> None:
        """The front desk looks her up."""
        by = self.one_of("front_desk")
        if self.dice.randrange(3) == 0:
            found = [client.id]
            other = self.some_client(but=client)
            if other is not None and self.dice.randrange(3) == 0:
                found.append(other.id)
            self.desk.look(by, "search", "clients", found)
        self.desk.look(by, "read", "client", [client.id])

    def open_chart(self, by: Member, client: Client) -> None:
        """Somebody reads the chart, and with it those of the records it has absorbed."""
        self.desk.look(by, "read", "chart", [client.id, *client.stream.state.absorbed])

    def sign(
        self,
        by: Member,
        client: Client,
        note: Stream,
        sections: Sections,
        occurred_at: datetime,
        *,
        lock: bool = True,
    ) -> None:
        """Signs what was written, with a receipt of the chart that was on screen."""
        self.desk.look(by, "draft", "note", [client.id], thing_id=note.id)
        command = SignNote(
            **self.asked(by),
            client_id=client.id,
            sections=sections,
            occurred_at=occurred_at,
            lock=lock,
            receipt=Receipt(
                projection=ChartViewProjection.name,
                position=self.desk.positions["record"],
                shown=tuple(client.notes),
            ),
        )
        self.desk.ask(by, note, command)
        if note.id not in client.notes:
            client.notes.append(note.id)

    def add(self, by: Member, client: Client, note: Stream, words: str) -> None:
        """An addendum below a signed note."""
        self.desk.look(by, "read", "note", [client.id], thing_id=note.id)
        self.desk.ask(by, note, AddAddendum(**self.asked(by), text=words))

    def correct(self, by: Member, client: Client, note: Stream, slip: Slip) -> None:
        """The author puts a mistake right."""
        self.desk.look(by, "read", "note", [client.id], thing_id=note.id)
        right = getattr(note.state.sections, slip.section).replace(slip.wrong, slip.right)
        changes = {slip.section: right}
        command = CorrectNote(**self.asked(by), changes=changes, reason=slip.reason)
        self.desk.ask(by, note, command)

    def retract(self, by: Member, client: Client, note: Stream, reason: str) -> None:
        """Entered in error."""
        self.desk.look(by, "read", "note", [client.id], thing_id=note.id)
        self.desk.ask(by, note, RetractNote(**self.asked(by), reason=reason))

    def move(self, by: Member, note: Stream, wrong: Client, right: Client, reason: str) -> Stream:
        """A note goes to the chart it belongs on; returns how it continues there."""
        self.open_chart(by, wrong)
        successor = self.desk.open(NOTE)
        acts = reassign(
            note.history,
            NoteId(note.id),
            NoteId(successor.id),
            right.stream.state,
            reason,
            **self.asked(by),
        )
        self.desk.ask_all(by, acts, note, successor)
        wrong.notes.remove(note.id)
        right.notes.append(successor.id)
        return successor


@dataclass(frozen=True, slots=True)
class Visit:
    """What a treatment leaves to be written: by whom, about whom, when it took place."""

    clinic: Clinic
    client: Client
    by: Member
    occurred_at: datetime
    text: Text

    def sign(self, note: Stream, sections: Sections, *, lock: bool = True) -> None:
        """Signs on this client's chart."""
        self.clinic.sign(self.by, self.client, note, sections, self.occurred_at, lock=lock)

    def plain(self, note: Stream) -> Process:
        """Signed, and nothing more."""
        self.sign(note, self.text.sections)
        yield from ()


Fate = Callable[[Visit, Stream], Process]


def visit(
    clinic: Clinic,
    client: Client,
    kind: str,
    fate: Fate = Visit.plain,
    choice: str = "",
    *,
    late_days: int = 0,
) -> Process:
    """A client comes, is treated, and her note is written: the same day, or days later."""
    if not client.is_here:
        return
    clinic.check_in(client)
    yield clinic.later(3, 14)
    by = clinic.performer(kind, client)
    clinic.open_chart(by, client)
    occurred_at = clinic.desk.now
    text = clinic.text_of(client, kind, by, occurred_at.date(), choice)
    yield clinic.days_later(late_days, late_days + 2) if late_days else clinic.later(16, 55)
    if client.is_here:
        yield from fate(Visit(clinic, client, by, occurred_at, text), clinic.desk.open(NOTE))
