"""What may be asked of a note."""

from domain.chart.events import EarlierEntry, Receipt, SectionName, Sections
from domain.kernel.events import Command
from domain.kernel.ids import ActorId, ClientId, NoteId
from domain.kernel.text import Moment, Prose, Reason, Section


class SignNote(Command):
    """Attests the text; `lock` closes the note to further drafting in the same act."""

    client_id: ClientId
    sections: Sections
    occurred_at: Moment
    lock: bool = True
    receipt: Receipt | None = None


class LockNote(Command):
    """Closes a signed note to further drafting."""


class AddAddendum(Command):
    """Adds below the signed text."""

    text: Prose


class CorrectNote(Command):
    """Changes the wording of sections, with a reason."""

    changes: dict[SectionName, Section]
    reason: Reason


class RetractNote(Command):
    """Marks the note as entered in error."""

    reason: Reason


class MoveNoteAway(Command):
    """Asks the note on the wrong chart to point at its successor."""

    to_client_id: ClientId
    to_note_id: NoteId
    reason: Reason


class MoveNoteIn(Command):
    """Asks for the successor on the right chart."""

    client_id: ClientId
    from_client_id: ClientId
    from_note_id: NoteId
    sections: Sections
    addenda: tuple[Prose, ...]
    signed_by: ActorId
    signed_at: Moment
    is_late_entry: bool = False
    history: tuple[EarlierEntry, ...] = ()
    occurred_at: Moment
    reason: Reason


NoteCommand = (
    SignNote | LockNote | AddAddendum | CorrectNote | RetractNote | MoveNoteAway | MoveNoteIn
)
