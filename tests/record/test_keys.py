"""Is every body sealed under the right key, and gone with it?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from domain.chart.aggregate import NOTE
from domain.chart.events import NoteSigned
from domain.client.aggregate import CLIENT
from domain.client.events import ClientRegistered
from domain.kernel.events import Category
from domain.kernel.ids import PracticeId
from gateways.kms import KmsUnavailable, WrongRootKey
from gateways.kms.local import LocalKms
from record import keys as keys_module
from record import memory as memory_module
from record.database import Database, Row
from record.envelope import Shredded
from record.errors import Unreadable
from record.keys import DataKey, KeyRing
from record.memory import CACHE_SECONDS
from record.practice import Practice
from tests.support.leaf import leaf_hash
from tests.support.record import Record, context, register, sign


def ring(record: Record) -> KeyRing:
    """Another process: it has nothing in memory."""
    return KeyRing(record.database, record.kms)


def data_keys(record: Record, practice_id: PracticeId) -> list[tuple[UUID, str]]:
    return record.admin(
        "SELECT subject, category FROM record.data_key WHERE practice_id = %s ORDER BY category",
        [practice_id],
    )


def shred(record: Record, practice_id: PracticeId, client: UUID, category: str) -> None:
    """What shredding a key does: the wrapped key goes, the row says when."""
    record.admin(
        """UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()
        WHERE practice_id = %s AND subject = %s AND category = %s""",
        [practice_id, client, category],
    )


def client_with_note(record: Record, practice_id: PracticeId) -> tuple[UUID, UUID]:
    practice, client, note = record.practices[practice_id], uuid4(), uuid4()
    by = context(practice_id)
    practice.handle(CLIENT, client, register(client, by), by)
    by = context(practice_id)
    practice.handle(NOTE, note, sign(client, by), by)
    return client, note


def test_each_client_and_category_has_a_key_of_its_own(
    record: Record, practice_id: PracticeId
) -> None:
    first, _ = client_with_note(record, practice_id)
    second, _ = client_with_note(record, practice_id)
    assert sorted(data_keys(record, practice_id)) == sorted(
        [(client, kind) for client in (first, second) for kind in ("clinical", "contact")]
    )
    rows = record.events(practice_id)
    assert len({row["key_id"] for row in rows}) == 4
    # What is about no client is sealed under the practice's own key; who read what of a client is
    # not, for that key can never leave, and hers can.
    business = record.keys.key_in_use(practice_id, None, Category.BUSINESS)
    assert record.keys.key_in_use(practice_id, first, Category.BUSINESS) != business
    assert {(practice_id, "business"), (first, "business")} <= set(data_keys(record, practice_id))


def test_a_key_that_was_handed_out_seals_nothing_more(
    record: Record, practice_id: PracticeId
) -> None:
    client, note = client_with_note(record, practice_id)
    other, _ = client_with_note(record, practice_id)
    rows = record.events(practice_id)
    before = {row["key_id"] for row in rows if row["subject"] == client}
    used = [row["key_id"] for row in rows]
    own = record.keys.key_in_use(practice_id, None, Category.BUSINESS)
    handed = record.keys.hand_out(practice_id, [client, practice_id], [*used, own.key_id])
    # Hers, and neither another client's nor the practice's.
    assert set(handed) == before
    assert record.keys.hand_out(practice_id, [other], before) == {}
    # They open what they sealed, here and elsewhere; new text gets new keys, and they stay.
    assert isinstance(record.practices[practice_id].stream(note)[0].event, NoteSigned)
    kinds = (Category.CLINICAL, Category.CONTACT)
    after = [record.keys.key_in_use(practice_id, client, kind).key_id for kind in kinds]
    assert before.isdisjoint(after)
    assert {record.keys.key_in_use(practice_id, other, kind).key_id for kind in kinds} < {*used}
    assert record.keys.hand_out(practice_id, [client], before) == handed
    assert [ring(record).key_in_use(practice_id, client, kind).key_id for kind in kinds] == after
    # What was destroyed is handed out to nobody.
    shred(record, practice_id, client, "clinical")
    assert len(record.keys.hand_out(practice_id, [client], before)) == 1


def test_one_key_is_used_again_and_by_other_processes(
    record: Record, practice_id: PracticeId
) -> None:
    client = uuid4()
    made = record.keys.key_in_use(practice_id, client, Category.CLINICAL)
    for _ in range(3):
        found = ring(record).key_in_use(practice_id, client, Category.CLINICAL)
        assert found.key_id == made.key_id
        assert found.open(made.seal(b"text", b"place"), b"place") == b"text"
    by_id = ring(record).key(practice_id, made.key_id)
    assert by_id is not None
    assert by_id.open(made.seal(b"text", b"place"), b"place") == b"text"


def test_two_who_make_the_same_key_at_once_use_one(record: Record, practice_id: PracticeId) -> None:
    for _ in range(10):
        client, start = uuid4(), Barrier(4)

        def make(client: UUID = client, start: Barrier = start) -> DataKey:
            own = ring(record)
            own._newest(own._known, practice_id, anew=False)
            start.wait()
            return own.key_in_use(practice_id, client, Category.PHOTO)

        with ThreadPoolExecutor(4) as pool:
            made = [one.result() for one in [pool.submit(make) for _ in range(4)]]
        assert len({key.key_id for key in made}) == 1
        sealed = made[0].seal(b"text", b"")
        assert {key.open(sealed, b"") for key in made} == {b"text"}
        assert data_keys(record, practice_id).count((client, "photo")) == 1


def test_a_shredded_category_is_unreadable_and_all_else_still_stands(
    record: Record, practice_id: PracticeId
) -> None:
    client, note = client_with_note(record, practice_id)
    other, _ = client_with_note(record, practice_id)
    before = record.events(practice_id)
    shred(record, practice_id, client, "clinical")
    record.keys.forget()

    practice = record.practices[practice_id]
    (signed,) = practice.stream(note)
    assert isinstance(signed.event, Shredded)
    assert signed.event.stored_type == NoteSigned.type
    assert (signed.position, signed.version, signed.subject) == (2, 1, client)
    kinds = [type(recorded.event) for recorded in practice.about([client, other])]
    assert kinds == [ClientRegistered, Shredded, ClientRegistered, NoteSigned]
    # Positions and hashes are untouched, and the hash is still that of the row.
    after = record.events(practice_id)
    assert after == before
    assert [leaf_hash(row) for row in after] == [row["leaf_hash"] for row in before]
    # New text gets a new key; the old one stays gone.
    assert record.keys.key_in_use(practice_id, client, Category.CLINICAL).key_id not in {
        row["key_id"] for row in before
    }
    assert isinstance(practice.stream(note)[0].event, Shredded)


def test_a_key_shredded_elsewhere_is_forgotten_within_a_minute(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(memory_module, "monotonic", lambda: now)
    record.keys.forget()
    client, note = client_with_note(record, practice_id)
    practice = record.practices[practice_id]
    shred(record, practice_id, client, "clinical")
    now += CACHE_SECONDS - 1
    assert isinstance(practice.stream(note)[0].event, NoteSigned)
    now += 1
    assert isinstance(practice.stream(note)[0].event, Shredded)
    assert CACHE_SECONDS <= 60


def test_memory_holds_a_bounded_number_of_keys(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "CACHED_KEYS", 5)
    small = ring(record)
    made = [small.key_in_use(practice_id, uuid4(), Category.CONTACT) for _ in range(20)]
    shred(record, practice_id, data_keys(record, practice_id)[0][0], "contact")
    for key in made:
        small.key(practice_id, key.key_id)
    assert len(small._known.keys) == len(small._known.in_use) == 5
    assert len(small._known.destroyed) == 1
    # The newest ones are the ones that are kept.
    assert small._known.keys.get((practice_id, made[-1].key_id)) is not None


@pytest.mark.parametrize("root", [bytes(32), b"another root key, 32 bytes long."])
def test_under_a_wrong_root_key_nothing_is_read_and_nothing_written(
    record: Record, practice_id: PracticeId, root: bytes
) -> None:
    _, note = client_with_note(record, practice_id)
    wrong = Practice(
        record.database, record.gate, KeyRing(record.database, LocalKms(root)), practice_id
    )
    before = record.events(practice_id), data_keys(record, practice_id)
    with pytest.raises(WrongRootKey):
        wrong.stream(note)
    by, client = context(practice_id), uuid4()
    with pytest.raises(WrongRootKey):
        wrong.handle(CLIENT, client, register(client, by), by)
    assert (record.events(practice_id), data_keys(record, practice_id)) == before


def test_while_the_keeper_of_the_root_key_is_away_only_known_keys_work(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, note = client_with_note(record, practice_id)
    monkeypatch.setattr(record.kms, "is_down", True)
    assert record.practices[practice_id].stream(note)
    record.keys.forget()
    with pytest.raises(KmsUnavailable):
        record.practices[practice_id].stream(note)


def test_a_practice_that_is_not_there_has_no_keys(record: Record) -> None:
    with pytest.raises(Unreadable):
        record.keys.key_in_use(PracticeId(uuid4()), None, Category.BUSINESS)


def test_a_wrapped_key_is_bound_to_its_row(record: Record, practice_id: PracticeId) -> None:
    """Another client's wrapped key, put in the place of hers, does not open."""
    one, two = uuid4(), uuid4()
    record.keys.key_in_use(practice_id, one, Category.CLINICAL)
    record.keys.key_in_use(practice_id, two, Category.CLINICAL)
    record.admin(
        """UPDATE record.data_key AS here SET wrapped = there.wrapped FROM record.data_key AS there
        WHERE here.practice_id = %s AND here.subject = %s
            AND there.practice_id = here.practice_id AND there.subject = %s""",
        [practice_id, one, two],
    )
    with pytest.raises(WrongRootKey):
        ring(record).key_in_use(practice_id, one, Category.CLINICAL)


def test_sealing_the_same_text_twice_gives_two_bodies(
    record: Record, practice_id: PracticeId
) -> None:
    key = record.keys.key_in_use(practice_id, None, Category.BUSINESS)
    first, second = key.seal(b"text", b""), key.seal(b"text", b"")
    assert first != second
    assert first[1:13] != second[1:13]
    for spoilt in (b"", first[:5], b"\x02" + first[1:], first[:-1], first + b"\x00"):
        with pytest.raises(Unreadable):
            key.open(spoilt, b"")
    with pytest.raises(Unreadable):
        key.open(first, b"elsewhere")


class Counting(Database):
    """Counts the transactions it lends."""

    lent = 0

    @contextmanager
    def practice(self, practice_id: UUID, *, is_derived: bool = False) -> Iterator[Connection[Row]]:
        self.lent += 1
        with super().practice(practice_id, is_derived=is_derived) as connection:
            yield connection


def test_the_keys_of_a_batch_are_made_and_read_together(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    clients = [uuid4() for _ in range(20)]
    kinds = (Category.CLINICAL, Category.CONTACT)
    wanted = [(client, kind) for client in clients for kind in kinds]
    first = record.keys.key_in_use(practice_id, clients[0], Category.CLINICAL)
    with Counting(record.ready.app_url, size=1) as database:
        keys = KeyRing(database, record.kms)
        keys.prepare(practice_id, wanted)
        assert database.lent == 3  # those there are, the practice's own key, those made
        made = [keys.key_in_use(practice_id, *one) for one in wanted]
        assert made[0].key_id == first.key_id
        assert database.lent == 3
        again = KeyRing(database, record.kms)
        ids = [key.key_id for key in made]
        again.warm(practice_id, [*ids, None, uuid4()])
        assert database.lent == 4
        for key, known in zip(made, ids, strict=True):
            found = again.key(practice_id, known)
            assert found is not None
            assert found.open(key.seal(b"text", b"here"), b"here") == b"text"
        # A key that was read is also the one in use.
        assert again.key_in_use(practice_id, *wanted[-1]).key_id == ids[-1]
        assert database.lent == 4
    # Another practice's keys are not to be had.
    record.keys.warm(other_id, ids)
    with pytest.raises(Unreadable):
        record.keys.key(other_id, ids[0])


def test_a_destroyed_key_in_a_batch_is_remembered_as_such(
    record: Record, practice_id: PracticeId
) -> None:
    kept, gone = uuid4(), uuid4()
    ids = [
        record.keys.key_in_use(practice_id, one, Category.CLINICAL).key_id for one in (kept, gone)
    ]
    shred(record, practice_id, gone, "clinical")
    again = ring(record)
    again.warm(practice_id, ids)
    assert again.key(practice_id, ids[0]) is not None
    assert again.key(practice_id, ids[1]) is None
    # New text about her needs a new key.
    assert again.key_in_use(practice_id, gone, Category.CLINICAL).key_id not in ids
