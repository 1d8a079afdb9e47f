"""A note as the chart shows it, with every act on it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from domain.chart.events import EarlierEntry, Sections
from domain.kernel.events import Frozen

NoteStatus = Literal["draft", "signed", "amended", "entered_in_error", "moved", "erased"]
VersionKind = Literal[
    "signed", "late_entry", "addendum", "correction", "retraction", "moved_away", "moved_in"
]


class NoteVersion(Frozen):
    """One act on a note: who did what, when, why, and the whole text after it."""

    version: int
    kind: VersionKind
    author: UUID
    role: str
    occurred_at: datetime
    recorded_at: datetime
    position: int
    sections: Sections
    changed: tuple[str, ...] = ()
    addendum: str | None = None
    reason: str | None = None
    linked_client_id: UUID | None = None
    linked_note_id: UUID | None = None
    history: tuple[EarlierEntry, ...] = ()
    """Of a note moved in: what was written on the chart it came from."""
    is_erased: bool = False
    """Its text was destroyed: who did what when remains, and not a word of it."""


class NoteView(Frozen):
    """A note with every version it ever had, oldest first."""

    id: UUID
    client_id: UUID
    status: NoteStatus
    is_locked: bool = False
    occurred_at: datetime
    version: int = 0
    versions: tuple[NoteVersion, ...] = ()
    erased_at: datetime | None = None
    """When its text was destroyed."""

    @property
    def sections(self) -> Sections:
        """The text as it stands."""
        return self.versions[-1].sections
