"""The record as it was written, event by event, and who has read it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from api.asking import Asking
from domain.client.aggregate import ClientUnknown
from domain.kernel.events import Frozen, Recorded
from domain.kernel.text import EARLIEST, LATEST
from record.access import Accessed, Action
from record.envelope import Shredded
from record.practice import LAST

LOOKED_THROUGH = 2_000
"""Accesses that a filter goes through for one page."""


class EventItem(Frozen):
    """One event of a client's record. `body` is the fact itself."""

    position: int
    stream_id: UUID
    version: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    actor_id: UUID
    role: str
    body: dict[str, Any]
    leaf_hash: str
    is_erased: bool = False
    """Its key was destroyed: what it said can never be read again; place, time and hash remain."""


class AccessItem(Frozen):
    """One access to a client's record, allowed or not."""

    position: int
    at: datetime
    actor: str
    actor_id: UUID
    role: str
    action: str
    what: str
    purpose: str
    outcome: str
    thing_id: UUID | None = None


def replay(
    asking: Asking,
    client_id: UUID,
    first: int | datetime | None,
    last: int | datetime | None,
    limit: int,
) -> tuple[list[Recorded], int | None]:
    """Events as they were recorded, oldest first, and the position where the next page begins.

    Raises `ClientUnknown`, `AccessNotLogged`.
    """
    _check_client(asking, client_id, "replay", "events")
    asking.note("replay", "events", [client_id])
    events = asking.practice.about(
        [client_id],
        after=min(max(first - 1, 0), LAST) if isinstance(first, int) else 0,
        until=min(max(last, 0), LAST) if isinstance(last, int) else LAST,
        recorded=(
            first if isinstance(first, datetime) else EARLIEST,
            last if isinstance(last, datetime) else LATEST,
        ),
        limit=limit + 1,
    )
    following = events[limit].position if len(events) > limit else None
    return events[:limit], following


def event_items(asking: Asking, events: Iterable[Recorded]) -> list[EventItem]:
    """Events for reading, their actors by name."""
    names = asking.platform.identity.names(asking.context.practice_id)
    return [_item(one, names) for one in events]


def read_accesses(
    asking: Asking,
    client_id: UUID,
    before: int | None,
    limit: int,
    wanted: Callable[[AccessItem], bool] | None = None,
) -> tuple[list[AccessItem], int | None]:
    """A page of accesses, newest first, and where the next one begins.

    Raises `ClientUnknown`, `AccessNotLogged`.
    """
    _check_client(asking, client_id, "read", "accesses")
    asking.note("read", "accesses", [client_id])
    through = limit + 1 if wanted is None else LOOKED_THROUGH
    entries = asking.platform.accesses.of_client(
        asking.context.practice_id, client_id, before=before, limit=through
    )
    names = asking.platform.identity.names(asking.context.practice_id)
    found = [_access(one, names) for one in entries]
    if wanted is not None:
        found = [one for one in found if wanted(one)]
    following = None
    if len(found) > limit:
        following = found[limit - 1].position
    elif len(entries) == through:
        following = entries[-1].position
    return found[:limit], following


def _check_client(asking: Asking, client_id: UUID, action: Action, what: str) -> None:
    """The id of anything else, a note's too, is as unknown as any other. Raises `ClientUnknown`."""
    if not asking.practice.began_as(client_id).startswith("client."):
        asking.note(action, what, [client_id], outcome="not_found")
        raise ClientUnknown


def _item(one: Recorded, names: dict[UUID, str]) -> EventItem:
    return EventItem(
        position=one.position,
        stream_id=one.stream_id,
        version=one.version,
        type=one.event.stored_type if isinstance(one.event, Shredded) else one.event.type,
        occurred_at=one.occurred_at,
        recorded_at=one.recorded_at,
        actor=names.get(one.actor, "unknown"),
        actor_id=one.actor,
        role=one.role,
        body=one.event.model_dump(mode="json"),
        leaf_hash=one.leaf_hash.hex(),
        is_erased=isinstance(one.event, Shredded),
    )


def _access(one: Recorded, names: dict[UUID, str]) -> AccessItem:
    event = one.event
    if not isinstance(event, Accessed):
        message = f"position {one.position} of the access log is no access"
        raise TypeError(message)
    return AccessItem(
        position=one.position,
        at=one.recorded_at,
        actor=names.get(one.actor, "unknown"),
        actor_id=one.actor,
        role=one.role,
        action=event.action,
        what=event.what,
        purpose=one.purpose,
        outcome=event.outcome,
        thing_id=event.thing_id,
    )
