"""How is the leaf hash of a stored row computed again, without asking the database for it?

The entry of a leaf is its row, field after field; `record.leaf` in the first migration says how and
hashes it when the row is written. Here the fields come as bytes and are hashed by this process, so
that what the database claims is not what it is checked against.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, LiteralString
from uuid import UUID

FORMAT: Final = b"\x00\x01"
"""The mark of a leaf (RFC 6962, 2.1), and the version of the entry."""
POSITION: Final = 2
"""Which of the columns is the position: 8 bytes, big-endian."""
SUBJECT: Final = 5
"""Which of them is the subject: one byte, and 16 more if there is one."""

_OPTIONAL: Final = "coalesce('\\x01'::bytea || uuid_send({0}), '\\x00'::bytea)"
_TEXT: Final = "int4send(octet_length({0})), convert_to({0}, 'UTF8')"
_TIME: Final = "int8send((extract(epoch FROM {0}) * 1000000)::bigint)"

COLUMNS: Final[LiteralString] = ", ".join(
    (
        "uuid_send(stream_id)",
        "int4send(version)",
        "int8send(position)",
        _TEXT.format("type"),
        _OPTIONAL.format("subject"),
        "uuid_send(actor)",
        _OPTIONAL.format("on_behalf_of"),
        _TEXT.format("role"),
        _OPTIONAL.format("location"),
        _TEXT.format("purpose"),
        _OPTIONAL.format("command_id"),
        _OPTIONAL.format("correlation_id"),
        _OPTIONAL.format("causation_id"),
        _TIME.format("occurred_at"),
        _TIME.format("recorded_at"),
        _OPTIONAL.format("key_id"),
        "body",
    )
)
"""What to select of `record.event`, in the order of the entry."""

ROWS: Final[LiteralString] = f"""SELECT leaf_hash, {COLUMNS} FROM record.event
    WHERE practice_id = %s AND log = %s AND position > %s AND position <= %s
    ORDER BY position"""  # noqa: S608 - the columns are a constant
"""What a log holds between two positions, without the first: the leaf hash as it is stored, and
the columns that lead to it."""


def prefix(practice_id: UUID, log: str) -> bytes:
    """How every entry of a log begins."""
    name = log.encode()
    return FORMAT + practice_id.bytes + len(name).to_bytes(4, "big") + name


def leaf_hash(begins: bytes, columns: Sequence[bytes]) -> bytes:
    """The leaf hash of a row: the log's `prefix`, and its `COLUMNS`."""
    return sha256(begins + b"".join(columns)).digest()
