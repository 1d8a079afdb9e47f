"""Who counts, before a census is signed? Whoever signs reads the log itself, each row of it.

A count stands on nothing that the database says of itself: leaves are taken anew of the rows, the
client is read out of the very bytes that are hashed, and together they must lead to a root that was
signed before. So hiding a row while it is counted hides nothing: the root is another one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final
from uuid import UUID

from cachetools import LRUCache
from psycopg import Connection

from record.census import Census
from record.checkpoint import BadNote
from record.database import Row
from record.errors import Contradicted, SealsBehind
from record.leaf import leaf_hash
from record.merkle import Frontier
from record.seals import Seal, Seals, census_of
from record.stored_log import CHUNK, StoredLog

SUBJECTS_IN_MEMORY: Final = 200_000
"""Of all logs that were counted of late; some 200 MB."""

_Counted = tuple[Frontier, Census]


class CensusDiffers(Contradicted):
    """The entries of a log do not lead to its signed head, or to what was counted of it before."""


class Counting:
    """Counts logs. What was counted once, and led to a signed root, is not read again."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals
        self._lock = Lock()
        self._counted: LRUCache[tuple[UUID, str], _Counted] = LRUCache(
            SUBJECTS_IN_MEMORY, getsizeof=lambda counted: len(counted[1])
        )

    @contextmanager
    def up_to(
        self, connection: Connection[Row], practice_id: UUID, log: str, head: Seal
    ) -> Iterator[Census]:
        """The census of a log as long as a head of it. Raises `CensusDiffers`, `SealsBehind`."""
        place = practice_id, log
        with self._lock:
            frontier, census = self._counted.pop(place, (Frontier(), Census()))
        if frontier.size > head.size:
            raise SealsBehind  # another has counted a later head; nobody goes back
        stored = StoredLog(connection, practice_id, log)
        for after in range(frontier.size, head.size, CHUNK):
            rows = stored.rows(after, min(after + CHUNK, head.size))
            leaves = [leaf_hash(stored.begins, row.columns) for row in rows]
            frontier.extend(leaves)
            for row, leaf in zip(rows, leaves, strict=True):
                if row.subject is not None:
                    census.take(row.subject, leaf)
        self._must_be_signed(practice_id, log, frontier, head)
        yield census
        if len(census) <= SUBJECTS_IN_MEMORY:
            with self._lock:
                self._counted[place] = frontier, census

    def _must_be_signed(self, practice_id: UUID, log: str, frontier: Frontier, head: Seal) -> None:
        try:
            signed = self._seals.verify_key(practice_id, log).open(head.note)
        except BadNote as error:
            raise CensusDiffers(log, head.size) from error
        if (frontier.size, frontier.root()) != (signed.size, signed.root):
            raise CensusDiffers(log, head.size)


def sign(
    connection: Connection[Row], seals: Seals, practice_id: UUID, log: str, size: int, root: bytes
) -> str:
    """The signed note of a census, which is kept in the log's order of size.

    Raises `CensusDiffers`, and `SealsBehind` if a larger one was signed meanwhile.
    """
    note = seals.signing_key(practice_id, census_of(log)).sign(size, root)
    connection.execute(_CLAIM, (practice_id, log))
    connection.execute(_KEEP, (log, size, root, note, practice_id, log, size))
    kept = connection.execute(_KEPT, (practice_id, log, size)).fetchone()
    if kept is None:
        raise SealsBehind
    if kept[0] != note:
        raise CensusDiffers(log, size)
    return note


_CLAIM: Final = (
    "SELECT pg_advisory_xact_lock(hashtextextended('census ' || %s::uuid || ' ' || %s, 0))"
)
_KEEP: Final = """INSERT INTO record.census (log, size, root, note)
    SELECT %s, %s, %s, %s WHERE NOT EXISTS (
        SELECT FROM record.census WHERE practice_id = %s AND log = %s AND size > %s)
    ON CONFLICT (practice_id, log, size) DO NOTHING"""
_KEPT: Final = """SELECT note FROM record.census
    WHERE practice_id = %s AND log = %s AND size = %s"""
