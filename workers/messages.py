"""What does a message hold that carries an event of the record to others?

The value is the entry of the event's leaf (`record.entry`): header and sealed body, byte for byte.
The headers are those of a CloudEvent (1.0, Kafka binding, binary mode) and the position; they name
ids, types and times, nothing else. The key is the practice, so a practice's events stay in order.
"""

from typing import Final
from uuid import UUID

from gateways.broker import Message
from record import entry
from record.entry import Carried

CONTENT_TYPE: Final = b"application/vnd.palimpsest.entry; version=1"


def message(value: bytes) -> Message:
    """The message that carries an entry. Raises `Unreadable`."""
    carried = entry.read(value)
    practice_id, row = carried.practice_id, carried.row
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{practice_id}/{row.id}",
        "ce_source": f"/practices/{practice_id}/{carried.log}",
        "ce_type": row.topic,
        "position": str(row.id),
    }
    if row.occurred_at is not None:
        headers["ce_time"] = row.occurred_at.isoformat()
    if row.subject is not None:
        headers["ce_subject"] = str(row.subject)
    told = tuple((name, value.encode()) for name, value in headers.items())
    return Message(key(practice_id), value, (("content-type", CONTENT_TYPE), *told))


def key(practice_id: UUID) -> bytes:
    """What keeps a practice's messages together."""
    return str(practice_id).encode()


def carried_by(message: Message) -> Carried:
    """What a message carries. Raises `Unreadable`."""
    return entry.read(message.value)
