"""Can a practice's key be exchanged at any moment, by anybody, without a read or write failing?"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.chart.aggregate import NOTE
from domain.chart.events import NoteSigned
from domain.client.aggregate import CLIENT
from domain.client.events import ClientRegistered
from domain.kernel.events import Category
from domain.kernel.ids import PracticeId
from gateways.kms import KmsUnavailable
from record import rewriting
from record import rotation as rotation_module
from record.keys import DataKey, KeyRing
from record.practice import Practice
from record.rewriting import TableInUse
from record.rotation import Rotated, Rotation, RotationRefused, Watch
from record.wrapping import about_key, wrap
from tests.support.record import Record, context, register, sign

Admin = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def administrator(record: Record) -> Iterator[Admin]:
    with psycopg.connect(record.ready.admin_url, autocommit=True) as admin:
        yield admin


def unwatched(_done: int, _total: int) -> None:
    pass


def rotate(
    record: Record, practice_id: PracticeId, *, recorded: int = 1, watch: Watch = unwatched
) -> Rotated:
    with administrator(record) as admin:
        return Rotation(admin, record.kms, practice_id, watch).run(recorded=recorded)


def elsewhere(record: Record, practice_id: PracticeId) -> Practice:
    """The practice in another process, which has nothing in memory."""
    return Practice(record.database, record.gate, KeyRing(record.database, record.kms), practice_id)


def client_with_note(practice: Practice) -> tuple[UUID, UUID]:
    client, note = uuid4(), uuid4()
    by = context(practice.practice_id)
    practice.handle(CLIENT, client, register(client, by), by)
    by = context(practice.practice_id)
    practice.handle(NOTE, note, sign(client, by), by)
    return client, note


def is_readable(practice: Practice, client: UUID) -> bool:
    kinds = [type(recorded.event) for recorded in practice.about([client])]
    return kinds == [ClientRegistered, NoteSigned]


def wrapped_keys(record: Record, practice_id: PracticeId) -> dict[UUID, tuple[bytes, int]]:
    rows = record.admin(
        "SELECT key_id, wrapped, generation FROM record.data_key WHERE practice_id = %s",
        [practice_id],
    )
    return {key_id: (wrapped, generation) for key_id, wrapped, generation in rows}


def generations(record: Record, practice_id: PracticeId) -> list[int]:
    rows = record.admin(
        "SELECT generation FROM record.practice_key WHERE practice_id = %s ORDER BY 1",
        [practice_id],
    )
    return [row[0] for row in rows]


def test_every_key_is_wrapped_anew_and_no_text_is_touched(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    clients = [client_with_note(record.practices[practice_id])[0] for _ in range(3)]
    gone = record.keys.key_in_use(practice_id, clients[0], Category.PHOTO).key_id
    record.admin(
        "UPDATE record.data_key SET wrapped = NULL, destroyed_at = now() WHERE key_id = %s", [gone]
    )
    client_with_note(record.practices[other_id])
    texts, before = record.events(practice_id), wrapped_keys(record, practice_id)
    others = wrapped_keys(record, other_id), generations(record, other_id)
    ((old,),) = record.admin(
        "SELECT wrapped FROM record.practice_key WHERE practice_id = %s", [practice_id]
    )

    rotated = rotate(record, practice_id)

    assert rotated == Rotated(2, record.kms.key_id, len(before))
    after = wrapped_keys(record, practice_id)
    assert after.keys() == before.keys()
    assert [*after.pop(gone)] == [None, None]
    assert all(generation == 2 for _, generation in after.values())
    assert all(wrapped != before[key_id][0] for key_id, (wrapped, _) in after.items())
    assert generations(record, practice_id) == [2]
    assert record.admin("SELECT 1 FROM record.practice_key WHERE wrapped = %s", [old]) == []
    # For those who had the keys in memory, and for those who read them now.
    for practice in (record.practices[practice_id], elsewhere(record, practice_id)):
        assert all(is_readable(practice, client) for client in clients)
    assert elsewhere(record, practice_id).keys.key(practice_id, gone) is None
    assert record.events(practice_id) == texts
    assert (wrapped_keys(record, other_id), generations(record, other_id)) == others


def test_new_keys_are_made_under_the_generation_there_is(
    record: Record, practice_id: PracticeId
) -> None:
    """Also by who still takes an earlier one for the newest."""
    slow = elsewhere(record, practice_id)
    client_with_note(slow)
    for generation in (2, 3):
        assert rotate(record, practice_id, recorded=generation - 1).generation == generation
        client, _ = client_with_note(slow)
        assert is_readable(elsewhere(record, practice_id), client)
    assert {generation for _, generation in wrapped_keys(record, practice_id).values()} == {3}


class Stopped(Exception):
    """What a crash is to the one who runs the command."""


def stopping(after: int, stop: Callable[[], None]) -> Watch:
    """Stops before a batch, or before the old generation is destroyed."""
    batches = iter(range(100))

    def watch(_done: int, _total: int) -> None:
        if next(batches) == after:
            stop()

    return watch


def raise_stopped() -> None:
    raise Stopped


@pytest.mark.parametrize("after", range(6))
def test_stopped_before_any_batch_it_goes_on_where_it_was(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(rotation_module, "BATCH", 2)
    clients = [client_with_note(record.practices[practice_id])[0] for _ in range(5)]
    with pytest.raises(Stopped):
        rotate(record, practice_id, watch=stopping(after, raise_stopped))
    assert generations(record, practice_id) == [1, 2]
    half = [generation for _, generation in wrapped_keys(record, practice_id).values()]
    assert half.count(2) == 2 * after
    clients.append(client_with_note(elsewhere(record, practice_id))[0])
    assert all(is_readable(elsewhere(record, practice_id), client) for client in clients)

    rotated = rotate(record, practice_id)
    assert (rotated.generation, rotated.data_keys) == (2, 10 - 2 * after)
    assert generations(record, practice_id) == [2]
    assert all(is_readable(elsewhere(record, practice_id), client) for client in clients)
    # Cut short before it was entered in the record: that, and no rotation more.
    assert rotate(record, practice_id).generation == 2
    assert rotate(record, practice_id, recorded=2).generation == 3


def test_its_connection_cut_ten_times_it_ends_all_the_same(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation_module, "BATCH", 1)
    clients = [client_with_note(record.practices[practice_id])[0] for _ in range(6)]
    for _ in range(10):
        with administrator(record) as admin:
            pid = admin.info.backend_pid

            def cut(pid: int = pid) -> None:
                record.admin("SELECT pg_terminate_backend(%s, 5000)", [pid])

            rotation = Rotation(admin, record.kms, practice_id, stopping(1, cut))
            with pytest.raises(psycopg.OperationalError):
                rotation.run(recorded=1)
    assert rotate(record, practice_id) == Rotated(2, record.kms.key_id, 2)
    assert all(is_readable(elsewhere(record, practice_id), client) for client in clients)


def test_nobody_who_reads_or_writes_meanwhile_fails(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation_module, "BATCH", 3)
    old = [client_with_note(record.practices[practice_id])[0] for _ in range(5)]
    done, fresh = Flag(), []

    def write() -> None:
        while not done.is_set():
            fresh.append(client_with_note(elsewhere(record, practice_id))[0])

    def write_from_memory() -> None:
        practice = elsewhere(record, practice_id)
        while not done.is_set():
            fresh.append(client_with_note(practice)[0])

    def read() -> int:
        reads = 0
        while not done.is_set():
            practice = elsewhere(record, practice_id)
            assert all(is_readable(practice, client) for client in [*old, *fresh[-3:]])
            reads += 1
        return reads

    with ThreadPoolExecutor(4) as pool:
        at_work = [pool.submit(one) for one in (write, write_from_memory, read, read)]
        try:
            for recorded in range(1, 7):
                assert rotate(record, practice_id, recorded=recorded).generation == recorded + 1
        finally:
            done.set()
        results = [one.result() for one in at_work]
    assert len(fresh) > 6
    assert all(reads for reads in results[2:])
    assert generations(record, practice_id) == [7]
    assert all(is_readable(elsewhere(record, practice_id), client) for client in [*old, *fresh])


def test_a_writer_under_way_keeps_the_old_generation_until_its_key_is_wrapped_anew(
    record: Record, practice_id: PracticeId
) -> None:
    """The one case that a count of the keys alone would miss: a key not yet committed."""
    client_with_note(record.practices[practice_id])
    ((under_root,),) = record.admin(
        "SELECT wrapped FROM record.practice_key WHERE practice_id = %s", [practice_id]
    )
    practice_key = AESGCM(record.kms.unwrap(under_root, practice_id.bytes))
    late, client, plain = uuid4(), uuid4(), AESGCM.generate_key(256)
    wrapped = wrap(practice_key, plain, about_key((practice_id, client, "photo"), late))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = %s"
    with (
        administrator(record) as admin,
        psycopg.connect(record.ready.app_url) as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        writer.execute("SELECT set_config('palimpsest.practice', %s, true)", [str(practice_id)])
        writer.execute(
            """INSERT INTO record.data_key (key_id, subject, category, wrapped, generation)
            VALUES (%s, %s, 'photo', %s, 1)""",
            [late, client, wrapped],
        )
        at_work = pool.submit(Rotation(admin, record.kms, practice_id).run, recorded=1)
        while record.admin(waits, [admin.info.backend_pid]) != [(1,)]:
            assert not at_work.done()
        writer.commit()
        assert at_work.result().data_keys == 3
    assert generations(record, practice_id) == [2]
    found = elsewhere(record, practice_id).keys.key(practice_id, late)
    assert found is not None
    assert found.open(DataKey(late, AESGCM(plain)).seal(b"text", b""), b"") == b"text"


def test_two_do_not_rotate_one_practice_at_once(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    refusals: list[str] = []

    def another() -> None:
        with pytest.raises(RotationRefused) as refused:
            rotate(record, practice_id)
        refusals.append(str(refused.value))
        assert rotate(record, other_id).generation == 2

    client_with_note(record.practices[practice_id])
    assert rotate(record, practice_id, watch=stopping(0, another)).generation == 2
    assert refusals == ["this practice's key is being rotated already"]


def test_while_the_keeper_of_the_root_key_is_away_nothing_changes(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = client_with_note(record.practices[practice_id])
    before = wrapped_keys(record, practice_id)
    monkeypatch.setattr(record.kms, "is_down", True)
    with pytest.raises(KmsUnavailable):
        rotate(record, practice_id)
    monkeypatch.setattr(record.kms, "is_down", False)
    assert (wrapped_keys(record, practice_id), generations(record, practice_id)) == (before, [1])
    assert is_readable(elsewhere(record, practice_id), client)


def test_a_table_that_is_in_use_all_the_time_is_told_and_the_rest_is_done(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "TRIES", 2)
    monkeypatch.setattr(rewriting, "LOCK_WAIT", "10ms")
    client, _ = client_with_note(record.practices[practice_id])
    with administrator(record) as reader, reader.transaction():
        reader.execute("LOCK TABLE record.practice_key IN ACCESS SHARE MODE")
        with pytest.raises(TableInUse):
            rotate(record, practice_id)
    assert generations(record, practice_id) == [2]
    assert rotate(record, practice_id) == Rotated(2, record.kms.key_id, 0)
    assert is_readable(elsewhere(record, practice_id), client)
