"""Does a signed root hold one count of each client, and only the count that is true?"""

from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.verify_bundle import census_over
from record.census import NOBODY, Census
from record.merkle import node_hash

Leaves = dict[UUID, list[bytes]]
leaves = st.dictionaries(
    st.uuids(), st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3), max_size=40
)


def census(found: Leaves) -> Census:
    made = Census()
    for client, hashes in found.items():
        for leaf in hashes:
            made.take(client, leaf)
    return made


def by_the_book(leaves: dict[str, bytes]) -> bytes:
    """The root as the module's docstring says it: leaves by the bits of their places."""
    if not leaves:
        return NOBODY
    if len(leaves) == 1:
        return next(iter(leaves.values()))
    halves = ({path[1:]: leaf for path, leaf in leaves.items() if path[0] == bit} for bit in "01")
    return node_hash(*map(by_the_book, halves))


@given(leaves)
def test_the_root_is_as_it_is_written_down(found: Leaves) -> None:
    places = {}
    for client, hashes in found.items():
        count = len(hashes).to_bytes(8, "big") + sha256(b"".join(hashes)).digest()
        place = int.from_bytes(sha256(client.bytes).digest(), "big")
        places[f"{place:0256b}"] = sha256(b"\x00" + client.bytes + count).digest()
    assert census(found).root == by_the_book(places)


@given(leaves)
def test_each_client_s_own_entries_are_proven_and_no_others(found: Leaves) -> None:
    taken = census(found)
    for client, hashes in found.items():
        proof = taken.proof(client)
        assert census_over(client, hashes, proof) == taken.root
        assert census_over(client, [*hashes, bytes(32)], proof) != taken.root
        assert census_over(client, hashes[1:], proof) != taken.root
        assert census_over(client, hashes[::-1], proof) != taken.root or hashes == hashes[::-1]
        assert census_over(uuid4(), hashes, proof) != taken.root
        assert census_over(client, hashes, [*proof, NOBODY]) != taken.root
    with pytest.raises(KeyError):
        taken.proof(uuid4())


def test_a_signer_who_counts_a_client_twice_proves_one_of_the_two_at_most() -> None:
    """Wherever she puts a second leaf: the client's place is on one way down from the root."""
    client, clients = uuid4(), [uuid4() for _ in range(30)]
    honest: Leaves = {client: [b"a" * 32, b"b" * 32]} | {one: [b"c" * 32] for one in clients}
    taken = census(honest)
    counted = client.bytes + (1).to_bytes(8, "big") + sha256(b"a" * 32).digest()
    short = sha256(b"\x00" + counted).digest()
    for other in clients:
        # The second count of the client, in another's place.
        proof = taken.proof(other)
        node = short
        place = int.from_bytes(sha256(other.bytes).digest(), "big")
        for depth, sibling in reversed(list(enumerate(proof))):
            pair = (sibling, node) if place >> (255 - depth) & 1 else (node, sibling)
            node = node_hash(*pair)
        assert census_over(client, [b"a" * 32], proof) != node
    assert census_over(client, honest[client], taken.proof(client)) == taken.root


@given(leaves, leaves)
def test_a_tree_that_grows_is_the_tree_that_was_built_at_once(first: Leaves, then: Leaves) -> None:
    growing = census(first)
    assert growing.root == census(first).root
    for client, hashes in then.items():
        for leaf in hashes:
            growing.take(client, leaf)
    both = {
        one: first.get(one, []) + then.get(one, []) for one in first.keys() | then.keys()
    }  # fmt: skip
    assert growing.root == census(both).root
    for client, hashes in both.items():
        assert growing.proof(client) == census(both).proof(client)
        assert growing.holds(client, hashes)
        assert not growing.holds(client, hashes[1:])
