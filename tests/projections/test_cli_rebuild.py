"""What does `palimpsest rebuild` say, and does it mean it?"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.commands import app
from deploy.database import Database
from deploy.refusal import Refusal
from domain.kernel.ids import PracticeId
from gateways.kms.simulator import SimulatedKms
from record.keys import KeyRing
from record.practice import Practice, Practices
from tests.projections.test_applying import QUESTIONS, filled
from tests.support.postgres import ROOT_KEY
from tests.support.projections import Shown, shown_on
from tests.support.record import record_on


@pytest.fixture
def kept(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shown]:
    """Two practices under the root key that the command line reads."""
    key_file = tmp_path / "root.key"
    key_file.touch(mode=0o600)
    key_file.write_text(ROOT_KEY.hex())
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", database.admin_url)
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key_file))
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    with record_on(database) as opened:
        kms = SimulatedKms(ROOT_KEY)
        keys = KeyRing(opened.database, kms)

        def practice(practice_id: PracticeId) -> Practice:
            return Practice(opened.database, opened.gate, keys, practice_id, hints=opened.hints)

        shown = shown_on(replace(opened, kms=kms, keys=keys, practices=Practices(practice)))
        filled(shown.here)
        filled(shown.there)
        shown.catch_up()
        yield shown


def palimpsest(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rebuild", *arguments])


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_right_is_identical(kept: Shown, question: str) -> None:
    result = palimpsest(question, "--check")
    assert (result.exit_code, result.stdout) == (0, "identical\n")


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_rebuild_says_what_it_did(kept: Shown, question: str) -> None:
    before = kept.rows(question, kept.here)
    kept.record.admin("DELETE FROM projection.chart_view_v2")
    kept.record.admin("DELETE FROM projection.client_search_v1")
    result = palimpsest(question)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{question} made again from ")
    assert kept.rows(question, kept.here) == before


def test_what_is_wrong_is_named_by_ids_alone(kept: Shown) -> None:
    client = kept.there.register("Zelda", "Quirk")
    kept.catch_up()
    kept.record.admin(
        "UPDATE projection.client_search_v1 SET email = 'x@y.zz' WHERE client_id = %s", (client,)
    )
    result = palimpsest("client_search", "--check")
    assert result.exit_code == 1
    line = f"different  practice {kept.there.practice_id}  client {client}"
    assert result.stdout.splitlines() == [line, "1 row differs"]
    for_programs = palimpsest("client_search", "--check", "--json")
    assert for_programs.exit_code == 1
    told = json.loads(for_programs.stdout)
    assert told.pop("events") > 0
    assert told == {
        "projection": "client_search",
        "identical": False,
        "differences": [
            {
                "practice_id": str(kept.there.practice_id),
                "key": str(client),
                "what": "different",
            }
        ],
    }


def test_programs_are_told_too(kept: Shown) -> None:
    told = json.loads(palimpsest("chart_view", "--check", "--json").stdout)
    assert told["identical"] is True
    assert told["differences"] == []
    made = json.loads(palimpsest("chart_view", "--json").stdout)
    assert made == {"projection": "chart_view", "events": told["events"]}


@pytest.mark.usefixtures("kept")
def test_an_unknown_projection_is_refused_with_those_there_are() -> None:
    result = palimpsest("nonsense")
    assert isinstance(result.exception, Refusal)
    assert "chart_view, client_search" in str(result.exception)


def test_the_applications_own_address_is_not_enough(
    kept: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", kept.record.ready.app_url)
    result = palimpsest("chart_view")
    assert isinstance(result.exception, Refusal)
    assert "administrator" in str(result.exception)
