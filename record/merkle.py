"""What proves that a log was only ever added to? Merkle trees, as in RFC 6962 and RFC 9162.

Pure: hashes in, hashes out. Leaves are numbered from 0, a position less one. The node (height,
number) is the hash over the 2^height leaves from number · 2^height on; only such complete nodes at
heights 8, 16, 24 … are kept by whoever keeps nodes, the others are computed from their neighbours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""
STRIDE: Final = 8
"""Every how many heights complete nodes are kept: one node for 256 leaves."""
BLOCK: Final = 1 << STRIDE
HASH_BYTES: Final = 32

NodeSource = Callable[[int, int, int], Sequence[bytes]]
"""Height (0 for leaves, 8, 16 …), first number, how many: the hashes of those complete nodes."""


class Node(NamedTuple):
    """A complete node that is worth keeping."""

    height: int
    number: int
    hash: bytes


class MissingNode(Exception):
    """The source does not have what a tree of that size must have."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an interior node (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: its complete subtrees, the largest first.

    There is one for each bit of the size, so it has at most 64 hashes however long the log is.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extend(self, leaves: Iterable[bytes]) -> list[Node]:
        """Adds leaves; returns the nodes to be kept that they complete, in the order they do."""
        peaks, size = list(self.peaks), self.size
        kept: list[Node] = []
        for leaf in leaves:
            number, height, hash_ = size, 0, leaf
            while number & 1:
                hash_ = sha256(b"\x01" + peaks.pop() + hash_).digest()
                number >>= 1
                height += 1
                if not height % STRIDE:
                    kept.append(Node(height, number, hash_))
            peaks.append(hash_)
            size += 1
        self.size, self.peaks = size, tuple(peaks)
        return kept

    def root(self) -> bytes:
        """The root of the tree so far."""
        return _fold(self.peaks)


class Tree:
    """Roots and proofs of a log of `size` leaves; reads each block of 256 nodes once."""

    def __init__(self, size: int, source: NodeSource) -> None:
        self.size = size
        self._source = source
        self._blocks: dict[tuple[int, int], Sequence[bytes]] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    def frontier(self, size: int) -> Frontier:
        """The right edge of the first `size` leaves, to go on from. Raises `MissingNode`."""
        peaks = [self._node(height, number) for height, number in _peaks(0, size)]
        return Frontier(size, tuple(peaks))

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf. Raises `MissingNode`."""
        return self._node(0, index)

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves. Raises `MissingNode`."""
        return self._over(0, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proves that a leaf is in the tree of that size (RFC 9162, 2.1.3.1).

        Raises `MissingNode`, and `ValueError` unless 0 ≤ index < size ≤ the log's size.
        """
        if not 0 <= index < size <= self.size:
            message = f"leaf {index} is not in the first {size} of {self.size}"
            raise ValueError(message)
        proof: list[bytes] = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                proof.append(self._over(middle, end))
                end = middle
            else:
                proof.append(self._over(begin, middle))
                begin = middle
        return proof[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Proves that the tree of size `new` begins with that of size `old` (RFC 9162, 2.1.4.1).

        Empty where there is nothing to prove. Raises `MissingNode`, and `ValueError` unless
        0 ≤ old ≤ new ≤ the log's size.
        """
        if not 0 <= old <= new <= self.size:
            message = f"sizes {old} and {new} are not in order within {self.size}"
            raise ValueError(message)
        if old in (0, new):
            return []
        proof: list[bytes] = []
        begin, end, is_known = 0, new, True
        while end != old:
            middle = begin + _split(end - begin)
            if old <= middle:
                proof.append(self._over(middle, end))
                end = middle
            else:
                proof.append(self._over(begin, middle))
                begin, is_known = middle, False
        # Where the old tree is one complete subtree, its root is what the asker has.
        if not is_known:
            proof.append(self._over(begin, end))
        return proof[::-1]

    def _over(self, begin: int, end: int) -> bytes:
        return _fold([self._node(height, number) for height, number in _peaks(begin, end)])

    def _node(self, height: int, number: int) -> bytes:
        known = self._nodes.get((height, number))
        if known is None:
            if height % STRIDE == 0:
                known = self._kept(height, number)
            else:
                left = self._node(height - 1, 2 * number)
                known = node_hash(left, self._node(height - 1, 2 * number + 1))
            self._nodes[height, number] = known
        return known

    def _kept(self, height: int, number: int) -> bytes:
        place = (height, number // BLOCK)
        block = self._blocks.get(place)
        if block is None:
            first = place[1] * BLOCK
            count = min(BLOCK, (self.size >> height) - first)
            block = self._blocks[place] = self._source(height, first, count)
            if len(block) != count:
                message = f"{len(block)} of {count} nodes from {first} on at height {height}"
                raise MissingNode(message)
        return block[number % BLOCK]


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof shows the leaf in the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    number, last, hash_ = index, size - 1, leaf
    for step in proof:
        if last == 0 or len(step) != HASH_BYTES:
            return False
        if number & 1 or number == last:
            hash_ = node_hash(step, hash_)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            hash_ = node_hash(hash_, step)
        number >>= 1
        last >>= 1
    return last == 0 and hash_ == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new or any(len(step) != HASH_BYTES for step in proof):
        return False
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    number, last = old - 1, new - 1
    while number & 1:
        number >>= 1
        last >>= 1
    was = is_now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            was = node_hash(step, was)
            is_now = node_hash(step, is_now)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            is_now = node_hash(is_now, step)
        number >>= 1
        last >>= 1
    return last == 0 and was == old_root and is_now == new_root


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def _peaks(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees (height, number) that make up a span whose start is aligned to it."""
    while begin < end:
        height = (end - begin).bit_length() - 1
        yield height, begin >> height
        begin += 1 << height


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    *rest, hash_ = peaks
    for peak in reversed(rest):
        hash_ = node_hash(peak, hash_)
    return hash_
