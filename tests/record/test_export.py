"""Who must have seen what, before a bundle is handed out?"""

from pathlib import Path

import psycopg
import pytest

from gateways.witness import Submission
from gateways.witness.store import folder_witness
from record.counting import CensusDiffers
from record.errors import ExportUnderWay
from record.seals import LOGS, census_of
from record.witnessing import hand_over, rule, trusting
from tests.support.evidence import Desk, unzip
from tests.support.record import Record


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


def test_a_log_that_is_cut_for_a_moment_is_missed_by_whom_a_witness_tells(
    record: Record, tmp_path: Path
) -> None:
    """Also by a process that has just started, and has neither sealed nor counted anything."""
    practice_id = record.new_practice()
    witness = folder_witness(tmp_path, rule(trusting(record.kms)))
    desk = Desk.of(record, practice_id, witness)
    client = desk.client()
    desk.bundle(client)
    desk.client()
    desk.bundle(client)
    hand_over(witness, desk.seals, practice_id, "record")
    with psycopg.connect(record.ready.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        for cut in (
            "DELETE FROM record.event WHERE practice_id = %s AND log = 'record' AND position > 3",
            "DELETE FROM record.checkpoint WHERE practice_id = %s AND log = 'record' AND size > 3",
            "DELETE FROM record.census WHERE practice_id = %s AND log = 'record' AND size > 3",
            "UPDATE record.head SET position = 3 WHERE practice_id = %s AND log = 'record'",
        ):
            admin.execute(cut, (practice_id,))
    with pytest.raises(CensusDiffers):
        Desk.of(record, practice_id, witness).bundle(client)
    # Whom nobody tells hands out what there was then, under the head of then.
    head = Desk.of(record, practice_id).gather(client).logs["record"].head
    assert head.size == 3


def test_one_bundle_of_a_practice_is_made_at_a_time(record: Record) -> None:
    desk = Desk.of(record, record.new_practice())
    with desk.exports.turn(desk.practice_id):
        with pytest.raises(ExportUnderWay), desk.exports.turn(desk.practice_id):
            pass
        with desk.exports.turn(record.new_practice()):
            pass
    with desk.exports.turn(desk.practice_id):
        pass
