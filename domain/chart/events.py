"""Facts about one note. No event type can take away a byte of what was signed.

Sources: CMS Medicare Program Integrity Manual 3.3.2.5 (amendments, corrections and delayed
entries are identified as such, dated, signed, and leave the original legible); AHIMA guidance on
late entries, addenda and retractions.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from domain.kernel.events import Category, Event, Frozen
from domain.kernel.ids import ActorId, ClientId, NoteId
from domain.kernel.text import Line, Moment, Prose, Reason, Section

SectionName = Literal["subjective", "objective", "assessment", "plan"]
SECTIONS: tuple[SectionName, ...] = ("subjective", "objective", "assessment", "plan")
SHOWN_MAX = 10_000
"""Ids of facts in one receipt."""


class Sections(Frozen):
    """The four parts of a SOAP note."""

    subjective: Section = ""
    objective: Section = ""
    assessment: Section = ""
    plan: Section = ""


def reworded(sections: Sections, changes: Mapping[SectionName, str]) -> Sections:
    """The sections with some of them replaced. Unchecked: the changes were, when entered."""
    return sections.model_copy(update={str(name): text for name, text in changes.items()})


class Receipt(Frozen):
    """What the signer had on screen: which projection, up to which position, showing what."""

    projection: Line
    position: Annotated[int, Field(strict=True, ge=0)]
    shown: Annotated[tuple[UUID, ...], Field(max_length=SHOWN_MAX)] = ()


class EarlierEntry(Frozen):
    """One entry of a note on the chart it was moved from: its words, whose they are, since when."""

    kind: Literal["signature", "addendum", "correction"]
    author: ActorId
    recorded_at: Moment
    sections: Sections
    """How the sections read from then on."""
    text: Prose | None = None
    """What an addendum added."""
    reason: Reason | None = None
    """Why they were corrected."""
    is_late_entry: bool = False


class NoteEvent(Event):
    """A fact about one note. `occurred_at` is the time of care, whenever it was written down."""

    category: ClassVar[Category] = Category.CLINICAL
    client_id: ClientId


class NoteSigned(NoteEvent):
    """The author attested the text. With `is_locked` it is closed to further drafting at once."""

    type: ClassVar[str] = "note.signed.v1"
    sections: Sections
    signed_by: ActorId
    signed_at: Moment
    is_locked: bool
    is_late_entry: bool
    rule: str
    """Id and version of the rule that decided whether this is a late entry."""
    receipt: Receipt | None = None


class NoteLocked(NoteEvent):
    """The signed note was closed to further drafting."""

    type: ClassVar[str] = "note.locked.v1"


class AddendumAdded(NoteEvent):
    """Something was added below the signed text, which stays as it was."""

    type: ClassVar[str] = "note.addendum_added.v1"
    text: Prose


class NoteCorrected(NoteEvent):
    """Sections now read otherwise, for a reason; the earlier wording stays legible."""

    type: ClassVar[str] = "note.corrected.v1"
    changes: dict[SectionName, Section]
    reason: Reason


class NoteRetracted(NoteEvent):
    """Entered in error: hidden from the default view, legible and audited all the same."""

    type: ClassVar[str] = "note.retracted.v1"
    reason: Reason


class NoteMovedAway(NoteEvent):
    """Written for the wrong client: read on at the other note."""

    type: ClassVar[str] = "note.moved_away.v1"
    to_client_id: ClientId
    to_note_id: NoteId
    reason: Reason


class NoteMovedIn(NoteEvent):
    """A note first written for another client, with its text as it stood when it was moved.

    `history` tells who wrote what when, because the chart it came from is another person's and
    must not be opened, or handed out, to read this one.
    """

    type: ClassVar[str] = "note.moved_in.v1"
    from_client_id: ClientId
    from_note_id: NoteId
    sections: Sections
    addenda: tuple[Prose, ...]
    signed_by: ActorId
    signed_at: Moment
    is_late_entry: bool = False
    history: tuple[EarlierEntry, ...] = ()
    reason: Reason
