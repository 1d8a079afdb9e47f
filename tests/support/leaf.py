"""How is an event's leaf hash computed, byte by byte? The format, written a second time.

The entry is a version byte 0x01 and then, in this order and without anything between:

    practice id      16 bytes            location         optional id
    log              text                purpose          text
    stream id        16 bytes            command id       optional id
    version          4 bytes             correlation id   optional id
    position         8 bytes             causation id     optional id
    type             text                occurred at      8 bytes
    subject          optional id         recorded at      8 bytes
    actor            16 bytes            key id           optional id
    on behalf of     optional id         body             the rest
    role             text

Numbers are big-endian and signed; a text is its length in bytes (4 bytes) and its UTF-8; an
optional id is 0x00, or 0x01 and 16 bytes; times are microseconds since 1970 in UTC. The leaf is the
SHA-256 of 0x00 and the entry (RFC 6962, 2.1).
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def leaf_hash(row: Mapping[str, Any]) -> bytes:
    """The leaf hash of a row of `record.event`."""
    entry = b"".join(
        (
            b"\x01",
            row["practice_id"].bytes,
            _text(row["log"]),
            row["stream_id"].bytes,
            row["version"].to_bytes(4, "big", signed=True),
            row["position"].to_bytes(8, "big", signed=True),
            _text(row["type"]),
            _optional(row["subject"]),
            row["actor"].bytes,
            _optional(row["on_behalf_of"]),
            _text(row["role"]),
            _optional(row["location"]),
            _text(row["purpose"]),
            _optional(row["command_id"]),
            _optional(row["correlation_id"]),
            _optional(row["causation_id"]),
            _moment(row["occurred_at"]),
            _moment(row["recorded_at"]),
            _optional(row["key_id"]),
            row["body"],
        )
    )
    return hashlib.sha256(b"\x00" + entry).digest()


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big", signed=True) + encoded


def _optional(value: UUID | None) -> bytes:
    return b"\x00" if value is None else b"\x01" + value.bytes


def _moment(moment: datetime) -> bytes:
    return ((moment - EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)
