"""A note from first signature on. Its drafts lie outside the log and are nobody's evidence."""

from datetime import datetime
from typing import Literal

from domain.chart.commands import (
    AddAddendum,
    CorrectNote,
    LockNote,
    MoveNoteAway,
    MoveNoteIn,
    NoteCommand,
    RetractNote,
    SignNote,
)
from domain.chart.events import (
    AddendumAdded,
    NoteCorrected,
    NoteEvent,
    NoteLocked,
    NoteMovedAway,
    NoteMovedIn,
    NoteRetracted,
    NoteSigned,
    SectionName,
    Sections,
    reworded,
)
from domain.chart.policy import LATE_ENTRY_RULE, is_late_entry
from domain.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from domain.kernel.events import Decider, Frozen
from domain.kernel.ids import ActorId, ClientId
from domain.kernel.text import Prose, is_blank


class NoteNotSigned(Conflict):
    """Only a signed note can be amended."""

    code = "note_not_signed"


class NoteAlreadySigned(Conflict):
    """The note is signed, and its text has not changed since or is locked."""

    code = "note_already_signed"


class NoteIsLocked(Conflict):
    """A locked note takes addenda, corrections, retraction or a move; nothing else."""

    code = "note_locked"


class NoteIsRetracted(Conflict):
    """The note was entered in error and takes nothing more."""

    code = "note_retracted"


class NoteHasMoved(Conflict):
    """The note continues on another chart; `moved_to` says where."""

    code = "note_moved"


class NoteIsEmpty(Invalid):
    """A signature needs something to attest."""

    code = "note_empty"
    field = "sections"


class NothingCorrected(Invalid):
    """A correction names at least one section and changes its wording."""

    code = "nothing_corrected"
    field = "sections"


class NotTheAuthor(Forbidden):
    """Only the author corrects; anybody else who may amend adds an addendum."""

    code = "not_the_author"


class OccurredInFuture(Invalid):
    """Care cannot be charted before it happens."""

    code = "occurred_at_in_future"
    field = "occurred_at"


class WrongChart(NotFound):
    """The note belongs to another client."""

    code = "not_found"


class SameChart(Invalid):
    """The note is on that client's chart already."""

    code = "same_chart"
    field = "to_client_id"


class Note(Frozen):
    """Only what `decide` needs. What people read lives in projections."""

    status: Literal["unsigned", "signed", "retracted", "moved"] = "unsigned"
    client_id: ClientId | None = None
    author: ActorId | None = None
    occurred_at: datetime | None = None
    signed_at: datetime | None = None
    is_late_entry: bool = False
    is_locked: bool = False
    sections: Sections = Sections()
    addenda: tuple[Prose, ...] = ()
    moved_to: ClientId | None = None


def check_open(note: Note) -> None:
    """Permits drafting. Raises `NoteIsLocked`, `NoteIsRetracted`, `NoteHasMoved`."""
    if note.status == "retracted":
        raise NoteIsRetracted
    if note.status == "moved":
        raise NoteHasMoved(moved_to=note.moved_to)
    if note.is_locked:
        raise NoteIsLocked


def decide(note: Note, command: NoteCommand) -> tuple[NoteEvent, ...]:
    """Permits or refuses. Raises the errors above."""
    match command:
        case SignNote():
            return (_signed(note, command),)
        case MoveNoteIn():
            return (_moved_in(note, command),)
        case _:
            return (_amended(note, command),)


def _signed(note: Note, command: SignNote) -> NoteEvent:
    if note.status == "signed" and note.is_locked:
        raise NoteAlreadySigned
    check_open(note)
    if note.client_id not in {None, command.client_id}:
        raise WrongChart
    # Signing again before the lock is the author's second thought; others add an addendum.
    if note.author not in {None, command.by}:
        raise NotTheAuthor
    if command.occurred_at > command.at:
        raise OccurredInFuture
    _check_not_empty(command.sections)
    if (note.sections, note.occurred_at) == (command.sections, command.occurred_at):
        if not command.lock:
            raise NoteAlreadySigned
        return NoteLocked(client_id=command.client_id, occurred_at=command.occurred_at)
    return NoteSigned(
        client_id=command.client_id,
        sections=command.sections,
        occurred_at=command.occurred_at,
        signed_by=command.by,
        signed_at=command.at,
        is_locked=command.lock,
        is_late_entry=is_late_entry(command.occurred_at, command.at),
        rule=LATE_ENTRY_RULE,
        receipt=command.receipt,
    )


def _moved_in(note: Note, command: MoveNoteIn) -> NoteEvent:
    if note.status != "unsigned":
        raise NoteAlreadySigned
    if command.from_client_id == command.client_id:
        raise SameChart
    return NoteMovedIn(
        client_id=command.client_id,
        occurred_at=command.occurred_at,
        from_client_id=command.from_client_id,
        from_note_id=command.from_note_id,
        sections=command.sections,
        addenda=command.addenda,
        signed_by=command.signed_by,
        signed_at=command.signed_at,
        is_late_entry=command.is_late_entry,
        history=command.history,
        reason=command.reason,
    )


def _check_not_empty(sections: Sections) -> None:
    if all(is_blank(text) for text in dict(sections).values()):
        raise NoteIsEmpty


def _amended(
    note: Note, command: LockNote | AddAddendum | CorrectNote | RetractNote | MoveNoteAway
) -> NoteEvent:
    """What a signed note takes. Its time of care stays that of the note."""
    if note.status == "unsigned" or note.client_id is None or note.occurred_at is None:
        raise NoteNotSigned
    if note.status == "retracted":
        raise NoteIsRetracted
    if note.status == "moved":
        raise NoteHasMoved(moved_to=note.moved_to)
    client_id, occurred_at = note.client_id, note.occurred_at
    match command:
        case LockNote():
            check_open(note)
            return NoteLocked(client_id=client_id, occurred_at=occurred_at)
        case AddAddendum(text=text):
            return AddendumAdded(client_id=client_id, occurred_at=occurred_at, text=text)
        case CorrectNote(reason=reason):
            return NoteCorrected(
                client_id=client_id,
                occurred_at=occurred_at,
                changes=_real_changes(note, command),
                reason=reason,
            )
        case RetractNote(reason=reason):
            return NoteRetracted(client_id=client_id, occurred_at=occurred_at, reason=reason)
        case MoveNoteAway():
            if command.to_client_id == client_id:
                raise SameChart
            return NoteMovedAway(
                client_id=client_id,
                occurred_at=occurred_at,
                to_client_id=command.to_client_id,
                to_note_id=command.to_note_id,
                reason=command.reason,
            )


def _real_changes(note: Note, command: CorrectNote) -> dict[SectionName, str]:
    if command.by != note.author:
        raise NotTheAuthor
    before = dict(note.sections)
    changes = {name: text for name, text in command.changes.items() if before[name] != text}
    if not changes:
        raise NothingCorrected
    _check_not_empty(reworded(note.sections, changes))
    return changes


def evolve(note: Note, event: NoteEvent) -> Note:
    """Assigns; never refuses."""
    now: dict[str, object] = {}
    match event:
        case NoteSigned() | NoteMovedIn():
            now = {
                "status": "signed",
                "client_id": event.client_id,
                "author": event.signed_by,
                "occurred_at": event.occurred_at,
                "signed_at": event.signed_at,
                "is_late_entry": event.is_late_entry,
                "sections": event.sections,
            }
            # A moved note arrives locked, with its addenda; signing again leaves them in place.
            now |= (
                {"is_locked": event.is_locked}
                if isinstance(event, NoteSigned)
                else {"is_locked": True, "addenda": event.addenda}
            )
        case NoteLocked():
            now = {"is_locked": True}
        case AddendumAdded():
            now = {"addenda": (*note.addenda, event.text)}
        case NoteCorrected():
            now = {"sections": reworded(note.sections, event.changes)}
        case NoteRetracted():
            now = {"status": "retracted"}
        case NoteMovedAway():
            now = {"status": "moved", "moved_to": event.to_client_id}
    return note.model_copy(update=now)


NOTE = Decider(name="note", initial=Note(), decide=decide, evolve=evolve)
