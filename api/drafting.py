"""A note from its first word to its signature: one function per act, for JSON and pages alike."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.asking import Asking
from api.reading import DraftText, live_draft, note_of
from api.writing import by
from domain.chart.aggregate import NOTE, Note, NoteNotSigned, OccurredInFuture, check_open
from domain.chart.commands import SignNote
from domain.chart.events import SECTIONS, Receipt, Sections
from domain.client.aggregate import CLIENT, living_record
from domain.kernel.errors import DomainError
from domain.kernel.events import Frozen
from domain.kernel.ids import ClientId, derived
from domain.kernel.text import Moment, Section
from record.drafts import Draft, NotYourDraft, StaleDraft
from record.errors import StaleVersion
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


def open_note(
    asking: Asking, client_id: UUID, draft: DraftIn, expected: int | None = None
) -> Saved:
    """Starts a note on a living record. Asking again with the same key is answered alike."""
    context = asking.context
    note_id = derived(context.practice_id, "note", str(context.command_id))
    if asking.platform.drafts.find(context.practice_id, note_id) is None:
        history = asking.practice.stream(client_id)
        living_record(CLIENT.fold([one.event for one in history]))
        if expected is not None and expected != len(history):
            raise StaleVersion(current_version=len(history))
        _check_occurred(asking, draft)
    text = draft.text(context.at)
    _, position = asking.platform.drafts.open(context, note_id, ClientId(client_id), text)
    asking.note("draft", "note", [client_id], thing_id=note_id)
    return Saved(id=note_id, version=0, revision=1, position=position)


def save_draft(asking: Asking, note_id: UUID, text: DraftIn, expected: int | None = None) -> Saved:
    """Saves unsigned text. Raises `StaleDraft`, `NotYourDraft`, and what closes a note."""
    draft, events = live_draft(asking, note_id)
    note = note_of(events)
    check_open(note)
    if expected is not None and expected != len(events):
        raise StaleVersion(current_version=len(events))
    _check_occurred(asking, text)
    if draft is None:
        revision = _reopened(asking, note, note_id, text, len(events))
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
    """Signs the draft as it stands, which is its author's to sign, or locks what was signed.

    `revision` is the one the signer had on screen, if she says. Raises `StaleDraft` when another
    revision was saved since, `NotYourDraft`, and what the decider raises.
    """
    answered = asking.practice.answered(asking.context)
    if answered is not None:
        return answered
    draft, events = live_draft(asking, note_id)
    note = note_of(events)
    client_id = _chart_of(draft, note)
    is_live = draft is not None and draft.base_version == len(events)
    if draft is None or not is_live:
        sections, occurred_at = note.sections, note.occurred_at
    else:
        if draft.author != asking.context.actor_id:
            raise NotYourDraft
        if revision is not None and revision != draft.revision:
            raise StaleDraft(current_revision=draft.revision)
        text = DraftText.model_validate_json(draft.text)
        sections, occurred_at = text.sections, text.occurred_at
    command = SignNote(
        **by(asking),
        client_id=client_id,
        sections=sections,
        occurred_at=occurred_at or asking.context.at,
        lock=lock,
        receipt=_receipt(asking, client_id, seen_position),
    )
    version = len(events) if expected is None else expected
    if draft is None or not is_live:
        return asking.practice.handle(NOTE, note_id, command, asking.context, expected=version)
    return _signed(asking, draft, command, version)


def _signed(asking: Asking, draft: Draft, command: SignNote, expected: int) -> Written:
    """Signs the very revision that was read: it is claimed until the signature is in the log."""
    try:
        with asking.platform.drafts.claimed(asking.context, draft):
            return asking.practice.handle(
                NOTE, draft.stream_id, command, asking.context, expected=expected
            )
    except DomainError:
        # Sent twice at once, the first of the two may have done what the second is refused for.
        answered = asking.practice.answered(asking.context)
        if answered is None:
            raise
        return answered


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
    return asking.platform.drafts.reopen(
        asking.context,
        note_id,
        _chart_of(None, note),
        text.text(note.occurred_at or asking.context.at),
        base_version,
    ).revision


def _receipt(asking: Asking, client_id: UUID, seen_position: int | None) -> Receipt:
    """Which chart the signer had before her: its projection, position and notes."""
    documents, position = asking.platform.chart_view.charts(asking.context.practice_id, client_id)
    return Receipt(
        projection=asking.platform.chart_view.name,
        position=position if seen_position is None else min(seen_position, position),
        shown=tuple(note.id for document in documents for note in document.notes),
    )
