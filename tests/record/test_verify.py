"""Does a check find what no random edit hits, and does it say nothing where nothing is wrong?"""

from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from domain.kernel.ids import PracticeId
from gateways.witness.simulator import SimulatedWitness
from record.checkpoint import SigningKey
from record.faults import Fault, Kind, Tampered
from record.sealing import Sealing
from record.stored_log import CHUNK, StoredLog
from record.verify import Verified, held_by, verify
from record.witnessing import hand_over, rule, trusting
from tests.support.record import Record


def check(record: Record, practice_id: UUID, *statements: LiteralString) -> Verified | Fault:
    """What a check says of a record after some statements of an administrator, then undone."""
    key = SigningKey.of(record.kms, practice_id, "record").verify_key
    with (
        psycopg.connect(record.ready.admin_url) as admin,
        admin.transaction(force_rollback=True),
    ):
        admin.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            admin.execute(statement, {"p": practice_id})
        try:
            return verify(StoredLog(admin, practice_id, "record"), key)
        except Tampered as tampered:
            return tampered.fault


@pytest.fixture(scope="module")
def long_log(record: Record) -> PracticeId:
    """More than two reads, and nodes at two heights would need more than a test has time for."""
    practice_id = record.new_practice()
    record.fill(practice_id, 2 * CHUNK + 300)
    sealing = Sealing(record.database, record.seals, batch=3_000)
    while (head := sealing.seal(practice_id, "record")) and head.size < 2 * CHUNK + 300:
        pass
    return practice_id


def test_an_empty_log_is_what_it_was(record: Record, practice_id: PracticeId) -> None:
    assert check(record, practice_id) == Verified("record", 0, 0, None, {})


def test_a_log_longer_than_one_read_is_verified_to_its_end(
    record: Record, long_log: PracticeId
) -> None:
    said = check(record, long_log)
    assert isinstance(said, Verified)
    assert (said.events, said.sealed) == (2 * CHUNK + 300, 2 * CHUNK + 300)


@pytest.mark.parametrize("place", [1, CHUNK, CHUNK + 1, 2 * CHUNK + 300])
def test_a_fault_is_found_at_the_edges_of_a_read(
    record: Record, long_log: PracticeId, place: int
) -> None:
    key = SigningKey.of(record.kms, long_log, "record").verify_key
    with (
        psycopg.connect(record.ready.admin_url) as admin,
        admin.transaction(force_rollback=True),
    ):
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(
            """UPDATE record.event SET body = 'x'
            WHERE practice_id = %s AND log = 'record' AND position = %s""",
            (long_log, place),
        )
        with pytest.raises(Tampered) as tampered:
            verify(StoredLog(admin, long_log, "record"), key)
    assert (tampered.value.fault.kind, tampered.value.fault.first) == (Kind.CHANGED, place)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record.tree_node SET hash = sha256('x') WHERE practice_id = %(p)s AND number = 20",
        "DELETE FROM record.tree_node WHERE practice_id = %(p)s AND number = 20",
        """UPDATE record.tree_node SET number = 10020
        WHERE practice_id = %(p)s AND number = 20""",
    ],
)
def test_a_stored_node_that_does_not_follow_from_its_leaves(
    record: Record, long_log: PracticeId, statement: LiteralString
) -> None:
    said = check(record, long_log, statement)
    assert isinstance(said, Fault)
    assert (said.kind, said.first, said.last) == (Kind.MISGROWN, 20 * 256 + 1, 21 * 256)


def test_a_stored_node_too_many(record: Record, long_log: PracticeId) -> None:
    said = check(
        record,
        long_log,
        "INSERT INTO record.tree_node VALUES (%(p)s, 'record', 16, 5, sha256('x'))",
    )
    assert isinstance(said, Fault)
    assert said.kind is Kind.MISGROWN


def test_a_row_that_stands_twice_is_one_too_many(record: Record, practice_id: PracticeId) -> None:
    record.fill(practice_id, 5)
    said = check(
        record,
        practice_id,
        "ALTER TABLE record.event DROP CONSTRAINT event_practice_id_log_position_key",
        "ALTER TABLE record.event DROP CONSTRAINT event_pkey",
        """INSERT INTO record.event SELECT * FROM record.event
        WHERE practice_id = %(p)s AND position = 3""",
    )
    assert isinstance(said, Fault)
    assert (said.kind, said.first) == (Kind.INSERTED, 3)


def test_an_event_that_does_not_continue_its_stream(
    record: Record, practice_id: PracticeId
) -> None:
    """Before the first head is signed, only the streams can tell."""
    record.fill(practice_id, 5)
    by_the_gate = """UPDATE record.event SET version = 3, leaf_hash = record.leaf(
            practice_id, log, stream_id, 3, position, type, subject, actor, on_behalf_of, role,
            location, purpose, command_id, correlation_id, causation_id,
            (extract(epoch FROM occurred_at) * 1000000)::bigint,
            (extract(epoch FROM recorded_at) * 1000000)::bigint, key_id, body)
        WHERE practice_id = %(p)s AND position = 4"""
    said = check(record, practice_id, by_the_gate)
    assert isinstance(said, Fault)
    assert (said.kind, said.first) == (Kind.REORDERED, 4)


@pytest.mark.parametrize(("counted", "kind"), [(3, Kind.INSERTED), (9, Kind.CUT)])
def test_a_log_that_has_counted_otherwise(
    record: Record, practice_id: PracticeId, counted: int, kind: Kind
) -> None:
    record.fill(practice_id, 5)
    with psycopg.connect(record.ready.admin_url) as admin, admin.transaction(force_rollback=True):
        admin.execute(
            "UPDATE record.head SET position = %s WHERE practice_id = %s AND log = 'record'",
            (counted, practice_id),
        )
        key = SigningKey.of(record.kms, practice_id, "record").verify_key
        with pytest.raises(Tampered) as tampered:
            verify(StoredLog(admin, practice_id, "record"), key)
    fault = tampered.value.fault
    assert (fault.kind, fault.first) == (kind, min(counted, 5) + 1)


def test_a_log_sealed_under_another_root_key_is_not_vouched_for(
    record: Record, long_log: PracticeId
) -> None:
    other = SigningKey.of(type(record.kms)(bytes(32)), long_log, "record").verify_key
    with (
        psycopg.connect(record.ready.admin_url) as admin,
        pytest.raises(Tampered) as tampered,
    ):
        verify(StoredLog(admin, long_log, "record"), other)
    assert tampered.value.fault.kind is Kind.FORGED


def test_a_log_that_grows_while_it_is_checked_is_not_suspected(
    record: Record, practice_id: PracticeId
) -> None:
    """What a witness holds is asked first: later it may hold more than the snapshot shows."""
    witness = SimulatedWitness(rule(trusting(record.kms)))
    sealing = Sealing(record.database, record.seals)
    key = SigningKey.of(record.kms, practice_id, "record").verify_key

    def grow() -> None:
        record.fill(practice_id, 3)
        sealing.seal(practice_id, "record")
        hand_over(witness, record.seals, practice_id, "record")

    grow()
    held = held_by([witness], key)
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        stored = StoredLog(admin, practice_id, "record")
        assert stored.end() == 3
        grow()
        said = verify(stored, key, held)
    assert said.witnessed == {"simulated": 3}


def test_progress_is_told_as_far_as_the_rows_were_read(
    record: Record, long_log: PracticeId
) -> None:
    key = SigningKey.of(record.kms, long_log, "record").verify_key
    told: list[int] = []
    with psycopg.connect(record.ready.admin_url) as admin:
        verify(StoredLog(admin, long_log, "record"), key, watch=told.append)
    assert told == [CHUNK, 2 * CHUNK, 2 * CHUNK + 300]
