"""Moving a note that was written on the wrong client's chart: two linked events, both legible."""

from datetime import datetime

from domain.chart.aggregate import NOTE, Note, NoteNotSigned
from domain.chart.commands import MoveNoteAway, MoveNoteIn
from domain.client.aggregate import Client, living_record
from domain.kernel.events import Act
from domain.kernel.ids import ActorId, ClientId, NoteId


def reassign(  # noqa: PLR0913 - both notes and both clients, each named
    note: Note,
    note_id: NoteId,
    successor_id: NoteId,
    to_client: Client,
    reason: str,
    *,
    by: ActorId,
    at: datetime,
) -> tuple[Act, ...]:
    """The wrong chart says where the note went; the right one shows it, signed by its author.

    Raises `NoteNotSigned`, and `ClientUnknown` or `ClientMerged` for the receiving client.
    """
    living_record(to_client)
    to_client_id: ClientId | None = to_client.client_id
    if (
        note.client_id is None
        or note.author is None
        or note.occurred_at is None
        or note.signed_at is None
        or to_client_id is None
    ):
        raise NoteNotSigned
    away = MoveNoteAway(
        by=by, at=at, to_client_id=to_client_id, to_note_id=successor_id, reason=reason
    )
    arrive = MoveNoteIn(
        by=by,
        at=at,
        client_id=to_client_id,
        from_client_id=note.client_id,
        from_note_id=note_id,
        sections=note.sections,
        addenda=note.addenda,
        signed_by=note.author,
        signed_at=note.signed_at,
        occurred_at=note.occurred_at,
        reason=reason,
    )
    return Act(NOTE, note_id, away), Act(NOTE, successor_id, arrive)
