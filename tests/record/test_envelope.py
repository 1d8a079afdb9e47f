"""Does a stored body open in its own place only, and what is in it stay out of every error?"""

import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import psycopg
import pytest

from domain.chart.aggregate import NOTE
from domain.client.aggregate import CLIENT
from domain.kernel.ids import PracticeId
from domain.kernel.upcasting import UnknownEventType
from record.envelope import EnvelopeMapper, SealedEvent, StoredEntry
from record.errors import Unreadable
from record.gate import Append
from tests.support.record import Record, context, register, sign

CANARY = "canary-5f1c"


@pytest.fixture
def rows(record: Record, practice_id: PracticeId) -> list[StoredEntry]:
    """A registration and three notes, two of them for the same client, as they are stored."""
    practice, client, other = record.practices[practice_id], uuid4(), uuid4()
    by = context(practice_id)
    practice.handle(CLIENT, client, register(client, by), by)
    for patient in (client, client, other):
        by = context(practice_id)
        practice.handle(NOTE, uuid4(), sign(patient, by, CANARY), by)
    return record.recorder(practice_id).select_entries(1, 10)


def mapper(record: Record, practice_id: PracticeId, log: str = "record") -> EnvelopeMapper:
    return EnvelopeMapper(record.keys, practice_id, log)


def test_what_goes_in_comes_out(
    record: Record, practice_id: PracticeId, rows: list[StoredEntry]
) -> None:
    opened = [mapper(record, practice_id).to_recorded(row) for row in rows]
    assert [one.event.type for one in opened] == ["client.registered.v1"] + ["note.signed.v1"] * 3
    for row, one in zip(rows, opened, strict=True):
        assert (one.position, one.stream_id, one.version) == (
            row.id, row.originator_id, row.originator_version,
        )  # fmt: skip
        assert (one.subject, one.actor, one.role) == (row.subject, row.actor, "clinician")
        assert one.event.occurred_at == one.occurred_at
        assert one.leaf_hash == row.leaf_hash
        assert CANARY.encode() not in row.state


def test_a_body_moved_anywhere_else_does_not_open(
    record: Record, practice_id: PracticeId, other_id: PracticeId, rows: list[StoredEntry]
) -> None:
    _, first, second, others = rows
    here = mapper(record, practice_id)
    moved = [
        replace(second, state=first.state),  # to another row of the same client
        replace(others, state=first.state),  # to another client's
        replace(first, originator_id=uuid4()),
        replace(first, originator_version=2),
        replace(first, topic="note.locked.v1"),
        replace(first, subject=uuid4()),
        replace(first, subject=None),
        replace(first, key_id=others.key_id),
        replace(first, key_id=None),
        replace(first, key_id=uuid4()),
        replace(first, state=first.state[:-1]),
        replace(first, state=b""),
    ]
    for row in moved:
        with pytest.raises(Unreadable):
            here.to_recorded(row)
    for elsewhere in (mapper(record, other_id), mapper(record, practice_id, "access")):
        with pytest.raises(Unreadable):
            elsewhere.to_recorded(first)
    # None of it was because of the row itself.
    assert here.to_recorded(first).position == 2


def test_a_row_changed_in_the_database_is_noticed_when_read(
    record: Record, practice_id: PracticeId, rows: list[StoredEntry]
) -> None:
    _, first, second, _ = rows
    # On purpose, and past the trigger that stops whoever does it by mistake.
    with psycopg.connect(
        record.ready.admin_url, options="-c session_replication_role=replica"
    ) as tampering:
        tampering.execute(
            """UPDATE record.event AS here SET body = there.body FROM record.event AS there
            WHERE (here.practice_id, here.log, here.position) = (%s, 'record', 2)
                AND (there.practice_id, there.log, there.position) = (%s, 'record', 3)""",
            [practice_id, practice_id],
        )
    practice = record.practices[practice_id]
    with pytest.raises(Unreadable):
        practice.stream(first.originator_id)  # type: ignore[arg-type]  # ids are UUIDs here
    assert practice.stream(second.originator_id)  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"client_id": "canary-5f1c"}', b"canary-5f1c"])
def test_an_error_names_the_place_and_quotes_nothing(
    record: Record, practice_id: PracticeId, rows: list[StoredEntry], body: bytes
) -> None:
    here, row = mapper(record, practice_id), rows[1]
    key = record.keys.key(practice_id, row.key_id or uuid4())
    assert key is not None
    about = here._about(
        row.originator_id,  # type: ignore[arg-type]  # ids are UUIDs here
        row.originator_version,
        row.topic,
        row.subject,
        key.key_id,
    )
    with pytest.raises(Unreadable) as error:
        here.to_recorded(replace(row, state=key.seal(body, about)))
    told = "".join(traceback.format_exception(error.value))
    assert str(error.value) == "position 2 is no note.signed.v1"
    assert CANARY not in told


def test_an_event_of_a_later_release_is_named(
    record: Record, practice_id: PracticeId, rows: list[StoredEntry]
) -> None:
    here, row = mapper(record, practice_id), rows[1]
    key = record.keys.key(practice_id, row.key_id or uuid4())
    assert key is not None
    stream = uuid4()
    about = here._about(stream, 1, "note.sung.v9", row.subject, key.key_id)
    sealed = SealedEvent(
        stream, 1, "note.sung.v9", key.seal(b"{}", about), row.subject, key.key_id,
        datetime.now(UTC),
    )  # fmt: skip
    record.gate.append(Append(practice_id, "record", [sealed]))
    with pytest.raises(UnknownEventType, match=r"note\.sung\.v9"):
        record.practices[practice_id].stream(stream)


def test_the_library_reads_through_the_same_mapper(record: Record, practice_id: PracticeId) -> None:
    practice, client = record.practices[practice_id], uuid4()
    by = context(practice_id)
    practice.handle(CLIENT, client, register(client, by), by)
    (row,) = record.recorder(practice_id).select_entries(1, 10)
    assert cast("EnvelopeMapper", practice.mapper).to_domain_event(row) == practice.open(row)
