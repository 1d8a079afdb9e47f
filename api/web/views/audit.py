"""What does the auditor's desk show?"""

from dataclasses import dataclass

from api.web.views.chart import Chart
from api.web.views.frame import Moment
from api.web.views.notes import SectionDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event of the replay, in plain words."""

    position: int
    what: str
    type: str
    actor: str
    role: str
    occurred: Moment
    recorded: Moment
    is_late: bool
    leaf_hash: str
    href: str
    is_here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyField:
    """One field of an event's body."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPanel:
    """The event in view: its envelope, its body, and the chart right after it."""

    row: EventRow
    stream_id: str
    version: int
    body: tuple[BodyField, ...]
    chart: Chart
    number: int
    earlier: str
    later: str
    is_erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A client's events, oldest first, and the one in view."""

    events: tuple[EventRow, ...]
    panel: EventPanel | None
    total: int
    from_: str = ""
    to: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChange:
    """What became of one note between two moments."""

    label: str
    tone: str
    author: str
    occurred: Moment
    sections: tuple[SectionDiff, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoDates:
    """A chart at two moments; ``left``/``right`` are what stands in the inputs."""

    left: str
    right: str
    left_shown: Moment | None = None
    right_shown: Moment | None = None
    changes: tuple[NoteChange, ...] = ()
    same_count: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """One look at the record: who, when, what, what for, and whether it was allowed."""

    position: int
    at: Moment
    actor: str
    role: str
    action: str
    what: str
    purpose: str
    is_allowed: bool
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accesses:
    """A page of the access log; ``more`` is the address of the next one."""

    action_path: str
    rows: tuple[AccessRow, ...]
    people: tuple[tuple[str, str], ...] = ()
    who: str = ""
    outcome: str = ""
    from_: str = ""
    to: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an evidence bundle is checked with, and the moment that was typed for its chart."""

    key: str
    as_of: str = ""
    error: str = ""
