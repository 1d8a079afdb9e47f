"""Is every read noted before anything is shown, or nothing shown at all?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from domain.kernel.ids import ActorId, ClientId, PracticeId
from record.access import Accessed, AccessLog
from record.database import Database
from record.errors import AccessNotLogged
from record.gate import Gate
from record.practice import Practice, Practices
from tests.support.record import Record, context, held_up, until


def committed(record: Record, practice_id: PracticeId) -> int:
    """How many entries another connection sees now."""
    ((count,),) = record.admin(
        "SELECT count(*) FROM record.event WHERE practice_id = %s AND log = 'access'",
        [practice_id],
    )
    return int(count)


def test_an_entry_is_committed_when_the_call_returns(
    record: Record, practice_id: PracticeId
) -> None:
    """Data goes out after `note`, so what was committed then was committed before the data."""
    for count in range(1, 6):
        record.accesses.note(context(practice_id), "read", "chart", clients=[uuid4()])
        assert committed(record, practice_id) == count


def test_an_entry_says_who_what_when_and_why(record: Record, practice_id: PracticeId) -> None:
    client, note = ClientId(uuid4()), uuid4()
    on_behalf_of = ActorId(uuid4())
    by = context(practice_id, purpose="payment", role="auditor", on_behalf_of=on_behalf_of)
    record.accesses.note(
        by, "replay", "events", clients=[client], outcome="denied", thing_id=note,
        origin="203.0.113.9 " + "x" * 300,
    )  # fmt: skip
    (entry,) = record.accesses.of_client(practice_id, client, before=None, limit=10)
    assert entry.event == Accessed(
        occurred_at=by.at,
        client_id=client,
        action="replay",
        what="events",
        outcome="denied",
        thing_id=note,
        origin=("203.0.113.9 " + "x" * 300)[:200],
    )
    assert (entry.actor, entry.role, entry.purpose) == (by.actor_id, "auditor", "payment")
    assert entry.recorded_at >= by.at
    (row,) = record.events(practice_id, "access")
    assert (row["on_behalf_of"], row["subject"]) == (on_behalf_of, client)


def test_a_search_leaves_one_entry_per_client_in_one_append(
    record: Record, practice_id: PracticeId
) -> None:
    found = [uuid4() for _ in range(20)]
    by = context(practice_id)
    record.accesses.note(by, "search", "clients", clients=found)
    rows = record.events(practice_id, "access")
    assert [row["subject"] for row in rows] == found
    assert [row["position"] for row in rows] == list(range(1, 21))
    assert {row["correlation_id"] for row in rows} == {by.correlation_id}
    assert len({row["recorded_at"] for row in rows}) == 1
    for client in found:
        assert len(record.accesses.of_client(practice_id, client, before=None, limit=5)) == 1


def test_a_search_that_finds_nobody_is_noted_too(record: Record, practice_id: PracticeId) -> None:
    record.accesses.note(context(practice_id), "search", "clients")
    (row,) = record.events(practice_id, "access")
    assert row["subject"] is None


def test_reading_twice_in_one_request_is_noted_twice(
    record: Record, practice_id: PracticeId
) -> None:
    """A read has no command id: it is never taken for a repetition."""
    by, client = context(practice_id), uuid4()
    for _ in range(2):
        record.accesses.note(by, "read", "chart", clients=[client])
    assert committed(record, practice_id) == 2
    assert [row["command_id"] for row in record.events(practice_id, "access")] == [None, None]


def test_the_newest_accesses_come_first_page_by_page(
    record: Record, practice_id: PracticeId
) -> None:
    client = uuid4()
    for _ in range(7):
        record.accesses.note(context(practice_id), "read", "chart", clients=[uuid4(), client])
    seen: list[int] = []
    before: int | None = None
    while page := record.accesses.of_client(practice_id, client, before=before, limit=3):
        seen += [entry.position for entry in page]
        before = seen[-1]
    assert seen == [14, 12, 10, 8, 6, 4, 2]


@contextmanager
def broken(record: Record, *statements: str) -> Iterator[None]:
    """Breaks the database for a while, as its administrator can."""
    with psycopg.connect(record.ready.admin_url, autocommit=True) as admin:
        breaking, mending = statements
        admin.execute(breaking.encode())
        try:
            yield
        finally:
            admin.execute(mending.encode())


FAILURES = {
    "the gate is closed": (
        "REVOKE EXECUTE ON FUNCTION record.append FROM palimpsest_app",
        "GRANT EXECUTE ON FUNCTION record.append TO palimpsest_app",
    ),
    "the table refuses": (
        "ALTER TABLE record.event ADD CONSTRAINT never CHECK (false) NOT VALID",
        "ALTER TABLE record.event DROP CONSTRAINT never",
    ),
    "the head is gone": (
        "ALTER TABLE record.head RENAME TO head_lost",
        "ALTER TABLE record.head_lost RENAME TO head",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_when_it_cannot_be_noted_the_caller_is_told_so(
    record: Record, practice_id: PracticeId, failure: str
) -> None:
    record.accesses.note(context(practice_id), "read", "chart", clients=[uuid4()])
    with broken(record, *FAILURES[failure]), pytest.raises(AccessNotLogged) as refused:
        record.accesses.note(context(practice_id), "read", "chart", clients=[uuid4()])
    assert refused.value.code == "access_log_unavailable"
    assert committed(record, practice_id) == 1
    record.accesses.note(context(practice_id), "read", "chart", clients=[uuid4()])
    assert committed(record, practice_id) == 2


def test_nor_when_no_connection_is_to_be_had(record: Record, practice_id: PracticeId) -> None:
    with Database(record.ready.app_url, size=1) as database:
        gate = Gate(database)
        accesses = AccessLog(
            Practices(lambda one: Practice(record.database, gate, record.keys, one, log="access"))
        )
        accesses.note(context(practice_id), "read", "chart")
        database.pool.timeout = 0.05
        with database.connection(), pytest.raises(AccessNotLogged):
            accesses.note(context(practice_id), "read", "chart")
    assert committed(record, practice_id) == 1


def test_nor_when_the_server_breaks_off_in_the_middle(
    record: Record, practice_id: PracticeId
) -> None:
    with ThreadPoolExecutor(1) as pool, held_up(record, practice_id) as is_met:
        noted = pool.submit(record.accesses.note, context(practice_id), "read", "chart")
        until(is_met)
        record.cut_all()
        assert isinstance(noted.exception(), AccessNotLogged)
    # The idle connections broke too, and none of them costs another request.
    for count in range(1, 12):
        record.accesses.note(context(practice_id), "read", "chart")
        assert committed(record, practice_id) == count


def test_nor_when_it_cannot_be_sealed(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record.kms, "is_down", True)
    with pytest.raises(AccessNotLogged):
        record.accesses.note(context(practice_id), "read", "chart")
    assert committed(record, practice_id) == 0


def test_nor_for_a_practice_that_is_not_there(record: Record) -> None:
    with pytest.raises(AccessNotLogged):
        record.accesses.note(context(PracticeId(uuid4())), "read", "chart")
