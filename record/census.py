"""Is this all there is about a client? A count of every client's entries, under one signed root.

For each subject of a log of some size: how many entries, and the SHA-256 over their leaf hashes in
order of position. Her leaf is SHA-256(0x00 ‖ id ‖ count in 8 bytes ‖ that digest). The leaves stand
in a binary tree in which her place is fixed: the bits of SHA-256(id), from the root down, say left
or right. A node without leaves is 32 zero bytes, one with a single leaf is that leaf, any other is
SHA-256(0x01 ‖ left ‖ right). So no root holds two counts of one subject, whatever a signer who
cheats puts where, and a signed root is one answer for everybody who asks.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from record.database import Row
from record.merkle import node_hash
from record.seals import Seal, Seals, census_of

NOBODY: Final = bytes(32)
"""A node without leaves."""
BITS: Final = 256
SCAN_MS: Final = 300_000
"""One reading of the whole log: some 4 s for each million of entries."""
SORTED_IN: Final = "64MB"
"""With less the planner follows the clients' index, all over the table, for twice as long."""


class CensusDiffers(Exception):
    """What was counted before of the same log was something else: one of the two was tampered."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many entries there are of a subject, and the digest over their leaf hashes."""

    subject: UUID
    entries: int
    digest: bytes

    @property
    def leaf(self) -> bytes:
        """The subject's leaf."""
        entries = self.entries.to_bytes(8, "big")
        return sha256(b"\x00" + self.subject.bytes + entries + self.digest).digest()


class Census:
    """The tree over the counts of all subjects of a log."""

    def __init__(self, counts: Iterable[Count]) -> None:
        placed = sorted((_place(one.subject), one.leaf) for one in counts)
        self._places = [place for place, _ in placed]
        self._leaves = [leaf for _, leaf in placed]

    @property
    def root(self) -> bytes:
        """What is signed."""
        return self._node(0, len(self._leaves), 0)

    def proof(self, subject: UUID) -> list[bytes]:
        """The siblings on the way from the root to a subject's leaf. Raises `KeyError`."""
        place = _place(subject)
        low, high, siblings = 0, len(self._leaves), list[bytes]()
        while high - low > 1:
            depth = len(siblings)
            middle = self._split(low, high, depth)
            if place >> (BITS - 1 - depth) & 1:
                siblings.append(self._node(low, middle, depth + 1))
                low = middle
            else:
                siblings.append(self._node(middle, high, depth + 1))
                high = middle
        if high == low or self._places[low] != place:
            raise KeyError(subject)
        return siblings

    def _node(self, low: int, high: int, depth: int) -> bytes:
        if high - low < 2:  # noqa: PLR2004 - nothing to split
            return self._leaves[low] if high > low else NOBODY
        middle = self._split(low, high, depth)
        return node_hash(self._node(low, middle, depth + 1), self._node(middle, high, depth + 1))

    def _split(self, low: int, high: int, depth: int) -> int:
        """Where the bit at a depth turns from 0 to 1, among places that agree in those above it."""
        bit = 1 << (BITS - 1 - depth)
        return bisect_left(self._places, 1, low, high, key=lambda place: place & bit and 1)


class Recount:
    """Counts a log entry by entry, so that what was signed can be checked at each size."""

    def __init__(self) -> None:
        self._counts: dict[UUID, tuple[int, Any]] = {}

    def take(self, subject: UUID, leaf: bytes) -> None:
        """The next entry that is about somebody."""
        entries, digest = self._counts.get(subject) or (0, sha256())
        digest.update(leaf)
        self._counts[subject] = entries + 1, digest

    def census(self) -> Census:
        """Of the entries so far."""
        return Census(
            Count(subject, entries, digest.digest())
            for subject, (entries, digest) in self._counts.items()
        )


def _place(subject: UUID) -> int:
    return int.from_bytes(sha256(subject.bytes).digest(), "big")


def take(connection: Connection[Row], practice_id: UUID, log: str, size: int) -> Census:
    """Counts the entries of each subject in the first `size` of a log, in one scan."""
    connection.execute(_PLAN, (str(SCAN_MS), SORTED_IN))
    rows = connection.execute(_SCAN, (practice_id, log, size), binary=True)
    return Census(Count(*row) for row in rows)


def signed(
    connection: Connection[Row], seals: Seals, practice_id: UUID, log: str, seal: Seal
) -> tuple[Census, str]:
    """The census of a log as long as a head of it, and its signed note, which is kept.

    Raises `CensusDiffers`.
    """
    census = take(connection, practice_id, log, seal.size)
    root = census.root
    note = seals.signing_key(practice_id, census_of(log)).sign(seal.size, root)
    connection.execute(_KEEP, (log, seal.size, root, note))
    (before,) = connection.execute(_KEPT, (practice_id, log, seal.size)).fetchall()[0]
    if before != note:
        message = f"{log}, {seal.size}"
        raise CensusDiffers(message)
    return census, note


_PLAN: Final = """SELECT set_config('statement_timeout', %s, true),
    set_config('work_mem', %s, true)"""
_SCAN: Final = """SELECT subject, count(*),
        sha256(string_agg(leaf_hash, ''::bytea ORDER BY position))
    FROM record.event
    WHERE practice_id = %s AND log = %s AND position <= %s AND subject IS NOT NULL
    GROUP BY subject"""
_KEEP: Final = """INSERT INTO record.census (log, size, root, note) VALUES (%s, %s, %s, %s)
    ON CONFLICT (practice_id, log, size) DO NOTHING"""
_KEPT: Final = """SELECT note FROM record.census
    WHERE practice_id = %s AND log = %s AND size = %s"""
