"""How is an event read that was carried outside of the database?

It travels as the entry of its leaf (`record.leaf` in the first migration says how that is written):
the whole header and the body, still sealed. So whoever holds an entry can prove it against a signed
tree head, and its first byte says by which version of the format it is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from record import leaf
from record.envelope import StoredEntry
from record.errors import Unreadable

LEAF: Final = leaf.FORMAT[:1]
VERSION: Final = leaf.FORMAT[1:]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Carried:
    """An entry as it was read: which log of which practice, and the row."""

    practice_id: UUID
    log: str
    row: StoredEntry


def write(begins: bytes, columns: Sequence[bytes]) -> bytes:
    """The entry of a row: the log's `leaf.prefix` and the row's `leaf.COLUMNS`."""
    return begins[len(LEAF) :] + b"".join(columns)


def read(entry: bytes) -> Carried:
    """Takes an entry apart. Raises `Unreadable`."""
    if entry[:1] != VERSION:
        message = f"an entry of the unknown version {entry[:1].hex()}"
        raise Unreadable(message)
    try:
        return _read(_Reader(entry, 1))
    except (IndexError, ValueError, OverflowError) as error:
        message = "an entry that ends too early or holds what none does"
        raise Unreadable(message) from error


class _Reader:
    """Takes one field after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def take(self, length: int) -> bytes:
        if not 0 <= length <= len(self._data) - self._at:
            raise IndexError
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big", signed=True)

    def text(self) -> str:
        return self.take(self.number(4)).decode()

    def id(self) -> UUID:
        return UUID(bytes=self.take(16))

    def optional_id(self) -> UUID | None:
        return self.id() if self.take(1)[0] else None

    def moment(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.number(8))

    def rest(self) -> bytes:
        return self._data[self._at :]

    def whole(self) -> bytes:
        return self._data


def _read(reader: _Reader) -> Carried:
    practice_id, log = reader.id(), reader.text()
    stream_id, version, position, kind = (
        reader.id(),
        reader.number(4),
        reader.number(8),
        reader.text(),
    )
    subject, actor, _on_behalf_of = reader.optional_id(), reader.id(), reader.optional_id()
    role, _location, purpose = reader.text(), reader.optional_id(), reader.text()
    for _ in ("command", "correlation", "causation"):
        reader.optional_id()
    occurred_at, recorded_at, key_id = reader.moment(), reader.moment(), reader.optional_id()
    row = StoredEntry(
        originator_id=stream_id,
        originator_version=version,
        topic=kind,
        state=reader.rest(),
        subject=subject,
        key_id=key_id,
        occurred_at=occurred_at,
        id=position,
        actor=actor,
        role=role,
        purpose=purpose,
        recorded_at=recorded_at,
        leaf_hash=sha256(LEAF + reader.whole()).digest(),
    )
    return Carried(practice_id, log, row)
