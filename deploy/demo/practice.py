"""How does a made-up practice come to be: its people, its years, its open drafts of today?"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import uuid5
from zoneinfo import ZoneInfo

from psycopg import Connection

from api.reading import DraftText
from api.security.identity import hash_password
from deploy.database import Database as Ready
from deploy.demo.clinic import Clinic
from deploy.demo.desk import Deed, Desk, Member
from deploy.demo.lives import populate
from deploy.demo.people import ORIGINS, Staff
from deploy.demo.scribe import OneConnection, Scribe, of_practice
from deploy.demo.twelve import invite
from deploy.founding import found
from domain.kernel.clock import SystemClock
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, CommandId, PracticeId
from record.database import Database, Row
from record.drafts import Drafts
from record.errors import Unreadable
from record.keys import KeyRing
from record.provision import NewPractice, practice_id_of

PASSWORD = "linen-sage-clay-2026"  # noqa: S105 - printed at every start; it guards made-up people
INJECTOR = ("consult", "toxin", "touch_up", "filler", "biostimulator", "weight", "photofacial")
NURSE = ("toxin", "touch_up", "filler", "peel", "microneedling", "hair_removal", "facial")
PRACTITIONER = ("consult", "toxin", "touch_up", "filler", "weight", "microneedling", "photofacial")
TITLES = (("MD", INJECTOR), ("NP", PRACTITIONER), ("RN", NURSE), ("PA", PRACTITIONER))
CLIENTS_PER_CLINICIAN = 600
BUSY = 1_000
"""From so many clients on, things happen on the quarter hour: many of them in one go."""
QUARTER = timedelta(minutes=15)

Progress = Callable[[float, int], None]
"""Told how much of the time has passed, and how many events are written."""


@dataclass(frozen=True, slots=True)
class Story:
    """A practice to be made up. The same story, told on the same day, has the same content."""

    new: NewPractice
    staff: Sequence[Staff]
    clients: int
    has_twelve: bool = False
    drafts: int = 0
    days: int = 730
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What was written."""

    practice_id: PracticeId
    positions: dict[str, int]


def tell(ready: Ready, story: Story, progress: Progress) -> Told:
    """Founds a practice and writes all of its history, or goes on where that was cut short.

    Those who may sign in are added last: a practice without anybody is one that is not finished.
    Raises `CannotContinue`.
    """
    kms = ready.kms
    with as_admin(ready) as admin, as_admin(ready) as other:
        practice_id = found(admin, kms, story.new)
        told = History(practice_id, story, _founded_on(admin, practice_id))
        scribe = Scribe(admin, other, kms, practice_id)
        start, length = told.desk.start, told.until - told.desk.start
        # Closed even where progress is interrupted: what is under way is still committed.
        with closing(scribe.write(told.deeds())) as written, _no_search_for_cycles():
            for deed in written:
                progress((deed.at - start) / length, sum(told.desk.positions.values()))
        with of_practice(other, practice_id):
            _open_drafts(scribe.ring, OneConnection(other), told, SystemClock().now())
            _add_staff(other, practice_id, story.staff)
    return Told(practice_id, told.desk.positions)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Millions of small objects, none of them in a cycle: looking for one takes a third longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def is_told(admin: Connection[Row], new: NewPractice) -> bool:
    """Whether there is such a practice, finished, or one that is not of our making."""
    practice_id = practice_id_of(new.slug)
    with of_practice(admin, practice_id):
        row = admin.execute(
            """SELECT p.name, EXISTS (SELECT FROM identity.member AS m WHERE m.practice_id = %(id)s)
            FROM record.practice AS p WHERE p.practice_id = %(id)s""",
            {"id": practice_id},
        ).fetchone()
    return row is not None and (bool(row[1]) or row[0] != new.name)


def as_admin(ready: Ready) -> Connection[Row]:
    """A connection of the role that migrates: only that one may say when something was recorded."""
    return Connection.connect(ready.admin_url, autocommit=True)


def _founded_on(admin: Connection[Row], practice_id: PracticeId) -> date:
    """The day the history leads up to; the same when it is gone on with later."""
    with of_practice(admin, practice_id):
        row = admin.execute(
            "SELECT created_at FROM record.practice WHERE practice_id = %s", (practice_id,)
        ).fetchone()
    if row is None:
        raise Unreadable(str(practice_id))
    founded_at: datetime = row[0]
    return founded_at.astimezone(UTC).date()


class History:
    """What happened at a practice before a day: pure, so that it can be told without a database."""

    def __init__(self, practice_id: PracticeId, story: Story, end: date) -> None:
        zone = ZoneInfo(story.new.zone)
        self.until = datetime.combine(end, time.min, UTC)
        # No secret depends on it: the same seed must give the same people.
        dice = Random(f"{story.seed} {story.new.slug} {end}")  # noqa: S311 - made-up data
        start = datetime.combine(end - timedelta(days=story.days + 7), time(9), zone)
        tick = QUARTER if story.clients >= BUSY else None
        self.desk = Desk(practice_id, dice, start, tick)
        self.story = story
        self.clinic = Clinic(self.desk, zone, _members(practice_id, story.staff), end)

    def deeds(self) -> Iterator[Deed]:
        """All of it, in order, until the end of yesterday."""
        if self.story.has_twelve:
            invite(self.clinic)
        populate(self.clinic, self.story.clients, self.story.days)
        return self.desk.run(self.until)


def member_id(practice_id: PracticeId, email: str) -> ActorId:
    """The id that founding gives to a member of this address."""
    return ActorId(uuid5(practice_id, f"member\x1f{email}"))


def _members(practice_id: PracticeId, staff: Sequence[Staff]) -> tuple[Member, ...]:
    return tuple(
        Member(member_id(practice_id, one.email), one.role, one.signature, desk, one.does)
        for desk, one in enumerate(staff, start=21)
    )


def _add_staff(admin: Connection[Row], practice_id: PracticeId, staff: Sequence[Staff]) -> None:
    """One password, hashed once: hashing is made to be slow."""
    password = hash_password(PASSWORD)
    with admin.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO identity.member (member_id, email, name, role, password_hash)
            VALUES (%s, %s, %s, %s, %s)""",
            [
                (member_id(practice_id, one.email), one.email, one.signature, one.role, password)
                for one in staff
            ],
        )


def _open_drafts(keys: KeyRing, database: Database, told: History, now: datetime) -> None:
    """Today's visits whose notes are begun and not signed."""
    clinic, drafts = told.clinic, Drafts(database, keys)
    for number in range(told.story.drafts):
        client = clinic.some_client()
        if client is None:
            return
        begun = now - timedelta(minutes=14 + 17 * number)
        by, text = clinic.begun(client, now.date())
        context = Context(
            practice_id=clinic.desk.practice_id,
            actor_id=by.id,
            role=by.role,
            at=begun,
            command_id=CommandId(clinic.desk.new_id()),
            correlation_id=clinic.desk.new_id(),
        )
        draft = DraftText(
            sections=text.sections.model_copy(update={"plan": ""}),
            occurred_at=begun - timedelta(minutes=9),
        )
        body = draft.model_dump_json().encode()
        drafts.open(context, clinic.desk.new_id(), client.id, body)


def staff_for(slug: str, clients: int, seed: int) -> tuple[Staff, ...]:
    """Enough people for so many clients: an owner, an auditor, clinicians and a front desk."""
    dice = Random(f"{seed} staff {slug}")  # noqa: S311 - no secret depends on it
    clinicians = max(len(TITLES), clients // CLIENTS_PER_CLINICIAN)

    def somebody() -> str:
        women, _, families = dice.choice(ORIGINS)
        return f"{dice.choice(women.split())} {dice.choice(families.split())}"

    def address(name: str) -> str:
        return f"{name}@{slug}.example"

    return (
        Staff(address("owner"), somebody(), "owner"),
        *(
            Staff(address(f"clinician{number or ''}"), somebody(), "clinician", title, does)
            for number in range(clinicians)
            for title, does in (TITLES[number % len(TITLES)],)
        ),
        *(
            Staff(address(f"desk{number or ''}"), somebody(), "front_desk")
            for number in range(max(1, clinicians // 4))
        ),
        Staff(address("auditor"), somebody(), "auditor"),
    )
