"""What does a chart show, now or at a moment?"""

from dataclasses import dataclass
from typing import Literal

from api.web.views.frame import Moment

Status = Literal["draft", "signed", "amended", "retracted", "moved", "erased"]
Kind = Literal["signed", "correction", "addendum", "retraction", "move", "client", "now"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One of the four parts of a note."""

    key: str
    letter: str
    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addendum:
    """A later remark; the signed text stays as it was."""

    text: str
    author: str
    recorded: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Why a note no longer counts: entered in error, or moved to another chart."""

    heading: str
    reason: str
    author: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCard:
    """A note as it stands at the moment shown."""

    id: str
    href: str
    status: Status
    status_label: str
    author: str
    role: str
    occurred: Moment
    recorded: Moment | None
    sections: tuple[Section, ...]
    version_count: int
    is_late: bool = False
    is_locked: bool = False
    came_from_elsewhere: bool = False
    addenda: tuple[Addendum, ...] = ()
    withdrawn: Withdrawn | None = None
    is_erased: bool = False
    erased: Moment | None = None
    is_touched: bool = False
    may_continue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A moment at which something changed; ``as_of`` is what the address carries ("" = now)."""

    as_of: str
    label: str
    kind: Kind
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeControl:
    """The control over time; ``ticks`` run from oldest to newest and end at now."""

    action: str
    view: Literal["known", "true"]
    typed: str
    here: int
    ticks: tuple[Tick, ...]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The notes at a moment, newest first; ``shown`` is none when the moment is now."""

    view: Literal["known", "true"]
    notes: tuple[NoteCard, ...]
    shown: Moment | None = None
    hidden_changes: int = 0
