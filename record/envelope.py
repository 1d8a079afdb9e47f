"""How an event becomes a stored row and back: JSON, sealed under its subject's key, upcast."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from pydantic import ValidationError

from domain.kernel.events import Category, Event, Recorded
from domain.kernel.ids import ActorId, ClientId
from domain.kernel.upcasting import read_event
from record.errors import Unreadable
from record.ids import SYSTEM
from record.keys import DataKey, KeyRing


@dataclass(frozen=True, slots=True)
class Pending:
    """A decided event on its way into the log."""

    originator_id: UUID
    originator_version: int
    event: Event

    @property
    def metadata(self) -> dict[str, Any]:
        """Nothing beside the envelope; the library's protocol asks."""
        return {}


@dataclass(frozen=True)
class SealedEvent(StoredEvent):
    """A row to be appended: the library's four fields and what the header adds."""

    subject: UUID | None = None
    key_id: UUID | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class StoredEntry(SealedEvent):
    """A row as it stands in a log."""

    id: int = 0
    actor: UUID = SYSTEM
    role: str = "system"
    purpose: str = "operations"
    recorded_at: datetime | None = None
    leaf_hash: bytes = b""


class Shredded(Event):
    """Stands for an event whose key was destroyed: its place and time remain, its text does not."""

    category: ClassVar[Category] = Category.BUSINESS
    stored_type: str


class EnvelopeMapper(Mapper[UUID]):
    """Seals and opens the events of one log of one practice."""

    def __init__(self, keys: KeyRing, practice_id: UUID, log: str) -> None:
        super().__init__(JSONTranscoder())
        self._keys = keys
        self._practice_id = practice_id
        self._place = practice_id.bytes + log.encode() + b"\x1f"

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> SealedEvent:
        """Seals the event's JSON under the key of its subject and category."""
        pending = cast("Pending", domain_event)
        event = pending.event
        subject: UUID | None = getattr(event, "client_id", None)
        key = self._keys.key_in_use(self._practice_id, subject, event.category)
        about = self._about(
            pending.originator_id, pending.originator_version, event.type, subject, key.key_id
        )
        return SealedEvent(
            originator_id=pending.originator_id,
            originator_version=pending.originator_version,
            topic=event.type,
            state=key.seal(event.model_dump_json().encode(), about),
            subject=subject,
            key_id=key.key_id,
            occurred_at=event.occurred_at,
        )

    def to_domain_event(  # type: ignore[override]  # a `Recorded`, which needs no mutator
        self, stored_event: StoredEvent
    ) -> Recorded:
        """Opens a stored row and decodes it with today's code. Raises `Unreadable`."""
        return self.to_recorded(cast("StoredEntry", stored_event))

    def to_recorded(self, row: StoredEntry) -> Recorded:
        """Opens a row. A body whose key was destroyed becomes `Shredded`. Raises `Unreadable`."""
        if row.key_id is None:
            message = f"position {row.id} carries no key"
            raise Unreadable(message)
        key = self._keys.key(self._practice_id, row.key_id)
        return self.recorded(row, None if key is None else self.text(row, key))

    def text(self, row: StoredEntry, key: DataKey) -> bytes:
        """The body as it was sealed. Raises `Unreadable`."""
        stream_id = cast("UUID", row.originator_id)
        about = self._about(stream_id, row.originator_version, row.topic, row.subject, key.key_id)
        return key.open(row.state, about)

    def recorded(self, row: StoredEntry, text: bytes | None) -> Recorded:
        """A row whose body says this, decoded with today's code. Raises `Unreadable`."""
        occurred_at, recorded_at = row.occurred_at, row.recorded_at
        if occurred_at is None or recorded_at is None:
            message = f"position {row.id} carries no time"
            raise Unreadable(message)
        event: Event
        if text is None:
            event = Shredded(occurred_at=occurred_at, stored_type=row.topic)
        else:
            event = _read(row, text)
        return Recorded(
            position=row.id,
            stream_id=cast("UUID", row.originator_id),
            version=row.originator_version,
            event=event,
            subject=cast("ClientId | None", row.subject),
            actor=cast("ActorId", row.actor),
            role=row.role,
            purpose=row.purpose,
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            leaf_hash=row.leaf_hash,
        )

    def _about(
        self, stream_id: UUID, version: int, event_type: str, subject: UUID | None, key_id: UUID
    ) -> bytes:
        """The header fields known before the append: a ciphertext moved elsewhere does not open."""
        owner = subject.bytes if subject is not None else b""
        return b"".join(
            (
                self._place,
                stream_id.bytes,
                version.to_bytes(4, "big"),
                key_id.bytes,
                event_type.encode(),
                b"\x1f",
                owner,
            )
        )


def _read(row: StoredEntry, body: bytes) -> Event:
    """Decodes a body; what pydantic would say about it quotes it, so that is left unsaid."""
    try:
        return read_event(row.topic, body)
    except ValidationError:
        message = f"position {row.id} is no {row.topic}"
        raise Unreadable(message) from None
