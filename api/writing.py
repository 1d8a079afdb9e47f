"""What may be asked of a client's record or a note: one function per act, for JSON and pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.asking import Asking
from api.reading import DraftText, live_draft, note_of
from domain.chart.aggregate import (
    NOTE,
    Note,
    NoteNotSigned,
    NothingCorrected,
    OccurredInFuture,
    check_open,
)
from domain.chart.commands import AddAddendum, CorrectNote, RetractNote, SignNote
from domain.chart.events import SECTIONS, Receipt, Sections
from domain.client.aggregate import (
    CLIENT,
    Client,
    ClientsNotMerged,
    ClientUnknown,
    living_record,
)
from domain.client.commands import (
    ChangeContactDetails,
    RecordDeath,
    RegisterClient,
    WithdrawDeath,
)
from domain.client.events import Details
from domain.kernel.events import Command, Frozen
from domain.kernel.ids import ClientId, NoteId, derived
from domain.kernel.text import Moment, Section
from domain.usecases.merge_clients import merge, unmerge
from domain.usecases.reassign_note import reassign
from record.drafts import Draft, StaleDraft
from record.errors import StaleVersion
from record.ids import new_id
from record.practice import Written


class DraftIn(Frozen):
    """The text of a draft, and when the care took place (left out: now, or as it was)."""

    subjective: Section = ""
    objective: Section = ""
    assessment: Section = ""
    plan: Section = ""
    occurred_at: Moment | None = None
    revision: int | None = Field(default=None, strict=True, ge=0)

    def text(self, otherwise: datetime) -> bytes:
        """As it is stored."""
        sections = Sections(**{name: getattr(self, name) for name in SECTIONS})
        return (
            DraftText(sections=sections, occurred_at=self.occurred_at or otherwise)
            .model_dump_json()
            .encode()
        )


class Saved(Frozen):
    """A draft was saved: the note's stream version, and the revision to save upon."""

    id: UUID
    version: int
    revision: int
    position: int


def register(asking: Asking, details: Details) -> Written:
    """Opens a record for a new client."""
    client_id = ClientId(new_id())
    command = RegisterClient(**_by(asking), client_id=client_id, details=details)
    return asking.practice.handle(CLIENT, client_id, command, asking.context)


def change_details(
    asking: Asking, client_id: UUID, fields: dict[str, Any], expected: int | None = None
) -> Written:
    """Changes the fields that are given."""
    command = ChangeContactDetails(**_by(asking), **fields)
    return _client(asking, client_id, command, expected)


def record_death(asking: Asking, client_id: UUID, fields: dict[str, Any]) -> Written:
    """Records a death."""
    return _client(asking, client_id, RecordDeath(**_by(asking), **fields))


def withdraw_death(asking: Asking, client_id: UUID, reason: str) -> Written:
    """Takes back a death recorded in error."""
    return _client(asking, client_id, WithdrawDeath(**_by(asking), reason=reason))


def merge_clients(
    asking: Asking, kept: UUID, other: UUID, reason: str, expected: int | None = None
) -> Written:
    """The kept record takes the other in."""
    acts = merge(ClientId(kept), ClientId(other), reason, **_by(asking))
    return asking.practice.handle_many(acts, asking.context, expected=expected)


def unmerge_clients(
    asking: Asking,
    client_id: UUID,
    other: UUID | None = None,
    reason: str = "merged in error",
    expected: int | None = None,
) -> Written:
    """Undoes a merge, named from either side; without `other`, the record's latest one.

    Raises `ClientsNotMerged`.
    """
    client = client_of(asking, client_id)
    if client.details is None:
        raise ClientUnknown
    if client.merged_into is not None:
        kept, away = client.merged_into, ClientId(client_id)
    elif other is not None or client.absorbed:
        kept, away = ClientId(client_id), ClientId(other or client.absorbed[-1])
    else:
        already = asking.practice.answered(asking.context)
        if already is None:
            raise ClientsNotMerged
        return already
    acts = unmerge(kept, away, reason, **_by(asking))
    if kept != client_id:
        acts = tuple(reversed(acts))
    return asking.practice.handle_many(acts, asking.context, expected=expected)


def open_note(asking: Asking, client_id: UUID, draft: DraftIn) -> Saved:
    """Starts a note on a living record. Asking again with the same key is answered alike."""
    context = asking.context
    asking.practice.answered(context)  # a key used for another act: `IdempotencyMismatch`
    note_id = derived(context.practice_id, "note", str(context.command_id))
    history = asking.practice.stream(client_id)
    if asking.platform.drafts.find(context.practice_id, note_id) is None:
        living_record(CLIENT.fold([one.event for one in history]))
        _check_occurred(asking, draft)
    opened = asking.platform.drafts.open(
        context, note_id, ClientId(client_id), draft.text(context.at)
    )
    asking.note("draft", "note", [client_id], thing_id=note_id)
    # A draft has no position of its own: it stands on what was known of the client by then.
    known = [one.position for one in history if one.recorded_at <= opened.opened_at]
    return Saved(id=note_id, version=0, revision=1, position=max(known, default=1))


def save_draft(asking: Asking, note_id: UUID, text: DraftIn, expected: int | None = None) -> Saved:
    """Saves unsigned text. Raises `StaleDraft`, `NotYourDraft`, and what closes a note."""
    draft, events = live_draft(asking, note_id)
    note = note_of(events)
    check_open(note)
    if expected is not None and expected != len(events):
        raise StaleVersion(current_version=len(events))
    _check_occurred(asking, text)
    if draft is None:
        started = _reopened(asking, note, note_id, text, len(events))
        revision = started
    else:
        kept = DraftText.model_validate_json(draft.text).occurred_at
        revision = _revised(asking, draft, text.text(kept), len(events), text.revision)
    asking.note("draft", "note", [_chart_of(draft, note)], thing_id=note_id)
    return Saved(
        id=note_id, version=len(events), revision=revision, position=asking.practice.position()
    )


def sign_note(
    asking: Asking,
    note_id: UUID,
    *,
    lock: bool = True,
    revision: int | None = None,
    seen_position: int | None = None,
    expected: int | None = None,
) -> Written:
    """Signs the draft as it stands. `revision` is the one the signer had on screen, if she says.

    Raises `StaleDraft` when another revision was saved since, and what the decider raises.
    """
    answered = asking.practice.answered(asking.context)
    if answered is not None:
        return answered
    draft, events = live_draft(asking, note_id)
    note = note_of(events)
    sections, occurred_at = note.sections, note.occurred_at
    client_id = _chart_of(draft, note)
    if draft is not None and draft.base_version == len(events):
        if revision is not None and revision != draft.revision:
            raise StaleDraft(current_revision=draft.revision)
        text = DraftText.model_validate_json(draft.text)
        sections, occurred_at = text.sections, text.occurred_at
    command = SignNote(
        **_by(asking),
        client_id=client_id,
        sections=sections,
        occurred_at=occurred_at or asking.context.at,
        lock=lock,
        receipt=_receipt(asking, client_id, seen_position),
    )
    living_record(client_of(asking, client_id))
    return asking.practice.handle(
        NOTE,
        note_id,
        command,
        asking.context,
        expected=len(events) if expected is None else expected,
    )


def add_addendum(asking: Asking, note_id: UUID, text: str, expected: int | None = None) -> Written:
    """Adds below the signed text."""
    return _note(asking, note_id, AddAddendum(**_by(asking), text=text), expected)


def correct_note(
    asking: Asking,
    note_id: UUID,
    changes: dict[Any, str],
    reason: str,
    expected: int | None = None,
) -> Written:
    """Changes the wording of sections. Raises `NothingCorrected` if none is named."""
    if not changes:
        raise NothingCorrected
    command = CorrectNote(**_by(asking), changes=changes, reason=reason)
    return _note(asking, note_id, command, expected)


def retract_note(
    asking: Asking, note_id: UUID, reason: str, expected: int | None = None
) -> Written:
    """Marks the note as entered in error."""
    return _note(asking, note_id, RetractNote(**_by(asking), reason=reason), expected)


def reassign_note(
    asking: Asking, note_id: UUID, to_client_id: UUID, reason: str, expected: int | None = None
) -> tuple[Written, UUID]:
    """Moves the note to another chart; returns what was written and the successor's id."""
    context = asking.context
    successor = NoteId(derived(context.practice_id, "successor", str(context.command_id)))
    answered = asking.practice.answered(context)
    if answered is not None:
        return answered, successor
    _, events = live_draft(asking, note_id)
    target = client_of(asking, to_client_id)
    acts = reassign(events, NoteId(note_id), successor, target, reason, **_by(asking))
    return asking.practice.handle_many(acts, context, expected=expected), successor


def client_of(asking: Asking, client_id: UUID) -> Client:
    """The client as its decider sees it."""
    return CLIENT.fold([one.event for one in asking.practice.stream(client_id)])


def _by(asking: Asking) -> dict[str, Any]:
    """Who asks and when, on the practice's clock: its offset decides which day is today."""
    return {
        "by": asking.context.actor_id,
        "at": asking.context.at.astimezone(asking.member.zone),
    }


def _client(
    asking: Asking, client_id: UUID, command: Command, expected: int | None = None
) -> Written:
    return asking.practice.handle(CLIENT, client_id, command, asking.context, expected=expected)


def _note(asking: Asking, note_id: UUID, command: Command, expected: int | None) -> Written:
    live_draft(asking, note_id)  # a note that is not there is 404, not "unsigned"
    return asking.practice.handle(NOTE, note_id, command, asking.context, expected=expected)


def _chart_of(draft: Draft | None, note: Note) -> ClientId:
    if draft is not None:
        return draft.client_id
    if note.client_id is None:
        raise NoteNotSigned
    return note.client_id


def _check_occurred(asking: Asking, draft: DraftIn) -> None:
    if draft.occurred_at is not None and draft.occurred_at > asking.context.at:
        raise OccurredInFuture


def _revised(
    asking: Asking, draft: Draft, text: bytes, base_version: int, revision: int | None
) -> int:
    """Saves, unless just that is saved already: sending a save again changes nothing."""
    is_saved = (draft.author, draft.text, draft.base_version) == (
        asking.context.actor_id,
        text,
        base_version,
    )
    if is_saved:
        return draft.revision
    saved = asking.platform.drafts.save(
        asking.context, draft, text, base_version=base_version, revision=revision
    )
    return saved.revision


def _reopened(asking: Asking, note: Note, note_id: UUID, text: DraftIn, base_version: int) -> int:
    """A signed note whose draft was not written here has none of its own yet."""
    opened = asking.platform.drafts.open(
        asking.context,
        note_id,
        _chart_of(None, note),
        text.text(note.occurred_at or asking.context.at),
        base_version=base_version,
    )
    return opened.revision


def _receipt(asking: Asking, client_id: UUID, seen_position: int | None) -> Receipt:
    """Which chart the signer had before her: its projection, position and notes."""
    documents, position = asking.platform.chart_view.charts(asking.context.practice_id, client_id)
    return Receipt(
        projection=asking.platform.chart_view.name,
        position=position if seen_position is None else min(seen_position, position),
        shown=tuple(note.id for document in documents for note in document.notes),
    )
