"""What is sealed of a log, and how is it proven? Signed heads, and proofs from stored nodes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final, LiteralString
from uuid import UUID

from cachetools import LRUCache
from psycopg import Connection

from domain.kernel.errors import Invalid, NotFound
from gateways.kms import Kms
from record.checkpoint import SigningKey, VerifyKey
from record.database import Database, Row
from record.merkle import NodeSource, Tree

LOGS: Final = ("record", "access")
KEYS_IN_MEMORY = 10_000


class NotSealedYet(NotFound):
    """No signed head reaches so far; a second after a commit one does."""

    code = "not_sealed_yet"


class NoSuchHead(NotFound):
    """No head of that size was signed; several events may have come under one."""

    code = "no_such_head"


class BeyondHead(Invalid):
    """A place in the log that lies behind the size it should lie within."""

    code = "beyond_head"

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed head of a log, as it is stored."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class SignedCensus:
    """The signed root over the counts of all clients of a log, as it is stored."""

    size: int
    root: bytes
    note: str


class Seals:
    """The seals of all practices: reads only."""

    def __init__(self, database: Database, kms: Kms) -> None:
        self._database = database
        self._kms = kms
        self._lock = Lock()
        self._keys: LRUCache[tuple[UUID, str], SigningKey] = LRUCache(KEYS_IN_MEMORY)

    def signing_key(self, practice_id: UUID, log: str) -> SigningKey:
        """The key that signs a log's heads. Raises `KmsUnavailable`."""
        with self._lock:
            known = self._keys.get((practice_id, log))
        if known is None:
            known = SigningKey.of(self._kms, practice_id, log)
            with self._lock:
                self._keys[practice_id, log] = known
        return known

    def verify_key(self, practice_id: UUID, log: str) -> VerifyKey:
        """The key that anybody checks a log with. Raises `KmsUnavailable`."""
        return self.signing_key(practice_id, log).verify_key

    def newest(self, practice_id: UUID, log: str) -> Seal | None:
        """The newest head of a log; none if nothing has been sealed yet."""
        with self._database.practice(practice_id) as connection:
            return newest(connection, practice_id, log)

    def head(self, practice_id: UUID, log: str, size: int | None = None) -> Seal:
        """The head of that size, or the newest. Raises `NotSealedYet`, `NoSuchHead`."""
        with self._database.practice(practice_id) as connection:
            last = newest(connection, practice_id, log)
            if last is None or last.size < (size or 0):
                raise NotSealedYet
            if size is None or size == last.size:
                return last
            found = _seal(connection, "size = %s", (practice_id, log, size))
        if found is None:
            raise NoSuchHead
        return found

    def covering(self, practice_id: UUID, log: str, position: int) -> Seal:
        """The first head under which a position lies. Raises `NotSealedYet`."""
        with self._database.practice(practice_id) as connection:
            found = _seal(
                connection,
                "size >= %s ORDER BY size LIMIT 1",
                (practice_id, log, position),
            )
        if found is None:
            raise NotSealedYet
        return found

    def inclusions(
        self, practice_id: UUID, log: str, positions: Sequence[int], size: int
    ) -> list[tuple[bytes, list[bytes]]]:
        """The leaf hash of each position, and the proof that it is in the log of that size.

        Raises `NotSealedYet`, and `BeyondHead` for a position that is not within the size.
        """
        if any(not 0 < position <= size for position in positions):
            raise BeyondHead("position")
        with self._tree(practice_id, log, size) as tree:
            return [
                (tree.leaf(position - 1), tree.inclusion(position - 1, size))
                for position in positions
            ]

    def consistency(self, practice_id: UUID, log: str, old: int, new: int) -> list[bytes]:
        """Proves that the log of size `new` begins with that of size `old`.

        Raises `NotSealedYet`, and `BeyondHead` if the sizes are not in order.
        """
        if not 0 <= old <= new:
            raise BeyondHead("from")
        with self._tree(practice_id, log, new) as tree:
            return tree.consistency(old, new)

    def censuses(self, practice_id: UUID, log: str, after: int) -> list[SignedCensus]:
        """The censuses of a log, from after a size on."""
        with self._database.practice(practice_id) as connection:
            return censuses(connection, practice_id, log, after)

    @contextmanager
    def _tree(self, practice_id: UUID, log: str, size: int) -> Iterator[Tree]:
        with self._database.practice(practice_id) as connection:
            head = newest(connection, practice_id, log)
            if head is None or head.size < size:
                raise NotSealedYet
            yield Tree(head.size, stored_nodes(connection, practice_id, log))


def census_of(log: str) -> str:
    """The name under which the censuses of a log are signed."""
    return f"{log}-census"


def censuses(
    connection: Connection[Row], practice_id: UUID, log: str, after: int = 0
) -> list[SignedCensus]:
    """The censuses of a log from after a size on, in the caller's transaction."""
    rows = connection.execute(_CENSUSES, (practice_id, log, after))
    return [SignedCensus(*row) for row in rows]


def newest(connection: Connection[Row], practice_id: UUID, log: str) -> Seal | None:
    """The newest head of a log, in the caller's transaction."""
    return _seal(connection, "true ORDER BY size DESC LIMIT 1", (practice_id, log))


def _seal(
    connection: Connection[Row], which: LiteralString, values: tuple[object, ...]
) -> Seal | None:
    row = connection.execute(_SEAL + which, values).fetchone()
    return None if row is None else Seal(*row)


_SEAL: Final = """SELECT size, root, note, signed_at FROM record.checkpoint
    WHERE practice_id = %s AND log = %s AND """


def stored_nodes(connection: Connection[Row], practice_id: UUID, log: str) -> NodeSource:
    """Reads leaves and kept nodes in the caller's transaction."""

    def read(height: int, first: int, count: int) -> Sequence[bytes]:
        if height == 0:
            rows = connection.execute(_LEAVES, (practice_id, log, first, first + count))
        else:
            rows = connection.execute(_NODES, (practice_id, log, height, first, first + count))
        return [row[0] for row in rows]

    return read


def leaf_hashes(
    connection: Connection[Row], practice_id: UUID, log: str, after: int, until: int
) -> list[bytes]:
    """The leaf hashes between two positions, without the first, as they are stored."""
    values = (practice_id, log, after, until)
    return [row[0] for row in connection.execute(_LEAVES, values, binary=True)]


_LEAVES: Final = """SELECT leaf_hash FROM record.event
    WHERE practice_id = %s AND log = %s AND position > %s AND position <= %s ORDER BY position"""
_NODES: Final = """SELECT hash FROM record.tree_node
    WHERE practice_id = %s AND log = %s AND height = %s AND number >= %s AND number < %s
    ORDER BY number"""
_CENSUSES: Final = """SELECT size, root, note FROM record.census
    WHERE practice_id = %s AND log = %s AND size > %s ORDER BY size"""
