"""Does whoever signs a count see every entry, whatever is done to the rows meanwhile?"""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from record.census import Census
from record.checkpoint import VerifyKey
from record.counting import CensusDiffers, Counting, sign
from record.errors import SealsBehind
from record.gate import Append
from record.seals import LOGS
from tests.support.evidence import Desk, Judge
from tests.support.record import Record, plain


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
        found = Census()
        for row in rows:
            if row["subject"] is not None:
                found.take(row["subject"], row["leaf_hash"])
        assert len(found) == len(clients)
        place = desk.practice_id, log
        with (
            record.database.practice(desk.practice_id) as connection,
            Counting(desk.seals).up_to(connection, *place, head) as taken,
        ):
            note = sign(connection, desk.seals, *place, head.size, taken.root)
            assert note == sign(connection, desk.seals, *place, head.size, taken.root)
        assert taken.root == found.root
        name = f"palimpsest/{desk.practice_id}/{log}-census"
        public = desk.seals.verify_key(desk.practice_id, log).public
        opened = VerifyKey(name, public).open(note)
        assert (opened.size, opened.root) == (head.size, taken.root)


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


def test_what_was_counted_is_not_read_again_and_nobody_goes_back(
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
        for head in (old, new, new):
            with counting.up_to(connection, desk.practice_id, "record", head) as taken:
                roots.append(taken.root)
        earlier = counting.up_to(connection, desk.practice_id, "record", old)
        with pytest.raises(SealsBehind), earlier:
            pass
    assert roots[1] == roots[2]
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
