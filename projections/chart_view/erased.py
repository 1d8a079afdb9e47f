"""What does a chart still say where the text was destroyed? That there was one, and who decided."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from domain.chart.events import (
    AddendumAdded,
    NoteCorrected,
    NoteMovedAway,
    NoteMovedIn,
    NoteRetracted,
    NoteSigned,
    Sections,
)
from domain.compliance.events import ErasureCarriedOut
from domain.kernel.events import Category, Frozen, Recorded
from projections.chart_view.note import NoteVersion, NoteView, VersionKind

KINDS: Final[dict[str, VersionKind]] = {
    NoteSigned.type: "signed",
    AddendumAdded.type: "addendum",
    NoteCorrected.type: "correction",
    NoteRetracted.type: "retraction",
    NoteMovedAway.type: "moved_away",
    NoteMovedIn.type: "moved_in",
}
"""What the header of an unreadable event tells of the act."""


class Erasure(Frozen):
    """A category of the client's texts that was destroyed: when, why, and by which two people."""

    category: Category
    reason: str
    legal_basis: str
    requested_by: UUID
    agreed_by: UUID
    at: datetime
    position: int


def erasures(events: Iterable[Recorded]) -> tuple[Erasure, ...]:
    """Those among the events, oldest first."""
    return tuple(
        Erasure(
            category=event.of_category,
            reason=event.reason,
            legal_basis=event.legal_basis,
            requested_by=event.requested_by,
            agreed_by=event.agreed_by,
            at=recorded.recorded_at.astimezone(UTC),
            position=recorded.position,
        )
        for recorded in events
        if isinstance(event := recorded.event, ErasureCarriedOut)
    )


def dated(notes: Iterable[NoteView], found: Iterable[Erasure]) -> tuple[NoteView, ...]:
    """The notes, those without their text saying since when."""
    moments = [(one.position, one.at) for one in found if one.category is Category.CLINICAL]
    return tuple(
        note
        if note.status != "erased" or note.erased_at is not None
        else note.model_copy(update={"erased_at": _after(note, moments)})
        for note in notes
    )


def _after(note: NoteView, moments: Iterable[tuple[int, datetime]]) -> datetime | None:
    last = note.versions[-1].position if note.versions else 0
    return next((at for position, at in moments if position > last), None)


def erased_version(kind: VersionKind, recorded: Recorded) -> NoteVersion:
    """An act on a note of which no word is left."""
    return NoteVersion(
        version=recorded.version,
        kind=kind,
        author=recorded.actor,
        role=recorded.role,
        occurred_at=recorded.occurred_at.astimezone(UTC),
        recorded_at=recorded.recorded_at.astimezone(UTC),
        position=recorded.position,
        sections=Sections(),
        is_erased=True,
    )
