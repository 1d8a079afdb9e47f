"""Does a signed root hold one count of each client, and only the count that is true?"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.verify_bundle import census_over
from gateways.witness import ReadableWitness, Submission
from gateways.witness.store import folder_witness
from record.census import NOBODY, Census
from record.checkpoint import VerifyKey
from record.counting import CensusDiffers, Counting, sign
from record.errors import ExportUnderWay, SealsBehind
from record.faults import Tampered
from record.gate import Append
from record.merkle import node_hash
from record.seals import LOGS, census_of
from record.verify import held_by
from record.verify_census import verify_censuses
from record.witnessing import hand_over_censuses, rule, trusting
from tests.support.evidence import Desk, Judge, unzip
from tests.support.record import Record, plain

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


def test_a_log_is_counted_up_to_the_head_and_no_further(record: Record) -> None:
    desk = Desk.of(record, record.new_practice())
    clients = [desk.client(notes=number) for number in range(4)]
    record.gate.append(Append(desk.practice_id, "record", [plain()]))  # about nobody
    desk.gather(clients[0])
    heads = {log: desk.seals.newest(desk.practice_id, log) for log in LOGS}
    desk.client()
    for log in LOGS:
        head = heads[log]
        assert head is not None
        rows = record.events(desk.practice_id, log)[: head.size]
        found: Leaves = {}
        for row in rows:
            if row["subject"] is not None:
                found.setdefault(row["subject"], []).append(row["leaf_hash"])
        assert found.keys() == {*clients}
        place = desk.practice_id, log
        with (
            record.database.practice(desk.practice_id) as connection,
            Counting(desk.seals).up_to(connection, *place, head) as taken,
        ):
            note = sign(connection, desk.seals, *place, head.size, taken.root)
            assert note == sign(connection, desk.seals, *place, head.size, taken.root)
        assert taken.root == census(found).root
        name = f"palimpsest/{desk.practice_id}/{log}-census"
        public = desk.seals.verify_key(desk.practice_id, log).public
        opened = VerifyKey(name, public).open(note)
        assert (opened.size, opened.root) == (head.size, taken.root)


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


def _given_to(record: Record, practice_id: UUID, position: int, subject: UUID) -> None:
    """What a superuser does: an entry is another client's, for a moment."""
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        done = admin.execute(
            """UPDATE record.event SET subject = %s
            WHERE practice_id = %s AND log = 'record' AND position = %s""",
            (subject, practice_id, position),
        )
        assert done.rowcount == 1


@pytest.mark.parametrize("before", [False, True], ids=["never counted", "counted before"])
def test_an_entry_that_is_hidden_while_it_is_counted_is_missed(
    record: Record, *, before: bool, tmp_path: Path
) -> None:
    desk = Desk.of(record, record.new_practice())
    client, other = desk.client(), desk.client()
    if before:
        desk.bundle(client)
        desk.client()
    _given_to(record, desk.practice_id, 2, other)
    with pytest.raises(CensusDiffers):
        desk.bundle(client)
    # Of the other client the bundle would say too much.
    with pytest.raises(CensusDiffers):
        desk.bundle(other)
    _given_to(record, desk.practice_id, 2, client)
    said = Judge(tmp_path).proven(desk.bundle(client), desk.key)
    assert f"record: complete: the census counts 3 entries of {client}" in said


def test_a_head_that_was_put_in_the_place_of_the_signed_one_is_believed_by_nobody(
    record: Record,
) -> None:
    desk = Desk.of(record, record.new_practice())
    desk.bundle(desk.client())
    head = desk.seals.newest(desk.practice_id, "record")
    assert head is not None
    with record.database.practice(desk.practice_id) as connection:
        for note in (head.note.replace("\n", "\n1", 1), ""):
            counted = Counting(desk.seals).up_to(
                connection, desk.practice_id, "record", replace(head, note=note)
            )
            with pytest.raises(CensusDiffers), counted:
                pass


def test_what_was_counted_is_not_read_again_and_an_older_head_is_counted_anew(
    record: Record,
) -> None:
    desk = Desk.of(record, record.new_practice())
    counting, roots = Counting(desk.seals), list[bytes]()
    desk.bundle(desk.client())
    old = desk.seals.newest(desk.practice_id, "record")
    desk.bundle(desk.client())
    new = desk.seals.newest(desk.practice_id, "record")
    assert old is not None
    assert new is not None
    with record.database.practice(desk.practice_id) as connection:
        for head in (old, new, old, new):
            with counting.up_to(connection, desk.practice_id, "record", head) as taken:
                roots.append(taken.root)
    assert roots[0] == roots[2] != roots[1] == roots[3]
    assert roots[:2] == [one.root for one in desk.seals.censuses(desk.practice_id, "record", 0)]


def test_no_census_is_signed_below_one_that_was_and_no_two_of_a_size(record: Record) -> None:
    desk = Desk.of(record, record.new_practice())
    desk.bundle(desk.client())
    with record.database.practice(desk.practice_id) as connection:
        place = connection, desk.seals, desk.practice_id, "record"
        with pytest.raises(SealsBehind):
            sign(*place, 2, bytes(32))
        with pytest.raises(CensusDiffers):
            sign(*place, 3, bytes(32))


def _verified(desk: Desk, log: str = "record", *witnesses: ReadableWitness) -> int:
    key = desk.seals.verify_key(desk.practice_id, census_of(log))
    with desk.record.database.practice(desk.practice_id) as connection:
        held = held_by(witnesses, key)
        return verify_censuses(connection, key, (desk.practice_id, log), held)


def test_every_census_that_was_signed_is_counted_again(record: Record) -> None:
    desk = Desk.of(record, record.new_practice())
    assert _verified(desk) == 0
    for _ in range(3):
        desk.bundle(desk.client())
        record.gate.append(Append(desk.practice_id, "record", [plain()]))
    assert [_verified(desk, log) for log in LOGS] == [3, 3]


def test_a_signer_who_counted_one_client_short_is_found(record: Record) -> None:
    """She has the key: note, root and row agree with each other, and not with the log."""
    desk = Desk.of(record, record.new_practice())
    client = desk.client()
    desk.bundle(client)
    desk.client()
    head = desk.gather(client).logs["record"].head
    rows = record.events(desk.practice_id)[: head.size]
    short = Census()
    for row in rows[:2] + rows[3:]:
        short.take(row["subject"], row["leaf_hash"])
    root = short.root
    note = desk.seals.signing_key(desk.practice_id, census_of("record")).sign(head.size, root)
    _rewrite(record, desk.practice_id, head.size, root, note)
    with pytest.raises(Tampered, match="miscounted: positions 1 to 6 of the record log"):
        _verified(desk)
    # One whom the key does not belong to signs nothing that counts.
    forged = note.replace(note[-10], "A" if note[-10] != "A" else "B")
    _rewrite(record, desk.practice_id, head.size, root, forged)
    with pytest.raises(Tampered, match="forged"):
        _verified(desk)
    _rewrite(record, desk.practice_id, head.size, bytes(32), note)
    with pytest.raises(Tampered, match="another's"):
        _verified(desk)


def test_a_false_count_that_a_witness_holds_is_found_though_its_row_is_gone(
    record: Record, tmp_path: Path
) -> None:
    desk = Desk.of(record, record.new_practice())
    witness = folder_witness(tmp_path, rule(trusting(record.kms)))
    desk.bundle(desk.client())
    hand_over_censuses(witness, desk.seals, desk.practice_id, "record")
    desk.bundle(desk.client())
    assert _verified(desk, "record", witness) == 2
    size = desk.seals.censuses(desk.practice_id, "record", 0)[-1].size
    false = desk.seals.signing_key(desk.practice_id, census_of("record")).sign(size, bytes(32))
    _rewrite(record, desk.practice_id, size, bytes(32), false)
    hand_over_censuses(witness, desk.seals, desk.practice_id, "record")
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("DELETE FROM record.census WHERE size = %s", (size,))
    assert _verified(desk) == 1
    with pytest.raises(Tampered, match=f"miscounted.*the census at {size} that .* holds"):
        _verified(desk, "record", witness)
    # Nor does it help to cut the log below it.
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            "DELETE FROM record.event WHERE practice_id = %s AND log = 'record' AND position >= %s",
            (desk.practice_id, size),
        )
    with pytest.raises(Tampered, match=f"cut: position {size} of the record log"):
        _verified(desk, "record", witness)


def test_witnesses_have_a_census_before_anybody_has_the_bundle(
    record: Record, tmp_path: Path
) -> None:
    practice_id = record.new_practice()
    witness = folder_witness(tmp_path / "a", rule(trusting(record.kms)))
    desk = Desk.of(record, practice_id, witness)
    client = desk.client()
    files = unzip(desk.bundle(client))
    assert b"\ncensuses-kept-by 1 witnesses\n" in files["manifest"]
    for log in LOGS:
        origin = f"palimpsest/{practice_id}/{log}-census"
        assert witness.read(origin, 0).encode() == files[f"{log}.census"]
        assert witness.count(origin) == 1
    # A witness that is down holds nobody up, and gets later what it has missed.
    (tmp_path / "a").rename(tmp_path / "away")
    (tmp_path / "a").write_text("no folder")
    client = desk.client()
    assert b"\ncensuses-kept-by 0 witnesses\n" in unzip(desk.bundle(client))["manifest"]
    (tmp_path / "a").unlink()
    (tmp_path / "away").rename(tmp_path / "a")
    desk.client()
    assert b"\ncensuses-kept-by 1 witnesses\n" in unzip(desk.bundle(client))["manifest"]
    assert witness.count(f"palimpsest/{practice_id}/record-census") == 3


def test_a_witness_that_holds_another_count_is_an_alarm(record: Record, tmp_path: Path) -> None:
    practice_id = record.new_practice()
    witness = folder_witness(tmp_path, rule(trusting(record.kms)))
    client = Desk.of(record, practice_id).client()
    size = 3
    key = Desk.of(record, practice_id).seals.signing_key(practice_id, census_of("record"))
    name = f"palimpsest/{practice_id}/record-census"
    witness.add(Submission(name, key.sign(size, bytes(32))))
    with pytest.raises(CensusDiffers):
        Desk.of(record, practice_id, witness).bundle(client)


def test_one_bundle_of_a_practice_is_made_at_a_time(record: Record) -> None:
    desk = Desk.of(record, record.new_practice())
    with desk.exports.turn(desk.practice_id):
        with pytest.raises(ExportUnderWay), desk.exports.turn(desk.practice_id):
            pass
        with desk.exports.turn(record.new_practice()):
            pass
    with desk.exports.turn(desk.practice_id):
        pass


def _rewrite(record: Record, practice_id: UUID, size: int, root: bytes, note: str) -> None:
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            """UPDATE record.census SET root = %s, note = %s
            WHERE practice_id = %s AND log = 'record' AND size = %s""",
            (root, note, practice_id, size),
        )
