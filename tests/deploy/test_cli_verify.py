"""What does `palimpsest verify` say, and does it mean it?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from deploy.commands import app
from deploy.database import Database
from deploy.refusal import Refusal
from deploy.settings import load_settings
from deploy.witnesses import open_witnesses
from domain.kernel.ids import PracticeId
from gateways.witness.simulator import SimulatedWitness
from record.checkpoint import VerifyKey
from record.seals import LOGS, Seals
from record.witnessing import rule, trusting
from tests.support.postgres import ROOT_KEY
from tests.support.record import Record, record_on
from tests.support.witness import witness_server
from workers.sealer import Sealer

EVENTS = {"record": 40, "access": 9}


@dataclass(frozen=True)
class Kept:
    """A practice, and all that seals it."""

    record: Record
    seals: Seals
    practice_id: PracticeId
    network: SimulatedWitness
    sealer: Sealer

    def spoil(self, statement: str) -> None:
        """The administrator changes something behind everybody's back."""
        self.record.unguarded(self.practice_id, statement)


@pytest.fixture
def kept(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kept]:
    """A sealed practice and another one, under the settings that the command line reads."""
    key_file = tmp_path / "root.key"
    key_file.touch(mode=0o600)
    key_file.write_text(ROOT_KEY.hex())
    network = SimulatedWitness(rule(trusting(database.kms)))
    with witness_server(network) as address, record_on(database) as record:
        monkeypatch.setenv("PALIMPSEST_DATABASE_URL", database.admin_url)
        monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key_file))
        monkeypatch.setenv("PALIMPSEST_TESTING", "true")
        monkeypatch.setenv("PALIMPSEST_WITNESSES", f"{tmp_path / 'heads'},{address}")
        practice_id = record.new_practice("demo")
        for log, count in EVENTS.items():
            record.fill(practice_id, count // 2, log)
            record.fill(record.new_practice("other"), 3, log)
        seals = Seals(record.database, database.kms)
        with open_witnesses(load_settings(), database.kms) as witnesses:
            sealer = Sealer(record.database, seals, witnesses, pace=0)
            sealer.run_once()
            for log, count in EVENTS.items():
                record.fill(practice_id, count - count // 2, log)
            sealer.run_once()
            yield Kept(record, seals, practice_id, network, sealer)


def palimpsest(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def said(*arguments: str) -> dict[str, Any]:
    result = palimpsest("verify", "--practice", "demo", "--json", *arguments)
    told: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if told["verified"] else 1)
    assert told.pop("seconds") >= 0
    return told


def test_what_is_right_is_verified_up_to_its_heads(kept: Kept, tmp_path: Path) -> None:
    result = palimpsest("verify", "--practice", "demo")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    heads = [kept.seals.head(kept.practice_id, log) for log in LOGS]
    roots = [head.note.split("\n")[2] for head in heads]
    assert lines[0] == (
        f"verified 40 record and 9 access entries; head record 40 {roots[0]}, access 9 {roots[1]}"
    )
    assert f"record: witnessed at 40 by {tmp_path / 'heads'}" in lines
    assert any(line.startswith("access: witnessed at 9 by http://127.0.0.1") for line in lines)


def test_programs_are_told_the_same(kept: Kept, tmp_path: Path) -> None:
    told = said()
    assert (told["practice"], told["verified"], told["fault"]) == ("demo", True, None)
    for one, log in zip(told["logs"], LOGS, strict=True):
        head = kept.seals.head(kept.practice_id, log)
        witnessed = one.pop("witnessed")
        assert witnessed.pop(str(tmp_path / "heads")) == EVENTS[log]
        [(network, size)] = witnessed.items()
        assert network.startswith("http://127.0.0.1")
        assert size == EVENTS[log]
        assert one == {
            "log": log,
            "events": EVENTS[log],
            "sealed": EVENTS[log],
            "note": head.note,
        }


def test_what_is_not_sealed_yet_is_said(kept: Kept) -> None:
    kept.record.fill(kept.practice_id, 2)
    result = palimpsest("verify", "--practice", "demo")
    assert result.exit_code == 0
    assert "record: 2 entries are under no head yet" in result.stdout.splitlines()


def test_a_practice_that_nobody_sealed_yet_has_no_head(kept: Kept) -> None:
    kept.record.fill(kept.record.new_practice("new"), 2)
    result = palimpsest("verify", "--practice", "new")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "verified 2 record and 0 access entries; head record none, access none\n"
    )


def test_the_first_fault_ends_it_with_its_kind_and_place(kept: Kept) -> None:
    kept.spoil(
        """UPDATE record.event SET purpose = 'curiosity'
        WHERE practice_id = %(p)s AND log = 'access' AND position IN (7, 5)"""
    )
    result = palimpsest("verify", "--practice", "demo")
    assert result.exit_code == 1
    assert result.stdout == (
        "changed: position 5 of the access log: the row is not what was hashed\n"
    )
    told = said()
    assert not told["verified"]
    assert told["fault"] == {
        "log": "access",
        "kind": "changed",
        "first": 5,
        "last": 5,
        "detail": "the row is not what was hashed",
    }
    assert palimpsest("verify", "--practice", "other").exit_code == 0


CUT = """DELETE FROM record.event WHERE practice_id = %(p)s AND log = 'record' AND position > 20;
    DELETE FROM record.checkpoint WHERE practice_id = %(p)s AND log = 'record' AND size > 20;
    UPDATE record.head SET position = 20 WHERE practice_id = %(p)s AND log = 'record'"""


def cut(kept: Kept) -> None:
    """The newer half of the record is gone, and with it all that the database knew of it."""
    for statement in CUT.split(";"):
        kept.spoil(statement)


def test_a_folder_remembers_what_the_database_has_forgotten(kept: Kept) -> None:
    cut(kept)
    fault = said()["fault"]
    assert (fault["kind"], fault["first"], fault["last"]) == ("cut", 21, 40)


def test_so_does_a_witness_on_the_network(kept: Kept, tmp_path: Path) -> None:
    cut(kept)
    with witness_server(kept.network) as address:
        fault = said("--witness", address)["fault"]
        assert (fault["kind"], fault["log"]) == ("cut", "record")
        assert address in fault["detail"]
        # The same key signs another history of the same length.
        kept.record.fill(kept.practice_id, 20)
        Sealer(kept.record.database, kept.seals).run_once()
        fault = said("--witness", address)["fault"]
        assert (fault["kind"], fault["log"]) == ("forked", "record")
    fault = said("--witness", str(tmp_path / "heads"))["fault"]
    assert (fault["kind"], fault["first"], fault["last"]) == ("forked", 21, 40)


def test_a_witness_that_was_emptied_is_noticed(kept: Kept, tmp_path: Path) -> None:
    empty = str(tmp_path / "empty")
    Path(empty).mkdir()
    assert said("--witness", empty)["verified"]  # it may not have been told yet
    kept.spoil("UPDATE record.checkpoint SET signed_at = signed_at - interval '2 minutes'")
    fault = said("--witness", empty)["fault"]
    assert (fault["kind"], fault["first"], fault["last"]) == ("unwitnessed", 1, 40)


@pytest.mark.usefixtures("kept")
def test_a_folder_misspelt_is_told_and_not_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wrong in (tmp_path / "haeds", tmp_path / "file"):
        result = palimpsest("verify", "--practice", "demo", "--witness", str(wrong))
        assert isinstance(result.exception, Refusal)
        assert f"there is no folder {wrong}" in str(result.exception)
    assert not (tmp_path / "haeds").exists()


def test_a_witness_that_does_not_answer_is_no_proof(kept: Kept) -> None:
    kept.network.is_down = True
    result = palimpsest("verify", "--practice", "demo")
    assert isinstance(result.exception, Refusal)
    assert "a witness does not answer" in str(result.exception)


@pytest.mark.usefixtures("kept")
def test_what_cannot_be_asked_is_refused() -> None:
    result = palimpsest("verify", "--practice", "nobody")
    assert isinstance(result.exception, Refusal)
    assert "demo, other" in str(result.exception)
    result = palimpsest("verify", "--practice", "demo", "--witness", "ftp://heads.example")
    assert isinstance(result.exception, ValidationError)


def test_the_public_keys_are_printed_one_for_each_log(kept: Kept) -> None:
    result = palimpsest("seal-key", "--practice", "demo")
    assert result.exit_code == 0
    keys = [VerifyKey.parse(line) for line in result.stdout.splitlines()]
    for key, log in zip(keys, LOGS, strict=True):
        head = kept.seals.head(kept.practice_id, log)
        assert key.open(head.note).size == EVENTS[log]
