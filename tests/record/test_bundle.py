"""Does a bundle prove what it says, with nothing but the public key, and say what it cannot?"""

import json
from pathlib import Path

import psycopg
import pytest

from domain.kernel.ids import PracticeId
from record.bundle import README
from record.errors import SealsBehind
from record.export import HEADER
from record.seals import LOGS
from tests.support.evidence import PAPER, Desk, Judge, unzip
from tests.support.record import Record, context


@pytest.fixture
def desk(record: Record, practice_id: PracticeId) -> Desk:
    return Desk.of(record, practice_id)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


def test_a_bundle_is_proven_with_the_public_key_alone(desk: Desk, judge: Judge) -> None:
    client, other = desk.client(notes=3, reads=2), desk.client()
    bundle = desk.bundle(client)
    said = judge.proven(bundle, desk.key)
    assert said[0].startswith(f"the manifest is signed by palimpsest/{desk.practice_id}")
    assert "all 11 files are as they were signed" in said
    assert "record: 4 entries, each in the log at its position" in said
    assert "record: 4 bodies are what their ciphertexts say; NOT PROVEN: 0" in said
    assert f"record: complete: the census counts 4 entries of {client}" in said
    assert f"access: complete: the census counts 2 entries of {client}" in said
    assert said[-1].startswith("chart.pdf is the file that was signed: the chart as known at 2026")
    # Any of the practice's keys will do, also among those of others; another practice's does not.
    other_desk = Desk.of(desk.record, desk.record.new_practice())
    both = [other_desk.key, str(desk.exports.verify_key(desk.practice_id))]
    assert judge.proven(bundle, *both) == said
    assert str(other) not in str(unzip(bundle))
    assert (
        judge.wrong(bundle, other_desk.key) == f"no key of palimpsest/{desk.practice_id} was given"
    )
    posing = other_desk.key.replace(str(other_desk.practice_id), str(desk.practice_id))
    assert judge.wrong(bundle, posing).startswith("this is no public key")


def test_it_holds_the_whole_header_and_the_text_as_it_was_sealed(desk: Desk) -> None:
    client = desk.client(notes=1, reads=1)
    files = unzip(desk.bundle(client))
    for log in LOGS:
        lines = [json.loads(line) for line in files[f"{log}.jsonl"].splitlines()]
        rows = desk.record.events(desk.practice_id, log)
        assert [one["position"] for one in lines] == [row["position"] for row in rows]
        for line, row in zip(lines, rows, strict=True):
            assert [*line][: len(HEADER)] == [*HEADER]
            assert line["leaf_hash"] == row["leaf_hash"].hex()
            for name in ("stream_id", "subject", "actor", "on_behalf_of", "location", "command_id"):
                assert line[name] == (None if row[name] is None else str(row[name]))
    note = json.loads(files["record.jsonl"].splitlines()[1])["body"]
    assert note["sections"]["subjective"] == f"Note 0 of {client}."
    assert files["chart.pdf"] == PAPER["chart.pdf"]
    assert files["README.txt"] == README.read_bytes()
    assert len(README.read_text().splitlines()) < 80


def test_the_same_evidence_gives_the_same_bytes(desk: Desk) -> None:
    client = desk.client()
    assert desk.bundle(client) == desk.bundle(client)


def test_records_that_were_merged_are_each_complete(desk: Desk, judge: Judge) -> None:
    kept, absorbed, _ = desk.client(), desk.client(notes=4), desk.client()
    said = judge.proven(desk.bundle(kept, absorbed), desk.key)
    assert f"record: complete: the census counts 3 entries of {kept}" in said
    assert f"record: complete: the census counts 5 entries of {absorbed}" in said


def test_what_is_written_after_an_export_its_keys_do_not_open(desk: Desk, judge: Judge) -> None:
    client = desk.client(notes=1, reads=1)
    first = json.loads(unzip(desk.bundle(client))["keys.json"])
    assert len(first) == 3  # contact, clinical, business
    desk.record.accesses.note(context(desk.practice_id), "export", "evidence", clients=[client])
    files = unzip(desk.bundle(client))
    later = json.loads(files["access.jsonl"].splitlines()[-1])
    assert later["key_id"] not in first
    assert {*first} < {*json.loads(files["keys.json"])}
    assert judge.proven(desk.bundle(client), desk.key)


def test_a_shredded_text_is_left_out_and_all_else_is_proven(desk: Desk, judge: Judge) -> None:
    client = desk.client(notes=2, reads=1)
    desk.record.admin(
        """UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()
        WHERE practice_id = %s AND subject = %s AND category = 'clinical'""",
        (desk.practice_id, client),
    )
    # This process still has the key in memory; it hands out nothing of it.
    bundle = desk.bundle(client)
    lines = [json.loads(line) for line in unzip(bundle)["record.jsonl"].splitlines()]
    assert [line["body"] is None for line in lines] == [False, True, True]
    said = judge.proven(bundle, desk.key)
    assert "record: 1 bodies are what their ciphertexts say; NOT PROVEN: 2" in said
    assert f"record: complete: the census counts 3 entries of {client}" in said


def test_an_entry_under_the_practice_s_own_key_is_proven_without_its_text(
    desk: Desk, judge: Judge
) -> None:
    """So they were sealed once; that key opens other clients' entries and never leaves."""
    client = desk.client(notes=1, reads=2)
    desk.record.admin(
        """UPDATE record.data_key SET subject = practice_id
        WHERE practice_id = %s AND subject = %s AND category = 'business'""",
        (desk.practice_id, client),
    )
    files = unzip(bundle := desk.bundle(client))
    assert len(json.loads(files["keys.json"])) == 2
    assert [json.loads(one)["body"] for one in files["access.jsonl"].splitlines()] == [None, None]
    said = judge.proven(bundle, desk.key)
    assert "access: 0 bodies are what their ciphertexts say; NOT PROVEN: 2" in said


def test_what_another_sealer_is_at_is_waited_for_and_then_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.export.WAIT_SECONDS", 0.1)
    client = desk.client()
    with psycopg.connect(desk.record.ready.admin_url) as other:
        other.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('seal ' || %s::uuid || ' record', 0))",
            (desk.practice_id,),
        )
        with pytest.raises(SealsBehind):
            desk.exports.gather(desk.practice_id, [client])
    assert desk.exports.gather(desk.practice_id, [client]).clients == (client,)
