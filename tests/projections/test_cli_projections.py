"""Does `palimpsest projections` say what is behind and stuck, and does `retry` let it go on?"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.commands import app
from deploy.database import Database
from deploy.refusal import Refusal
from projections.parking import park
from tests.support.postgres import ROOT_KEY
from tests.support.projections import Shown, shown_on
from tests.support.record import record_on


@pytest.fixture
def shown(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shown]:
    """Two practices; the command line finds their database."""
    key_file = tmp_path / "root.key"
    key_file.touch(mode=0o600)
    key_file.write_text(ROOT_KEY.hex())
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", database.admin_url)
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key_file))
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    with record_on(database) as record:
        yield shown_on(record)


def palimpsest(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["projections", *arguments])


def slug(shown: Shown) -> str:
    ((found,),) = shown.record.admin(
        "SELECT slug FROM record.practice WHERE practice_id = %s", (shown.here.practice_id,)
    )
    return str(found)


def get_stuck(shown: Shown) -> None:
    """As if the chart of the first practice could not take its second event."""
    shown.here.sign(shown.here.register())
    shown.there.register()
    shown.catch_up()
    with shown.record.database.practice(shown.here.practice_id) as connection:
        for _ in range(20):
            park(connection, "chart_view_v2", 2, "note.signed.v1", ArithmeticError("Ana"))


def test_what_is_behind_is_counted(shown: Shown) -> None:
    shown.here.sign(shown.here.register())
    shown.there.register()
    assert palimpsest().stdout.splitlines() == [
        "client_search: 3 events behind, in 2 practices",
        "chart_view: 3 events behind, in 2 practices",
    ]
    shown.catch_up()
    told = json.loads(palimpsest("--json").stdout)
    assert told == {
        "projections": [
            {"projection": name, "behind": 0, "practices": 0}
            for name in ("client_search", "chart_view")
        ],
        "parked": [],
    }


def test_what_is_stuck_is_named_by_place_and_class_alone(shown: Shown) -> None:
    get_stuck(shown)
    (line,) = [line for line in palimpsest().stdout.splitlines() if "stuck" in line]
    assert line.startswith(
        f"chart_view of {slug(shown)} is stuck at position 2 (note.signed.v1): ArithmeticError, "
        "tried 20 times, again at 20"
    )
    assert "Ana" not in line
    (told,) = json.loads(palimpsest("--json").stdout)["parked"]
    assert told.pop("retry_at")[:2] == "20"
    assert told == {
        "projection": "chart_view",
        "practice": slug(shown),
        "position": 2,
        "type": "note.signed.v1",
        "error": "ArithmeticError",
        "failures": 20,
    }


def test_it_is_tried_again_when_asked_for(shown: Shown) -> None:
    get_stuck(shown)
    shown.here.register("Eve")
    shown.catch_up()
    assert "chart_view: 1 events behind, in 1 practices" in palimpsest().stdout
    result = palimpsest("retry", "chart_view", "--practice", slug(shown))
    assert (result.exit_code, result.stdout) == (
        0,
        f"chart_view of {slug(shown)} is tried again as soon as a projector looks\n",
    )
    shown.catch_up()
    assert json.loads(palimpsest("--json").stdout)["parked"] == []
    assert "chart_view: 0 events behind" in palimpsest().stdout
    assert len(shown.rows("chart_view", shown.here)) == 2


def test_a_relay_that_is_stuck_is_told_and_tried_again_too(shown: Shown) -> None:
    with shown.record.database.practice(shown.here.practice_id) as connection:
        for _ in range(20):
            park(connection, "relay:a cluster:a topic", 1, "note.signed.v1", ValueError())
    assert f"relay of {slug(shown)} is stuck at position 1" in palimpsest().stdout
    assert palimpsest("retry", "relay", "--practice", slug(shown)).exit_code == 0
    ((is_due,),) = shown.record.admin("SELECT retry_at <= now() FROM projection.parked")
    assert is_due


@pytest.mark.parametrize(
    ("name", "practice", "why"),
    [
        ("nonsense", "", "there are: chart_view, client_search, relay"),
        ("chart_view", "nowhere", "there is no practice nowhere"),
        ("chart_view", "", "is not stuck"),
        ("relay", "", "is not stuck"),
    ],
)
def test_what_cannot_be_tried_again_is_refused(
    shown: Shown, name: str, practice: str, why: str
) -> None:
    result = palimpsest("retry", name, "--practice", practice or slug(shown))
    assert isinstance(result.exception, Refusal)
    assert why in str(result.exception)
