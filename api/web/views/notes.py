"""What do writing a note and reading its versions show?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.web.views.chart import Kind, NoteCard, Section
from api.web.views.frame import Moment
from api.web.worddiff import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A note being written: the text as last typed, and which revision it was based on."""

    note_id: str
    revision: int | None
    sections: tuple[Section, ...]
    occurred_at: str
    occurred_max: str
    saved: Moment | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSection:
    """One section written twice."""

    key: str
    label: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The draft was saved elsewhere meanwhile: both texts, so that nothing is lost."""

    revision: int
    author: str
    saved: Moment
    sections: tuple[ConflictSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One act on a note: signature, correction, addendum, retraction or move."""

    version: str
    kind: Kind
    label: str
    author: str
    role: str
    occurred: Moment
    recorded: Moment
    is_late: bool = False
    reason: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionDiff:
    """What changed in one section, word by word."""

    letter: str
    label: str
    runs: tuple[Run, ...]
    is_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions of a note beside each other; ``choices`` are the versions that hold text."""

    left: int
    right: int
    choices: tuple[tuple[int, str], ...]
    sections: tuple[SectionDiff, ...]
    added: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """Which acts on a signed note are open to this person, and what they last typed."""

    resume: bool = False
    addendum: bool = False
    correction: bool = False
    retraction: bool = False
    move: bool = False
    opened: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePage:
    """A signed note with everything that happened to it."""

    card: NoteCard
    version: int
    versions: tuple[Version, ...]
    comparison: Comparison | None
    acts: Acts
