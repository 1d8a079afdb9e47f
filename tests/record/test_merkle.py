"""Do our Merkle trees say what RFC 6962 says, and nothing that is not so?"""

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pymerkle import InmemoryTree

from record.merkle import (
    EMPTY_ROOT,
    Frontier,
    MissingNode,
    NodeSource,
    Tree,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "merkle_vectors.json").read_text())
LEAVES = [sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]
WIDEST = 257
MUTANTS = 100_000
Proof = list[bytes]
Mutant = tuple[Any, ...]


def numbered(count: int) -> list[bytes]:
    """As many leaf hashes as wanted, each another one."""
    return [sha256(b"\x00" + str(number).encode()).digest() for number in range(count)]


def kept(leaves: Sequence[bytes], reads: list[tuple[int, int, int]] | None = None) -> NodeSource:
    """A source that has the leaves and every eighth height, as a sealer keeps them."""
    rows: dict[int, list[bytes]] = {0: list(leaves)}
    for node in Frontier().extend(leaves):
        rows.setdefault(node.height, []).append(node.hash)
        assert len(rows[node.height]) == node.number + 1

    def source(height: int, first: int, count: int) -> Sequence[bytes]:
        if reads is not None:
            reads.append((height, first, count))
        return rows[height][first : first + count]

    return source


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, as it is written there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_inclusion(m: int, leaves: Sequence[bytes]) -> Proof:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_inclusion(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_inclusion(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(m: int, leaves: Sequence[bytes], *, is_known: bool = True) -> Proof:
    """SUBPROOF of RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if is_known else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_consistency(m, leaves[:k], is_known=is_known), naive_root(leaves[k:])]
    return [*naive_consistency(m - k, leaves[k:], is_known=False), naive_root(leaves[:k])]


# -- the public vectors ----------------------------------------------------------------------------


def test_the_eight_leaf_tree_has_the_published_roots() -> None:
    assert [root_of(LEAVES[:size]) for size in range(9)] == ROOTS


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=str)
def test_published_inclusion_proofs_are_made_and_verify(vector: dict[str, Any]) -> None:
    index, size = vector["leaf"] - 1, vector["size"]
    proof = [bytes.fromhex(step) for step in vector["proof"]]
    assert Tree(8, kept(LEAVES)).inclusion(index, size) == proof
    given = (index, size, LEAVES[index], proof, ROOTS[size])
    assert verify_inclusion(*given)
    for name, mutant in inclusion_mutants(given):
        assert not verify_inclusion(*mutant), name


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=str)
def test_published_consistency_proofs_are_made_and_verify(vector: dict[str, Any]) -> None:
    old, new = vector["old"], vector["new"]
    proof = [bytes.fromhex(step) for step in vector["proof"]]
    assert Tree(8, kept(LEAVES)).consistency(old, new) == proof
    given = (old, new, ROOTS[old], ROOTS[new], proof)
    assert verify_consistency(*given)
    for name, mutant in consistency_mutants(given) if proof else ():
        assert not verify_consistency(*mutant), name


def inclusion_mutants(given: Mutant) -> Iterator[tuple[str, Mutant]]:
    """The ways in which the published negative vectors differ from a good proof."""
    index, size, leaf, proof, root = given
    other = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
    for number in (index - 1, index + 1, index ^ 2):
        yield f"index {number}", (number, size, leaf, proof, root)
    for number in (size * 2, size // 2):
        yield f"size {number}", (index, number, leaf, proof, root)
    yield "wrong leaf", (index, size, b"WrongLeaf", proof, root)
    yield "empty root", (index, size, leaf, proof, EMPTY_ROOT)
    yield "random root", (index, size, leaf, proof, other)
    for bad in (b"", root):
        yield f"trailing {bad!r}", (index, size, leaf, [*proof, bad], root)
        yield f"preceding {bad!r}", (index, size, leaf, [bad, *proof], root)
    for n in range(len(proof)):
        flipped = [bytes([p[0] ^ 8]) + p[1:] if i == n else p for i, p in enumerate(proof)]
        yield f"bit of {n}", (index, size, leaf, flipped, root)
    if proof:
        yield "removed", (index, size, leaf, proof[:-1], root)
        yield "inserted", (index, size, leaf, [proof[0], other, *proof[1:]], root)


def consistency_mutants(given: Mutant) -> Iterator[tuple[str, Mutant]]:
    """The same for proofs of consistency."""
    old, new, was, is_now, proof = given
    for number in (old - 1, old + 1, old ^ 2):
        yield f"old {number}", (number, new, was, is_now, proof)
    for number in (new * 2, new // 2):
        yield f"new {number}", (old, number, was, is_now, proof)
    yield "wrong old root", (old, new, b"WrongRoot", is_now, proof)
    yield "wrong new root", (old, new, was, b"WrongRoot", proof)
    yield "swapped roots", (old, new, is_now, was, proof)
    yield "empty", (old, new, was, is_now, [])
    for bad in (b"", was, is_now):
        yield f"trailing {bad!r}", (old, new, was, is_now, [*proof, bad])
        yield f"preceding {bad!r}", (old, new, was, is_now, [bad, *proof])
    yield "first twice", (old, new, was, is_now, [proof[0], *proof])
    yield "truncated", (old, new, was, is_now, proof[:-1])
    for n in range(len(proof)):
        flipped = [bytes([p[0] ^ 16]) + p[1:] if i == n else p for i, p in enumerate(proof)]
        yield f"bit of {n}", (old, new, was, is_now, flipped)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ((0, 0, b"one", b"two", []), False),
        ((1, 1, b"one", b"two", []), False),
        ((0, 0, EMPTY_ROOT, EMPTY_ROOT, []), True),
        ((0, 1, EMPTY_ROOT, b"two", []), True),
        ((0, 1, b"one", b"two", []), False),
        ((1, 1, b"two", b"two", []), True),
        ((1, 0, b"one", b"two", []), False),
        ((2, 1, b"one", b"two", []), False),
        ((1, 2, b"one", b"two", []), False),
        ((0, 1, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT]), False),
        ((1, 1, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT]), False),
        ((-1, 1, EMPTY_ROOT, EMPTY_ROOT, []), False),
    ],
)
def test_sizes_at_the_edge_are_consistent_or_not(given: Mutant, *, holds: bool) -> None:
    assert verify_consistency(*given) is holds


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 0), (1, 1), (2, 1), (-1, 1)])
def test_a_leaf_outside_the_tree_is_not_in_it(index: int, size: int) -> None:
    assert not verify_inclusion(index, size, EMPTY_ROOT, [], EMPTY_ROOT)


# -- all sizes -------------------------------------------------------------------------------------


def test_every_pair_of_sizes_up_to_257_verifies_and_nothing_else_is_in_the_proof() -> None:
    leaves = numbered(WIDEST)
    tree = Tree(WIDEST, kept(leaves))
    roots = [tree.root(size) for size in range(WIDEST + 1)]
    assert roots == [naive_root(leaves[:size]) for size in range(WIDEST + 1)]
    for new in range(1, WIDEST + 1):
        for old in range(new + 1):
            proof = tree.consistency(old, new)
            assert verify_consistency(old, new, roots[old], roots[new], proof)
        for index in range(new):
            proof = tree.inclusion(index, new)
            assert verify_inclusion(index, new, leaves[index], proof, roots[new])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100, 255, 256, 257])
def test_the_proofs_are_those_of_the_definitions(size: int) -> None:
    leaves = numbered(size)
    tree = Tree(size, kept(leaves))
    for m in {1, 2, size // 3 + 1, size // 2 + 1, size - 1, size} - {0}:
        if m <= size:
            assert tree.inclusion(m - 1, size) == naive_inclusion(m - 1, leaves)
            assert tree.consistency(m, size) == naive_consistency(m, leaves)


def test_an_independent_library_finds_the_same_roots_and_proofs() -> None:
    theirs = InmemoryTree(algorithm="sha256")
    texts = [str(number).encode() for number in range(300)]
    for text in texts:
        theirs.append_entry(text)
    tree = Tree(300, kept([sha256(b"\x00" + text).digest() for text in texts]))
    for size in (1, 2, 63, 64, 65, 255, 256, 257, 300):
        assert tree.root(size) == theirs.get_root(size)
        # Theirs begins each path with what is proven, and ours leaves that out.
        for index in {0, size // 2, size - 1}:
            path = theirs.prove_inclusion(index + 1, size).serialize()["path"]
            assert [step.hex() for step in tree.inclusion(index, size)] == path[1:]


def test_a_proof_in_a_large_log_reads_a_few_blocks_and_is_right() -> None:
    size = 70_000  # three kept heights would begin at 16.7 million leaves; here are two
    leaves = numbered(size)
    reads: list[tuple[int, int, int]] = []
    source = kept(leaves, reads)
    whole = Tree(size, source)
    root = whole.root(size)
    assert root == root_of(leaves)
    pick = random.Random(6962)
    for _ in range(200):
        index, old = pick.randrange(size), pick.randrange(1, size)
        old_root = whole.root(old)
        reads.clear()
        proof = Tree(size, source).inclusion(index, size)
        assert verify_inclusion(index, size, leaves[index], proof, root)
        proof = Tree(size, source).consistency(old, size)
        assert verify_consistency(old, size, old_root, root, proof)
        assert len(reads) <= 2 * 5
        assert all(count <= 256 for _, _, count in reads)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 1000, 65_536, 65_537])
def test_a_tree_grows_on_from_what_was_kept(size: int) -> None:
    leaves = numbered(size + 300)
    grown = Tree(size, kept(leaves[:size])).frontier(size)
    grown.extend(leaves[size : size + 7])
    grown.extend(leaves[size + 7 :])
    assert grown.root() == root_of(leaves)
    assert grown.size == size + 300


def test_what_a_source_lacks_is_noticed() -> None:
    source = kept(numbered(300))
    with pytest.raises(MissingNode):
        Tree(301, source).root(301)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 301), (0, 0)])
def test_there_is_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        Tree(300, kept(numbered(300))).inclusion(index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5), (0, 301)])
def test_there_is_no_way_back(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="sizes"):
        Tree(300, kept(numbered(300))).consistency(old, new)


# -- mutants ---------------------------------------------------------------------------------------


def test_of_a_hundred_thousand_mutated_proofs_none_is_accepted() -> None:
    pick = random.Random(9162)
    leaves = numbered(WIDEST)
    tree = Tree(WIDEST, kept(leaves))
    roots = [tree.root(size) for size in range(WIDEST + 1)]
    accepted = tried = 0
    while tried < MUTANTS:
        new = pick.randrange(2, WIDEST + 1)
        if pick.random() < 0.5:
            index = pick.randrange(new)
            good: Mutant = (index, new, tree.inclusion(index, new), leaves[index], roots[new])
            verify: Callable[..., bool] = _included
        else:
            old = pick.randrange(1, new)
            good = (old, new, tree.consistency(old, new), roots[old], roots[new])
            verify = _consistent
        assert verify(*good)
        for _ in range(10):
            mutant = _mutated(good, roots, pick)
            if mutant != good:
                tried += 1
                accepted += verify(*mutant)
    sys.stdout.write(f"{tried} mutated proofs, {accepted} accepted\n")
    assert accepted == 0


def _included(index: int, size: int, proof: Proof, leaf: bytes, root: bytes) -> bool:
    return verify_inclusion(index, size, leaf, proof, root)


def _consistent(old: int, new: int, proof: Proof, was: bytes, is_now: bytes) -> bool:
    return verify_consistency(old, new, was, is_now, proof)


def _mutated(good: Mutant, roots: Sequence[bytes], pick: random.Random) -> Mutant:
    """One change, anywhere."""
    first, size, proof, one, two = good
    proof = list(proof)
    match pick.randrange(10):
        case 0:
            first += pick.choice([-2, -1, 1, 2, 64, 256])
        case 1:
            # A path may be right for two sizes; a root is not, and is signed with its size.
            size = pick.choice([other for other in range(1, WIDEST + 1) if other != size])
            two = roots[size]
        case 2:
            one = _flipped(one, pick)
        case 3:
            two = _flipped(two, pick)
        case 4 if proof:
            del proof[pick.randrange(len(proof))]
        case 5:
            proof.insert(pick.randrange(len(proof) + 1), pick.choice([one, two, *proof]))
        case 6 if len(proof) > 1:
            pick.shuffle(proof)
        case 7 if proof:
            n = pick.randrange(len(proof))
            proof[n] = proof[n][:-1] if pick.random() < 0.5 else proof[n] + b"\x00"
        case _ if proof:
            n = pick.randrange(len(proof))
            proof[n] = _flipped(proof[n], pick)
    return (first, size, proof, one, two)


def _flipped(hash_: bytes, pick: random.Random) -> bytes:
    bit = pick.randrange(256)
    return bytes(b ^ (1 << bit % 8) if n == bit // 8 else b for n, b in enumerate(hash_))
