"""Which practices does a first start come with, and how does one sign in to them?"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import psycopg

from api.security.roles import ROLES
from deploy.database import Database as Ready
from deploy.demo.people import Staff
from deploy.demo.practice import (
    INJECTOR,
    NURSE,
    PASSWORD,
    PRACTITIONER,
    Progress,
    Story,
    as_admin,
    is_told,
    tell,
)
from deploy.demo.scribe import CannotContinue
from deploy.refusal import Refusal
from record.database import Row
from record.provision import NewPractice, practice_id_of

LINDEN = "lindenoak.example"
HARBOR = "harborlight.example"
DEMO = (
    Story(
        NewPractice("demo", "Linden & Oak Aesthetics", "America/New_York"),
        (
            Staff(f"owner@{LINDEN}", "Imogen Vale", "owner"),
            Staff(f"ava@{LINDEN}", "Dr. Ava Lindqvist", "clinician", "MD", INJECTOR),
            Staff(f"noor@{LINDEN}", "Noor Haddad", "clinician", "NP", PRACTITIONER),
            Staff(f"mia@{LINDEN}", "Mia Torres", "clinician", "RN", NURSE),
            Staff(f"desk@{LINDEN}", "Rae Kim", "front_desk"),
            Staff(f"auditor@{LINDEN}", "Tobias Grant", "auditor"),
        ),
        clients=300,
        has_twelve=True,
        drafts=4,
    ),
    Story(
        NewPractice("harbor", "Harbor Light Med Spa", "America/Los_Angeles"),
        (
            Staff(f"owner@{HARBOR}", "Delphine Marsh", "owner"),
            Staff(f"elena@{HARBOR}", "Dr. Elena Castro", "clinician", "MD", INJECTOR),
            Staff(f"june@{HARBOR}", "June Nakamura", "clinician", "RN", NURSE),
            Staff(f"desk@{HARBOR}", "Theo Alvarez", "front_desk"),
            Staff(f"auditor@{HARBOR}", "Ruth Adler", "auditor"),
        ),
        clients=48,
        drafts=1,
    ),
)
LOCK = 0x70616C64656D6F
"""Two processes that start at once must not both load."""


class CatchesUp(Protocol):
    """What makes the projections show all that is recorded."""

    def run_until_caught_up(self) -> None:
        """Returns when there is no news left."""


class HasProjector(Protocol):
    """As much of the parts of the running program as is needed here."""

    @property
    def projector(self) -> CatchesUp:
        """What keeps the projections up to date."""


def load_demo(ready: Ready, parts: HasProjector) -> None:
    """Makes the demo practices in a database that has no others; finishes what was cut short."""
    if not _unfinished(ready):
        return
    with as_admin(ready) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        for story in _unfinished(ready):
            with _shown(story.new.name) as progress:
                _tell(ready, story, progress)
    parts.projector.run_until_caught_up()


def _tell(ready: Ready, story: Story, progress: Progress) -> None:
    try:
        tell(ready, story, progress)
    except CannotContinue:
        raise Refusal(
            f"the demo practice {story.new.slug} was begun by another release and cannot be "
            "finished by this one; PALIMPSEST_DEMO=false starts without it"
        ) from None


def _unfinished(ready: Ready) -> list[Story]:
    # Somebody who has made a practice of her own wants no invented ones beside it.
    if _practices(ready) - {practice_id_of(story.new.slug) for story in DEMO}:
        return []
    with as_admin(ready) as admin:
        return [story for story in DEMO if not is_told(admin, story.new)]


def _practices(ready: Ready) -> set[object]:
    """The ids of all practices, as the application sees them: whatever owns the tables."""
    with psycopg.connect(ready.app_url, autocommit=True) as app:
        return {row[0] for row in app.execute("SELECT practice_id FROM record.head")}


@contextmanager
def _shown(name: str) -> Iterator[Progress]:
    """One line that moves on, for whoever watches a terminal."""
    if not sys.stderr.isatty():
        yield lambda _part, _events: None
        return

    def show(part: float, events: int) -> None:
        sys.stderr.write(f"\rFirst start: making up {name} … {part:4.0%}, {events} events ")
        sys.stderr.flush()

    show(0, 0)
    try:
        yield show
    finally:
        sys.stderr.write("\n")


def announcement(ready: Ready) -> str:
    """A sign-in for each role of the demo practices there are; nothing where there are none."""
    with psycopg.connect(ready.app_url, autocommit=True) as app:
        there = [story for story in DEMO if _is_demo(app, story)]
    if not there:
        return ""
    rows = [("", *(story.new.name for story in there))]
    rows += [
        (title, *(_first(story.staff, role).email for story in there))
        for role, (title, _) in ROLES.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join((f"Sign in with the password {PASSWORD} as", *(f"  {one}" for one in lines)))


def _is_demo(app: psycopg.Connection[Row], story: Story) -> bool:
    """Whether the practice of that slug is the made-up one: its owner is known by her address."""
    email = _first(story.staff, "owner").email
    found = app.execute("SELECT practice_id FROM identity.find_logins(%s)", (email,)).fetchall()
    return practice_id_of(story.new.slug) in {row[0] for row in found}


def _first(staff: Sequence[Staff], role: str) -> Staff:
    return next(one for one in staff if one.role == role)
