"""What may be asked of a client's record or a note: one function per act, for JSON and pages."""

from typing import Any
from uuid import UUID

from api.asking import Asking
from api.reading import live_draft
from domain.chart.aggregate import (
    NOTE,
    NothingCorrected,
)
from domain.chart.commands import AddAddendum, CorrectNote, RetractNote
from domain.client.aggregate import (
    CLIENT,
    Client,
    ClientsNotMerged,
    ClientUnknown,
)
from domain.client.commands import (
    ChangeContactDetails,
    RecordDeath,
    RegisterClient,
    WithdrawDeath,
)
from domain.client.events import Details
from domain.kernel.events import Command
from domain.kernel.ids import ClientId, NoteId, derived
from domain.usecases.merge_clients import merge, unmerge
from domain.usecases.reassign_note import reassign
from record.ids import new_id
from record.practice import Written


def register(asking: Asking, details: Details) -> Written:
    """Opens a record for a new client."""
    client_id = ClientId(new_id())
    command = RegisterClient(**by(asking), client_id=client_id, details=details)
    return asking.practice.handle(CLIENT, client_id, command, asking.context)


def change_details(
    asking: Asking, client_id: UUID, fields: dict[str, Any], expected: int | None = None
) -> Written:
    """Changes the fields that are given."""
    command = ChangeContactDetails(**by(asking), **fields)
    return _client(asking, client_id, command, expected)


def record_death(asking: Asking, client_id: UUID, fields: dict[str, Any]) -> Written:
    """Records a death."""
    return _client(asking, client_id, RecordDeath(**by(asking), **fields))


def withdraw_death(asking: Asking, client_id: UUID, reason: str) -> Written:
    """Takes back a death recorded in error."""
    return _client(asking, client_id, WithdrawDeath(**by(asking), reason=reason))


def merge_clients(
    asking: Asking, kept: UUID, other: UUID, reason: str, expected: int | None = None
) -> Written:
    """The kept record takes the other in."""
    acts = merge(ClientId(kept), ClientId(other), reason, **by(asking))
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
    acts = unmerge(kept, away, reason, **by(asking))
    if kept != client_id:
        acts = tuple(reversed(acts))
    return asking.practice.handle_many(acts, asking.context, expected=expected)


def add_addendum(asking: Asking, note_id: UUID, text: str, expected: int | None = None) -> Written:
    """Adds below the signed text."""
    return _note(asking, note_id, AddAddendum(**by(asking), text=text), expected)


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
    command = CorrectNote(**by(asking), changes=changes, reason=reason)
    return _note(asking, note_id, command, expected)


def retract_note(
    asking: Asking, note_id: UUID, reason: str, expected: int | None = None
) -> Written:
    """Marks the note as entered in error."""
    return _note(asking, note_id, RetractNote(**by(asking), reason=reason), expected)


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
    acts = reassign(events, NoteId(note_id), successor, target, reason, **by(asking))
    return asking.practice.handle_many(acts, context, expected=expected), successor


def client_of(asking: Asking, client_id: UUID) -> Client:
    """The client as its decider sees it."""
    return CLIENT.fold([one.event for one in asking.practice.stream(client_id)])


def by(asking: Asking) -> dict[str, Any]:
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
