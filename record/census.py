"""Is this all there is about a client? A count of every client's entries, under one signed root.

For each subject of a log of some size: how many entries, and the SHA-256 over their leaf hashes in
order of position. Her leaf is SHA-256(0x00 ‖ id ‖ count in 8 bytes ‖ that digest). The leaves stand
in a binary tree in which her place is fixed: the bits of SHA-256(id), from the root down, say left
or right. A node without leaves is 32 zero bytes, one with a single leaf is that leaf, any other is
SHA-256(0x01 ‖ left ‖ right). So no root holds two counts of one subject, whatever a signer who
cheats puts where, and a signed root is one answer for everybody who asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from record.merkle import node_hash

NOBODY: Final = bytes(32)
"""A node without leaves."""
BITS: Final = 256


@dataclass(frozen=True, slots=True)
class _Leaf:
    place: int
    hash: bytes


@dataclass(slots=True)
class _Fork:
    """A node above two leaves at least."""

    sides: list["_Node"] = field(default_factory=lambda: [None, None])
    hash: bytes | None = None
    """None since something below has changed."""


_Node = _Leaf | _Fork | None


class Census:
    """Counts a log entry by entry. A root costs the hashes above whom was counted since the last.

    A subject takes about 1 kB of memory.
    """

    def __init__(self) -> None:
        self._counts: dict[UUID, tuple[int, Any]] = {}
        self._changed: set[UUID] = set()
        self._top: _Node = None

    def __len__(self) -> int:
        return len(self._counts)

    def take(self, subject: UUID, leaf: bytes) -> None:
        """The next entry that is about somebody."""
        entries, digest = self._counts.get(subject) or (0, sha256())
        digest.update(leaf)
        self._counts[subject] = entries + 1, digest
        self._changed.add(subject)

    def holds(self, subject: UUID, leaves: Sequence[bytes]) -> bool:
        """Whether these are all the entries that were counted of a subject, in order."""
        entries, digest = self._counts.get(subject) or (0, sha256())
        return (entries, digest.digest()) == (len(leaves), sha256(b"".join(leaves)).digest())

    @property
    def root(self) -> bytes:
        """What is signed, of the entries so far."""
        return _hash(self._grown())

    def proof(self, subject: UUID) -> list[bytes]:
        """The siblings on the way from the root to a subject's leaf. Raises `KeyError`."""
        place, node, siblings = _place(subject), self._grown(), list[bytes]()
        while isinstance(node, _Fork):
            side = _side(place, len(siblings))
            siblings.append(_hash(node.sides[1 - side]))
            node = node.sides[side]
        if node is None or node.place != place:
            raise KeyError(subject)
        return siblings

    def _grown(self) -> _Node:
        for subject in self._changed:
            entries, digest = self._counts[subject]
            known = subject.bytes + entries.to_bytes(8, "big") + digest.digest()
            leaf = _Leaf(_place(subject), sha256(b"\x00" + known).digest())
            self._top = _put(self._top, leaf, 0)
        self._changed.clear()
        return self._top


def _put(node: _Node, leaf: _Leaf, depth: int) -> _Node:
    """The node with a leaf in it, new or in the place of an earlier one."""
    if node is None or (isinstance(node, _Leaf) and node.place == leaf.place):
        return leaf
    if isinstance(node, _Leaf):
        other, node = node, _Fork()
        node.sides[_side(other.place, depth)] = other
    side = _side(leaf.place, depth)
    node.sides[side] = _put(node.sides[side], leaf, depth + 1)
    node.hash = None
    return node


def _hash(node: _Node) -> bytes:
    if node is None:
        return NOBODY
    if node.hash is None:
        node.hash = node_hash(*map(_hash, node.sides))
    return node.hash


def _place(subject: UUID) -> int:
    return int.from_bytes(sha256(subject.bytes).digest(), "big")


def _side(place: int, depth: int) -> int:
    return place >> (BITS - 1 - depth) & 1
