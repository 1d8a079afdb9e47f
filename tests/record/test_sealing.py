"""Is a log sealed whole, once, and never on top of what contradicts what was signed?"""

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors, sql

from domain.client.aggregate import CLIENT
from domain.kernel.ids import PracticeId
from record.leaf import POSITION, ROWS, leaf_hash, prefix
from record.merkle import Tree, root_of, verify_consistency, verify_inclusion
from record.sealing import SealBroken, Sealing
from record.seals import BeyondHead, NoSuchHead, NotSealedYet, Seal, Seals
from tests.support.leaf import leaf_hash as leaf_hash_by_the_book
from tests.support.record import Record, context, register


@pytest.fixture
def seals(record: Record) -> Seals:
    return record.seals


@pytest.fixture
def sealing(record: Record, seals: Seals) -> Sealing:
    return Sealing(record.database, seals)


# -- leaves ----------------------------------------------------------------------------------------


def test_a_leaf_is_computed_from_the_row_as_the_database_did(
    record: Record, practice_id: PracticeId
) -> None:
    by = context(practice_id, on_behalf_of=uuid4(), location_id=uuid4(), causation_id=uuid4())
    client = uuid4()
    record.practice(practice_id).handle(CLIENT, client, register(client, by), by)
    record.fill(practice_id, 2)
    by_the_book = [leaf_hash_by_the_book(row) for row in record.events(practice_id)]
    rows = record.admin(ROWS, (practice_id, "record", 0, 3))
    begins = prefix(practice_id, "record")
    assert [leaf_hash(begins, row[1:]) for row in rows] == by_the_book
    assert by_the_book == [row[0] for row in rows]
    assert [int.from_bytes(row[1:][POSITION], "big") for row in rows] == [1, 2, 3]


# -- sealing ---------------------------------------------------------------------------------------


def test_a_log_is_sealed_whole_and_then_only_when_there_is_news(
    record: Record, practice_id: PracticeId, seals: Seals, sealing: Sealing
) -> None:
    assert sealing.seal(practice_id, "record") is None
    record.fill(practice_id, 3)
    first = sealing.seal(practice_id, "record")
    assert first is not None
    assert (first.size, first.root) == (3, root_of(record.leaves(practice_id)))
    assert seals.verify_key(practice_id, "record").open(first.note).root == first.root
    assert sealing.seal(practice_id, "record") == first == seals.newest(practice_id, "record")
    record.fill(practice_id, 600)
    second = sealing.seal(practice_id, "record")
    assert second is not None
    assert (second.size, second.root) == (603, root_of(record.leaves(practice_id)))
    proof = seals.consistency(practice_id, "record", 3, 603)
    assert verify_consistency(3, 603, first.root, second.root, proof)


def test_proofs_from_stored_nodes_are_those_over_all_leaves(
    record: Record, practice_id: PracticeId, seals: Seals, sealing: Sealing
) -> None:
    record.fill(practice_id, 1_100)
    head = sealing.seal(practice_id, "record")
    assert head is not None
    everything = record.leaves(practice_id)

    def computed(height: int, first: int, count: int) -> list[bytes]:
        width = 1 << height
        spans = range(first * width, (first + count) * width, width)
        return [root_of(everything[start : start + width]) for start in spans]

    whole = Tree(1_100, computed)
    positions = [1, 2, 255, 256, 257, 700, 1_024, 1_025, 1_100]
    stored = seals.inclusions(practice_id, "record", positions, 1_100)
    assert [proof for _, proof in stored] == [whole.inclusion(n - 1, 1_100) for n in positions]
    for position, (leaf, proof) in zip(positions, stored, strict=True):
        assert leaf == everything[position - 1]
        assert verify_inclusion(position - 1, 1_100, leaf, proof, head.root)
    for old in (1, 256, 300, 1_024, 1_099):
        proof = seals.consistency(practice_id, "record", old, 1_100)
        assert proof == whole.consistency(old, 1_100)
    rows = record.admin(
        "SELECT height, number FROM record.tree_node WHERE practice_id = %s", (practice_id,)
    )
    assert sorted(rows) == [(8, 0), (8, 1), (8, 2), (8, 3)]


def test_a_long_log_is_sealed_in_several_heads_that_agree(
    record: Record, practice_id: PracticeId, seals: Seals
) -> None:
    record.fill(practice_id, 1_000)
    slow = Sealing(record.database, seals, batch=300)
    heads: list[Seal] = []
    while not heads or heads[-1].size < 1_000:
        head = slow.seal(practice_id, "record")
        assert head is not None
        heads.append(head)
    assert [head.size for head in heads] == [300, 600, 900, 1_000]
    everything = record.leaves(practice_id)
    assert [head.root for head in heads] == [root_of(everything[: head.size]) for head in heads]
    for old, new in pairwise(heads):
        proof = seals.consistency(practice_id, "record", old.size, new.size)
        assert verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_another_sealer_goes_on_where_the_first_has_stopped(
    record: Record, practice_id: PracticeId, seals: Seals, sealing: Sealing
) -> None:
    one, other = sealing, Sealing(record.database, Seals(record.database, record.kms))
    for sealer in (one, other, other, one, Sealing(record.database, seals)):
        record.fill(practice_id, 130)
        head = sealer.seal(practice_id, "record")
        assert head is not None
        assert head.root == root_of(record.leaves(practice_id))


def test_two_sealers_never_sign_two_heads_of_one_size(
    record: Record, practice_id: PracticeId, seals: Seals
) -> None:
    sealers = [Sealing(record.database, seals) for _ in range(4)]
    with ThreadPoolExecutor(5) as pool:
        writing = pool.submit(fill_slowly, record, practice_id, 60)
        rounds = [pool.submit(seal_until, writing, sealer, practice_id) for sealer in sealers]
        assert sum(future.result() for future in rounds) > 0
    final = sealers[0].seal(practice_id, "record")
    assert final is not None
    assert final.size == 60
    everything = record.leaves(practice_id)
    rows = record.admin(
        "SELECT size, root FROM record.checkpoint WHERE practice_id = %s", (practice_id,)
    )
    assert len(rows) > 1
    assert all(root == root_of(everything[:size]) for size, root in rows)


def fill_slowly(record: Record, practice_id: UUID, count: int) -> None:
    for _ in range(count):
        record.fill(practice_id, 1)


def seal_until(done: Future[None], sealer: Sealing, practice_id: UUID) -> int:
    signed = 0
    while not done.done():
        signed += sealer.seal(practice_id, "record") is not None
    return signed


def test_practices_and_logs_never_mix(
    record: Record, practice_id: PracticeId, other_id: PracticeId, seals: Seals, sealing: Sealing
) -> None:
    sizes = {
        (practice_id, "record"): 300,
        (practice_id, "access"): 290,
        (other_id, "record"): 310,
        (other_id, "access"): 0,
    }
    for (practice, log), count in sizes.items():
        record.fill(practice, count, log)
    heads = {place: sealing.seal(*place) for place in sizes}
    for (practice, log), count in sizes.items():
        head = heads[practice, log]
        if not count:
            assert head is None
            continue
        assert head is not None
        assert head.size == count
        everything = record.leaves(practice, log)
        assert head.root == root_of(everything)
        [(leaf, proof)] = seals.inclusions(practice, log, [290], count)
        assert leaf == everything[289]
        assert verify_inclusion(289, count, leaf, proof, head.root)
        for place, other in heads.items():
            if other is not None and place != (practice, log):
                assert not verify_inclusion(289, count, leaf, proof, other.root)


def test_what_is_not_sealed_yet_has_no_proof(
    record: Record, practice_id: PracticeId, seals: Seals, sealing: Sealing
) -> None:
    record.fill(practice_id, 5)
    for ask in (
        lambda: seals.inclusions(practice_id, "record", [1], 5),
        lambda: seals.consistency(practice_id, "record", 1, 5),
        lambda: seals.covering(practice_id, "record", 1),
        lambda: seals.head(practice_id, "record"),
        lambda: seals.head(practice_id, "record", 5),
    ):
        with pytest.raises(NotSealedYet):
            ask()
    sealing.seal(practice_id, "record")
    record.fill(practice_id, 2)
    sealing.seal(practice_id, "record")
    assert [seals.covering(practice_id, "record", n).size for n in (1, 5, 6, 7)] == [5, 5, 7, 7]
    with pytest.raises(NotSealedYet):
        seals.covering(practice_id, "record", 8)
    assert [seals.head(practice_id, "record", n).size for n in (None, 5, 7)] == [7, 5, 7]
    with pytest.raises(NotSealedYet):
        seals.head(practice_id, "record", 8)
    with pytest.raises(NoSuchHead):
        seals.head(practice_id, "record", 6)
    for position in (0, -1, 6):
        with pytest.raises(BeyondHead):
            seals.inclusions(practice_id, "record", [position], 5)
    for old, new in ((-1, 5), (6, 5)):
        with pytest.raises(BeyondHead):
            seals.consistency(practice_id, "record", old, new)


# -- what contradicts a head -----------------------------------------------------------------------

SPOILT: dict[str, tuple[LiteralString, ...]] = {
    "the tail is cut": (
        "DELETE FROM record.event WHERE practice_id = %(p)s AND position > 290",
        "UPDATE record.head SET position = 290 WHERE practice_id = %(p)s AND log = 'record'",
    ),
    "a leaf is changed": (
        """UPDATE record.event SET leaf_hash = sha256('x')
        WHERE practice_id = %(p)s AND position = 299""",
    ),
    "a node is changed": (
        "UPDATE record.tree_node SET hash = sha256('x') WHERE practice_id = %(p)s",
    ),
    "a node is gone": ("DELETE FROM record.tree_node WHERE practice_id = %(p)s",),
    "a head is changed": (
        "UPDATE record.checkpoint SET root = sha256('x') WHERE practice_id = %(p)s",
    ),
    "a head is made up": (
        """INSERT INTO record.checkpoint SELECT practice_id, log, size + 1, root, note
        FROM record.checkpoint WHERE practice_id = %(p)s""",
    ),
    "a position is missing": (
        "DELETE FROM record.event WHERE practice_id = %(p)s AND position = 301",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
@pytest.mark.parametrize("remembers", [True, False], ids=["the same sealer", "another sealer"])
def test_nothing_is_signed_on_top_of_a_contradiction(
    record: Record, practice_id: PracticeId, seals: Seals, what: str, *, remembers: bool
) -> None:
    sealing = Sealing(record.database, seals)
    record.fill(practice_id, 300)
    signed = sealing.seal(practice_id, "record")
    record.fill(practice_id, 2)
    record.unguarded(practice_id, *SPOILT[what])
    if not remembers:
        sealing = Sealing(record.database, seals)
    elif what in ("a leaf is changed", "a node is changed", "a node is gone"):
        # Whoever signed the head remembers the tree, and goes on from what she knows.
        head = sealing.seal(practice_id, "record")
        assert head is not None
        assert head.size == 302
        return
    with pytest.raises(SealBroken):
        sealing.seal(practice_id, "record")
    if what not in ("a head is changed", "a head is made up"):
        assert seals.newest(practice_id, "record") == signed


def test_heads_that_vanish_under_a_sealer_are_noticed(
    record: Record, practice_id: PracticeId, sealing: Sealing
) -> None:
    record.fill(practice_id, 3)
    sealing.seal(practice_id, "record")
    record.unguarded(practice_id, "DELETE FROM record.checkpoint WHERE practice_id = %(p)s")
    with pytest.raises(SealBroken, match="gone"):
        sealing.seal(practice_id, "record")


@pytest.mark.parametrize("table", ["tree_node", "checkpoint"])
def test_seals_are_only_ever_added_to(
    record: Record, practice_id: PracticeId, sealing: Sealing, table: str
) -> None:
    record.fill(practice_id, 256)
    sealing.seal(practice_id, "record")
    by_name = sql.Identifier(table)
    changes = (
        sql.SQL("UPDATE record.{} SET log = log").format(by_name),
        sql.SQL("DELETE FROM record.{}").format(by_name),
    )
    with psycopg.connect(record.ready.admin_url, autocommit=True) as admin:
        for change in changes:
            with pytest.raises(errors.RestrictViolation):
                admin.execute(change)
    again = sql.SQL("INSERT INTO record.{0} SELECT * FROM record.{0}").format(by_name)
    refusals = [(change, errors.InsufficientPrivilege) for change in changes]
    for statement, refusal in [*refusals, (again, errors.UniqueViolation)]:
        with (
            pytest.raises(refusal),
            record.database.practice(practice_id) as connection,
        ):
            connection.execute(statement)
