"""Is the record that a measurement fills a real one, and what it says of it arithmetic?"""

from itertools import pairwise
from pathlib import Path
from typing import cast
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from deploy.bench import growth, kept
from deploy.bench.filling import LIFE, PRACTICES, fill
from deploy.bench.lag import summary
from deploy.bench.where import appended
from deploy.commands import app
from deploy.database import Database
from deploy.refusal import Refusal
from deploy.wiring import open_parts
from domain.client.events import ClientRegistered
from gateways.kms.local import LocalKms
from record.recorder import PracticeRecorder

KEY = bytes(range(32))
HERE, THERE = UUID(int=1), UUID(int=2)


def test_what_is_filled_is_readable_gapless_and_as_much_as_was_asked_for(
    database: Database,
) -> None:
    told: list[tuple[int, int]] = []
    where = kept.founded(database.admin_url, database.app_url, KEY)
    fill(where, 1_000, lambda done, total: told.append((done, total)))
    done, total = told[-1]
    assert done == total >= 1_000
    with open_parts(where.app_url, LocalKms(KEY)) as parts:
        practices = parts.platform.practices
        assert len(where.practices) == PRACTICES
        lengths = [practices[one].position() for one in where.practices]
        assert all(lengths)
        assert lengths[0] == 25 * sum(step != "look" for step in LIFE)  # half of 50 clients
        # The other half is shared, and the smallest share is one client.
        assert sum(lengths[1:]) >= lengths[0]
        practice = practices[where.practices[0]]
        recorder = cast("PracticeRecorder", practice.recorder)
        events = practice.open_all(recorder.select_entries(1, 10_000))
        assert [one.position for one in events] == list(range(1, lengths[0] + 1))
        assert all(one.recorded_at <= two.recorded_at for one, two in pairwise(events))
        # Lives go on side by side, and each chart folds to what happened to its client.
        registered = [one.event for one in events if isinstance(one.event, ClientRegistered)]
        assert len(registered) == 25
        chart = parts.platform.chart_view.chart(practice.practice_id, registered[0].client_id)
        assert chart is not None
        assert len(chart.notes) == LIFE.count("sign")
        assert chart.version == 2
        # What is measured on top of it are appends like any others.
        assert appended(where, 2, 0.2) > 0
        assert practice.position() > lengths[0]


def test_a_size_that_does_not_fit_is_refused_before_anything_is_made(database: Database) -> None:
    with (
        psycopg.connect(database.admin_url, autocommit=True) as admin,
        pytest.raises(Refusal, match=r"events need about .* GB, and the disk of .* has"),
    ):
        kept.refuse_without_room(admin, 10**12)


def test_the_command_refuses_in_one_line_and_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", database.admin_url)
    key = tmp_path / "root.key"
    key.touch(mode=0o600)
    key.write_text(bytes(range(32)).hex())
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key))
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    ended = CliRunner().invoke(app, ["bench", "growth", "--size", str(10**12)])
    assert isinstance(ended.exception, Refusal)
    with psycopg.connect(database.admin_url) as admin:
        found = admin.execute("SELECT FROM pg_database WHERE datname LIKE 'palimpsest_growth%'")
        assert found.fetchall() == []


def test_worse_is_more_milliseconds_and_fewer_a_second() -> None:
    small = dict.fromkeys(growth.TIMES, 2.0) | dict.fromkeys(growth.RATES, 300.0)
    large = dict.fromkeys(growth.TIMES, 3.0) | dict.fromkeys(growth.RATES, 200.0)
    worse = growth._times_worse(large, small)
    assert set(worse) == {*growth.TIMES, *growth.RATES}
    assert set(worse.values()) == {1.5}


def test_the_wait_ends_with_the_first_look_that_shows_the_event() -> None:
    seen = {HERE: [(3, 10.0), (7, 10.5), (9, 11.0)], THERE: [(1, 10.2)]}
    told = [(HERE, 3, 10.0), (HERE, 4, 10.1), (HERE, 9, 10.9), (THERE, 1, 10.3)]
    assert summary(told, seen, 1.0) == {"per_second": 4, "p50_ms": 50.0, "p99_ms": 400.0}
    # What never came to be seen is not left out.
    assert summary([(HERE, 10, 10.0)], seen, 1.0)["p99_ms"] == float("inf")
