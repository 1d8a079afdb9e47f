"""What stands around every page: who is signed in, where they may go, what just happened."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time in the practice's zone; ``iso`` is exact, the rest is for people."""

    iso: str
    day: str
    clock: str
    seconds: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One entry of the sidebar."""

    key: Literal["clients", "audit"]
    label: str
    href: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The person signed in, as the sidebar shows them."""

    name: str
    role: str
    initials: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    """What the last act did, said once."""

    tone: Literal["sage", "sand", "rose"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The surroundings of a page.

    ``ticket`` is new for every rendering; each form sends it back, so that a form sent twice is
    one command. ``idle_minutes`` is when the session ends without activity; ``back`` is where to
    go then from a page that answers a form.
    """

    practice: str
    csrf: str
    ticket: str
    member: Member | None = None
    places: tuple[Place, ...] = ()
    flash: Flash | None = None
    idle_minutes: int = 15
    back: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A thing that may be done from here; absent when it may not."""

    key: str
    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A page that could not be shown, and what to do about it."""

    status: int
    title: str
    text: str
    advice: str
    request_id: str
    back: Action | None = None
