"""The chart as a document, and how each event changes it. The replay folds this very function."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Literal, cast
from uuid import UUID

from domain.chart.events import (
    AddendumAdded,
    NoteCorrected,
    NoteEvent,
    NoteLocked,
    NoteMovedAway,
    NoteMovedIn,
    NoteRetracted,
    NoteSigned,
    Sections,
    reworded,
)
from domain.client.events import (
    ClientAbsorbed,
    ClientEvent,
    ClientMergedAway,
    ClientRegistered,
    ClientReleased,
    ClientRestored,
    ContactDetailsChanged,
    DeathRecorded,
    DeathWithdrawn,
    Details,
)
from domain.compliance.events import ErasureCarriedOut
from domain.kernel.events import Frozen, Recorded
from projections.chart_view.erased import KINDS, Erasure, dated, erased_version, erasures
from projections.chart_view.note import NoteStatus, NoteVersion, NoteView, VersionKind
from record.envelope import Shredded

View = Literal["known", "true"]


class ChartDocument(Frozen):
    """Everything known of one client at some position."""

    client_id: UUID | None = None
    details: Details | None = None
    registered_at: datetime | None = None
    version: int = 0
    died_on: date | None = None
    merged_into: UUID | None = None
    absorbed: tuple[UUID, ...] = ()
    notes: tuple[NoteView, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    position: int = 0


def fold(events: Iterable[Recorded], document: ChartDocument | None = None) -> ChartDocument:
    """The document after the events, starting from an earlier one or from nothing.

    Events that are not about this client's identity or notes leave it as it is.
    """
    before = document or ChartDocument()
    # What changes is gathered first: copying the document for every event would cost the most.
    changes: dict[str, object] = dict(before)
    notes = {note.id.int: note for note in before.notes}
    for recorded in events:
        event = recorded.event
        if isinstance(event, ClientEvent):
            changes |= _identity(changes, event, recorded)
            changes |= {"client_id": event.client_id, "version": recorded.version}
        elif isinstance(event, NoteEvent) and _note(notes, event, recorded):
            changes["client_id"] = event.client_id
        elif isinstance(event, Shredded) and recorded.subject is not None:
            changes |= _shredded(notes, event.stored_type, recorded)
        elif isinstance(event, ErasureCarriedOut):
            told = cast("tuple[Erasure, ...]", changes["erasures"])
            changes["erasures"] = (*told, *erasures([recorded]))
        changes["position"] = recorded.position
    latest_care_first = sorted(
        notes.values(), key=lambda note: (note.occurred_at, note.id.int), reverse=True
    )
    shown = dated(latest_care_first, cast("tuple[Erasure, ...]", changes["erasures"]))
    return before.model_copy(update={**changes, "notes": shown})


def as_of(events: Iterable[Recorded], moment: datetime, view: View) -> ChartDocument:
    """The chart at a moment, as `known` or as `true` then.

    Known: what was recorded by then. True: by what is known now, what had occurred by then.
    What was erased since cannot be shown as it was; so at every moment the chart tells of it.
    """
    found = list(events)
    if view == "known":
        document = fold(one for one in found if one.recorded_at <= moment)
    else:
        document = fold(one for one in found if one.occurred_at <= moment)
    erased = erasures(found)
    return document.model_copy(update={"erasures": erased, "notes": dated(document.notes, erased)})


def _identity(
    before: Mapping[str, object], event: ClientEvent, recorded: Recorded
) -> dict[str, object]:
    changes: dict[str, object] = {}
    absorbed = cast("tuple[UUID, ...]", before["absorbed"])
    match event:
        case ClientRegistered():
            at = recorded.recorded_at.astimezone(UTC)
            changes = {"details": event.details, "registered_at": at}
        case ContactDetailsChanged():
            changes = {"details": event.details}
        case DeathRecorded():
            changes = {"died_on": event.died_on}
        case DeathWithdrawn():
            changes = {"died_on": None}
        case ClientAbsorbed():
            changes = {"absorbed": (*absorbed, event.other_client_id)}
        case ClientReleased():
            kept = tuple(one for one in absorbed if one != event.other_client_id)
            changes = {"absorbed": kept}
        case ClientMergedAway():
            changes = {"merged_into": event.into_client_id}
        case ClientRestored():
            changes = {"merged_into": None}
        case _:
            pass
    return changes


def _shredded(
    notes: dict[int, NoteView], stored_type: str, recorded: Recorded
) -> dict[str, object]:
    """What the header of an event still says when its key was destroyed."""
    changes: dict[str, object] = {"client_id": recorded.subject}
    if stored_type == ClientRegistered.type:
        changes["registered_at"] = recorded.recorded_at.astimezone(UTC)
    if stored_type.startswith("client."):
        changes["version"] = recorded.version
    elif recorded.subject is not None and stored_type.startswith("note."):
        key, at = recorded.stream_id.int, recorded.occurred_at.astimezone(UTC)
        note = notes.get(key) or NoteView(
            id=recorded.stream_id, client_id=recorded.subject, status="erased", occurred_at=at
        )
        versions = note.versions
        if stored_type in KINDS:
            versions = (*versions, erased_version(KINDS[stored_type], recorded))
        notes[key] = note.model_copy(
            update={"status": "erased", "is_locked": True, "occurred_at": at,
                    "version": recorded.version, "versions": versions}
        )  # fmt: skip
    return changes


def _note(notes: dict[int, NoteView], event: NoteEvent, recorded: Recorded) -> bool:
    """Moves one note on; false for a later act whose signature lies outside the view."""
    # By the number in the id, which is compared quicker than the id.
    key = recorded.stream_id.int
    before = notes.get(key)
    if before is None:
        if not isinstance(event, NoteSigned | NoteMovedIn):
            return False
        before = NoteView(
            id=recorded.stream_id,
            client_id=event.client_id,
            status="draft",
            occurred_at=event.occurred_at,
        )
    notes[key] = _after(before, event, recorded)
    return True


def _after(note: NoteView, event: NoteEvent, recorded: Recorded) -> NoteView:
    if isinstance(event, NoteLocked):
        return note.model_copy(update={"is_locked": True, "version": recorded.version})
    text = note.sections if note.versions else Sections()
    kind: VersionKind
    status: NoteStatus = "amended"
    changes: dict[str, object] = {}
    match event:
        case NoteSigned():
            kind = "late_entry" if event.is_late_entry else "signed"
            status = "signed"
            if note.versions:
                changed = tuple(n for n, new in event.sections if getattr(text, n) != new)
                changes = {"changed": changed}
            text = event.sections
        case AddendumAdded():
            kind, changes = "addendum", {"addendum": event.text}
        case NoteCorrected():
            kind = "correction"
            text = reworded(text, event.changes)
            changes = {"reason": event.reason, "changed": tuple(event.changes)}
        case NoteRetracted():
            kind, status, changes = "retraction", "entered_in_error", {"reason": event.reason}
        case NoteMovedAway():
            kind, status = "moved_away", "moved"
            changes = {
                "reason": event.reason,
                "linked_client_id": event.to_client_id,
                "linked_note_id": event.to_note_id,
            }
        case NoteMovedIn():
            kind, status, text = "moved_in", "signed", event.sections
            changes = {
                "reason": event.reason,
                "addendum": "\n\n".join(event.addenda) or None,
                "linked_client_id": event.from_client_id,
                "linked_note_id": event.from_note_id,
                "history": event.history,
            }
        case _:
            return note
    author = event.signed_by if isinstance(event, NoteMovedIn) else recorded.actor
    version = NoteVersion.model_validate(
        {
            "version": recorded.version,
            "kind": kind,
            "author": author,
            "role": recorded.role,
            "occurred_at": event.occurred_at,
            # In UTC, so that the stored text is the same whatever zone the connection speaks.
            "recorded_at": recorded.recorded_at.astimezone(UTC),
            "position": recorded.position,
            "sections": text,
            **changes,
        }
    )
    is_locked = (
        note.is_locked
        or isinstance(event, NoteMovedIn)
        or (isinstance(event, NoteSigned) and event.is_locked)
    )
    return note.model_copy(
        update={"status": status, "is_locked": is_locked, "versions": (*note.versions, version),
                "version": recorded.version,
                "occurred_at": event.occurred_at}
    )  # fmt: skip
