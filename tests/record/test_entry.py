"""Does an event that was carried outside come back as the row that it was?"""

from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.client.aggregate import CLIENT
from domain.kernel.ids import ActorId
from record import entry, leaf
from record.envelope import StoredEntry
from record.errors import Unreadable
from tests.support.record import Record, context, plain, register


def entries(record: Record, practice_id: object, log: str = "record") -> list[tuple[bytes, bytes]]:
    """The stored leaf hash and the entry of each row of a log."""
    begins = leaf.prefix(practice_id, log)  # type: ignore[arg-type]  # an id
    with record.database.practice(practice_id) as connection:  # type: ignore[arg-type]  # an id
        rows = connection.execute(leaf.ROWS, (practice_id, log, 0, 99), binary=True).fetchall()
    return [(stored, entry.write(begins, columns)) for stored, *columns in rows]


def test_every_field_comes_back(record: Record) -> None:
    practice_id = record.new_practice()
    by = context(
        practice_id,
        on_behalf_of=ActorId(uuid4()),
        location_id=uuid4(),
        causation_id=uuid4(),
        role="médecin",
    )
    client_id = uuid4()
    record.practices[practice_id].handle(CLIENT, client_id, register(client_id, by), by)
    record.recorder(practice_id).append([plain(body=b"")])
    rows = record.recorder(practice_id).select_entries(1, 10)
    assert len(rows) == 2
    for row, (stored, written) in zip(rows, entries(record, practice_id), strict=True):
        carried = entry.read(written)
        assert (carried.practice_id, carried.log) == (practice_id, "record")
        assert carried.row == row
        assert carried.row.leaf_hash == stored, "whoever holds an entry holds its proof"
    opened = record.practices[practice_id].open(entry.read(entries(record, practice_id)[0][1]).row)
    assert opened.subject == client_id


def test_an_entry_that_was_cut_or_is_of_another_version_is_unreadable(record: Record) -> None:
    practice_id = record.new_practice()
    record.recorder(practice_id).append([plain(body=b"")])
    ((_, whole),) = entries(record, practice_id)
    for length in range(len(whole)):
        with pytest.raises(Unreadable):
            entry.read(whole[:length])
    with pytest.raises(Unreadable, match="version 02"):
        entry.read(b"\x02" + whole[1:])
    longer = entry.read(whole + b"more").row
    assert longer == replace(entry.read(whole).row, state=b"more", leaf_hash=longer.leaf_hash), (
        "what follows is the body, and the hash tells"
    )


@given(st.binary(max_size=300))
def test_whatever_arrives_is_read_or_unreadable(data: bytes) -> None:
    for one in (data, b"\x01" + data):
        with suppress(Unreadable):
            assert isinstance(entry.read(one).row, StoredEntry)
