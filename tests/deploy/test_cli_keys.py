"""Can a practice's key be rotated from the command line, and does the record tell?"""

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from deploy.commands import app
from deploy.database import Database
from deploy.founding import found
from deploy.refusal import Refusal
from deploy.wiring import open_parts
from domain.practice_key.aggregate import stream_of
from domain.practice_key.events import PracticeKeyRotated
from record.ids import SYSTEM
from record.provision import NewPractice
from tests.support.postgres import ROOT_KEY


@pytest.fixture
def installed(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """What the command line finds by its settings."""
    key = tmp_path / "root.key"
    key.write_text(ROOT_KEY.hex())
    key.chmod(0o600)
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key))
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", database.admin_url)
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    return database


def test_a_rotation_is_reported_and_entered_in_the_record(installed: Database) -> None:
    with psycopg.connect(installed.admin_url, autocommit=True) as admin:
        practice_id = found(admin, installed.kms, NewPractice("spa", "A spa", "UTC"))
    shown = CliRunner().invoke(app, ["keys", "rotate", "--practice", "spa"])
    assert shown.exit_code == 0
    assert "generation 2 of the practice's key is in use" in shown.output
    told = CliRunner().invoke(app, ["keys", "rotate", "--practice", "spa", "--json"])
    # The key of the practice's own entries, which the first rotation had made.
    root_key_id = installed.kms.key_id
    assert json.loads(told.output) == {
        "generation": 3, "root_key_id": root_key_id, "data_keys": 1
    }  # fmt: skip
    with open_parts(installed.app_url, installed.kms, pool_size=2) as parts:
        entered = parts.platform.practices[practice_id].stream(stream_of(practice_id))
    assert [one.event for one in entered] == [
        PracticeKeyRotated(
            occurred_at=one.occurred_at, generation=number, root_key_id=root_key_id, data_keys=keys
        )
        for one, number, keys in zip(entered, (2, 3), (0, 1), strict=True)
    ]
    assert {(one.actor, one.role) for one in entered} == {(SYSTEM, "system")}


def test_an_unknown_practice_is_told_with_those_there_are(installed: Database) -> None:
    asked = CliRunner().invoke(app, ["keys", "rotate", "--practice", "none"])
    assert isinstance(asked.exception, Refusal)
    assert "there is no practice none" in str(asked.exception)
