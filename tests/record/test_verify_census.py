"""Is every count that was signed counted again, wherever it is kept?"""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from gateways.witness import ReadableWitness
from gateways.witness.store import folder_witness
from record.census import Census
from record.faults import Tampered
from record.gate import Append
from record.seals import LOGS, census_of
from record.verify import held_by
from record.verify_census import verify_censuses
from record.witnessing import hand_over_censuses, rule, trusting
from tests.support.evidence import Desk
from tests.support.record import Record, plain


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


def _rewrite(record: Record, practice_id: UUID, size: int, root: bytes, note: str) -> None:
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            """UPDATE record.census SET root = %s, note = %s
            WHERE practice_id = %s AND log = 'record' AND size = %s""",
            (root, note, practice_id, size),
        )
