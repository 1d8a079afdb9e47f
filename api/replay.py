"""The record as it was written, event by event, and who has read it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from api.asking import Asking
from domain.client.aggregate import ClientUnknown
from domain.kernel.events import Frozen, Recorded
from record.access import Accessed
from record.envelope import Shredded


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


def read_events(
    asking: Asking,
    client_id: UUID,
    first: int | datetime | None,
    last: int | datetime | None,
    limit: int,
) -> tuple[list[EventItem], int | None]:
    """A page of the replay and the position of the next one.

    Raises `ClientUnknown`, `AccessNotLogged`.
    """
    after = first - 1 if isinstance(first, int) else 0
    events = asking.practice.about([client_id], after=max(after, 0))
    if not events and not asking.practice.stream(client_id):
        asking.note("replay", "events", [client_id], outcome="not_found")
        raise ClientUnknown
    within = [one for one in events if _from(one, first) and _to(one, last)]
    asking.note("replay", "events", [client_id])
    names = asking.platform.identity.names(asking.context.practice_id)
    following = within[limit].position if len(within) > limit else None
    return [_item(one, names) for one in within[:limit]], following


def read_accesses(
    asking: Asking, client_id: UUID, before: int | None, limit: int
) -> tuple[list[AccessItem], int | None]:
    """A page of accesses, newest first, and where the next one begins.

    Raises `ClientUnknown`, `AccessNotLogged`.
    """
    if not asking.practice.stream(client_id):
        asking.note("read", "accesses", [client_id], outcome="not_found")
        raise ClientUnknown
    asking.note("read", "accesses", [client_id])
    entries = asking.platform.accesses.of_client(
        asking.context.practice_id, client_id, before=before, limit=limit + 1
    )
    names = asking.platform.identity.names(asking.context.practice_id)
    following = entries[limit - 1].position if len(entries) > limit else None
    return [_access(one, names) for one in entries[:limit]], following


def _from(one: Recorded, first: int | datetime | None) -> bool:
    return not isinstance(first, datetime) or one.recorded_at >= first


def _to(one: Recorded, last: int | datetime | None) -> bool:
    if isinstance(last, datetime):
        return one.recorded_at <= last
    return last is None or one.position <= last


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
