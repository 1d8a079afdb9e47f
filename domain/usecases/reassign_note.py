"""Moving a note that was written on the wrong client's chart: two linked events, both legible."""

from collections.abc import Sequence
from datetime import datetime

from domain.chart.aggregate import NOTE, Note, NoteNotSigned
from domain.chart.commands import MoveNoteAway, MoveNoteIn
from domain.chart.events import AddendumAdded, EarlierEntry, NoteCorrected, NoteMovedIn, NoteSigned
from domain.client.aggregate import Client, ClientUnknown, living_record
from domain.kernel.events import Act, Recorded
from domain.kernel.ids import ActorId, NoteId


def reassign(
    history: Sequence[Recorded],
    note_id: NoteId,
    successor_id: NoteId,
    to_client: Client,
    reason: str,
    *,
    by: ActorId,
    at: datetime,
) -> tuple[Act, ...]:
    """The wrong chart says where the note went; the right one shows it, signed by its author.

    `history` is the note's stream. Raises `NoteNotSigned`, and `ClientUnknown` or `ClientMerged`
    for the receiving client.
    """
    living_record(to_client)
    note = NOTE.fold([recorded.event for recorded in history])
    if to_client.client_id is None:
        raise ClientUnknown
    if (
        note.client_id is None
        or note.author is None
        or note.occurred_at is None
        or note.signed_at is None
    ):
        raise NoteNotSigned
    away = MoveNoteAway(
        by=by, at=at, to_client_id=to_client.client_id, to_note_id=successor_id, reason=reason
    )
    arrive = MoveNoteIn(
        by=by,
        at=at,
        client_id=to_client.client_id,
        from_client_id=note.client_id,
        from_note_id=note_id,
        sections=note.sections,
        addenda=note.addenda,
        signed_by=note.author,
        signed_at=note.signed_at,
        is_late_entry=note.is_late_entry,
        history=_entries(history),
        occurred_at=note.occurred_at,
        reason=reason,
    )
    return Act(NOTE, note_id, away), Act(NOTE, successor_id, arrive)


def _entries(history: Sequence[Recorded]) -> tuple[EarlierEntry, ...]:
    """Who wrote what when; a note moved before brings along what it brought then."""
    entries: list[EarlierEntry] = []
    note = NOTE.initial
    for recorded in history:
        note = NOTE.evolve(note, recorded.event)
        entries.extend(_entry(recorded, note))
    return tuple(entries)


def _entry(recorded: Recorded, note: Note) -> tuple[EarlierEntry, ...]:
    match recorded.event:
        case NoteMovedIn(history=brought_along):
            return brought_along
        case NoteSigned() as event:
            return (
                EarlierEntry(
                    kind="signature",
                    author=event.signed_by,
                    recorded_at=recorded.recorded_at,
                    sections=note.sections,
                    is_late_entry=event.is_late_entry,
                ),
            )
        case AddendumAdded(text=text):
            return (
                EarlierEntry(
                    kind="addendum",
                    author=recorded.actor,
                    recorded_at=recorded.recorded_at,
                    sections=note.sections,
                    text=text,
                ),
            )
        case NoteCorrected(reason=reason):
            return (
                EarlierEntry(
                    kind="correction",
                    author=recorded.actor,
                    recorded_at=recorded.recorded_at,
                    sections=note.sections,
                    reason=reason,
                ),
            )
        case _:
            return ()
