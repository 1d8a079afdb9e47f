"""Is the demo data loaded once, whole, readable, and with sign-ins that work?"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from api.reading import DraftText
from api.security.roles import ROLES
from deploy.commands import app
from deploy.database import Database as Ready
from deploy.demo import loading as demo
from deploy.demo.practice import PASSWORD, History, Story, as_admin, is_told, staff_for, tell
from deploy.demo.scribe import CannotContinue
from deploy.founding import found
from deploy.refusal import Refusal, one_line
from deploy.wiring import Parts, open_parts
from domain.kernel.events import Recorded
from domain.kernel.ids import PracticeId
from record.access import Accessed
from record.database import Row
from record.practice import Practices
from record.provision import NewPractice, practice_id_of
from record.recorder import PracticeRecorder
from tests.support.postgres import ROOT_KEY

LINDEN = practice_id_of("demo")
SMALL = Story(
    NewPractice("small", "Small", "America/New_York"), staff_for("small", 70, 1), 70, days=400
)


@dataclass
class Projections:
    """Counts how often it is asked to catch up, and shows what it is like."""

    asked: int = 0
    projector: "Projections" = field(init=False)

    def __post_init__(self) -> None:
        self.projector = self

    def run_until_caught_up(self) -> None:
        self.asked += 1


@pytest.fixture(scope="module")
def loaded(module_database: Ready) -> Iterator[tuple[Ready, Parts]]:
    with open_parts(module_database.app_url, module_database.kms, pool_size=4) as parts:
        demo.load_demo(module_database, parts)
        yield module_database, parts


def heads(ready: Ready) -> list[Row]:
    with psycopg.connect(ready.app_url, autocommit=True) as connection:
        return connection.execute(
            "SELECT practice_id, log, position FROM record.head ORDER BY 1, 2"
        ).fetchall()


def whole(practices: Practices, practice_id: PracticeId) -> list[Recorded]:
    one = practices[practice_id]
    assert isinstance(one.recorder, PracticeRecorder)
    return [one.open(row) for row in one.recorder.select_entries(1, 1_000_000)]


@contextmanager
def history_of(ready: Ready, story: Story) -> Iterator[History]:
    practice_id = practice_id_of(story.new.slug)
    with as_admin(ready) as admin:
        rows = admin.execute(
            "SELECT created_at FROM record.practice WHERE practice_id = %s", (practice_id,)
        ).fetchall()
    yield History(practice_id, story, rows[0][0].astimezone(UTC).date())


def told(history: History, log: str) -> list[tuple[object, ...]]:
    return [
        (one.originator_id, one.originator_version, one.event, deed.context.actor_id,
         deed.context.role, deed.at)
        for deed in history.deeds()
        if deed.log == log
        for one in deed.events
    ]  # fmt: skip


def read(found: list[Recorded]) -> list[tuple[object, ...]]:
    return [
        (one.stream_id, one.version, one.event, one.actor, one.role, one.recorded_at)
        for one in found
    ]


def test_the_log_tells_the_story_word_for_word_at_the_moments_it_tells_of(
    loaded: tuple[Ready, Parts],
) -> None:
    ready, parts = loaded
    for story in demo.DEMO:
        found = whole(parts.platform.practices, practice_id_of(story.new.slug))
        with history_of(ready, story) as history:
            assert read(found) == told(history, "record")
        assert [one.position for one in found] == list(range(1, len(found) + 1))
        assert found[-1].recorded_at < datetime.now(UTC)


def test_loading_twice_changes_nothing(loaded: tuple[Ready, Parts]) -> None:
    ready, _ = loaded
    before, again = heads(ready), Projections()
    demo.load_demo(ready, again)
    assert heads(ready) == before
    assert again.asked == 0


def test_the_projections_have_caught_up(loaded: tuple[Ready, Parts]) -> None:
    _, parts = loaded
    assert parts.platform.client_search.position(LINDEN) == (
        parts.platform.practices[LINDEN].position()
    )
    (ana, *_) = parts.platform.client_search.search(LINDEN, "ana ferreira")
    documents, _ = parts.platform.chart_view.charts(LINDEN, ana.id)
    assert len(documents[0].notes) >= 8


def test_there_is_a_sign_in_for_each_role_and_each_of_them_works(
    loaded: tuple[Ready, Parts],
) -> None:
    ready, parts = loaded
    shown = demo.announcement(ready)
    assert PASSWORD in shown
    for story in demo.DEMO:
        assert {one.role for one in story.staff} == set(ROLES)
        for one in story.staff:
            (member,) = parts.platform.identity.who_has(one.email, PASSWORD)
            assert member[0] == practice_id_of(story.new.slug)
        assert sum(one.email in shown for one in story.staff) == len(ROLES)
    assert max(map(len, shown.splitlines())) < 100


def test_a_database_without_demo_practices_announces_nothing(database: Ready) -> None:
    assert demo.announcement(database) == ""


def test_somebody_has_looked_and_somebody_was_refused(loaded: tuple[Ready, Parts]) -> None:
    _, parts = loaded
    (ana, *_) = parts.platform.client_search.search(LINDEN, "ana ferreira")
    seen = parts.platform.accesses.of_client(LINDEN, ana.id, before=None, limit=200)
    accesses = [one.event for one in seen if isinstance(one.event, Accessed)]
    assert {"read", "draft"} <= {one.action for one in accesses}
    assert {one.role for one in seen} >= {"front_desk", "clinician"}
    with psycopg.connect(loaded[0].admin_url) as admin:
        (found,) = admin.execute(
            "SELECT count(DISTINCT actor) FROM record.event WHERE log = 'access'"
        ).fetchall()
    assert found[0] >= 8


def test_today_has_open_drafts(loaded: tuple[Ready, Parts]) -> None:
    ready, parts = loaded
    with psycopg.connect(ready.admin_url) as admin:
        subjects = admin.execute(
            "SELECT subject FROM record.draft WHERE practice_id = %s", (LINDEN,)
        ).fetchall()
    assert len(subjects) == 4
    for (subject,) in subjects:
        (draft,) = parts.platform.drafts.of_client(LINDEN, subject)
        text = DraftText.model_validate_json(draft.text)
        assert text.sections.subjective
        assert not text.sections.plan
        assert timedelta(0) < datetime.now(UTC) - draft.saved_at < timedelta(hours=24)


def test_what_was_cut_short_is_finished_by_the_next_start(database: Ready) -> None:
    class PowerCut(Exception):
        pass

    def cut(_part: float, _events: int) -> None:
        raise PowerCut

    with pytest.raises(PowerCut):
        tell(database, SMALL, cut)
    begun = sum(position for *_, position in heads(database))
    done = tell(database, SMALL, lambda _part, _events: None)
    assert [position for *_, position in heads(database)] == [
        done.positions["access"],
        done.positions["record"],
    ]
    assert 0 < begun < sum(done.positions.values())
    with (
        open_parts(database.app_url, database.kms, pool_size=2) as parts,
        history_of(database, SMALL) as history,
    ):
        found = whole(parts.platform.practices, done.practice_id)
        assert read(found) == told(history, "record")


def test_a_practice_begun_with_another_story_is_not_gone_on_with(database: Ready) -> None:
    other = Story(SMALL.new, SMALL.staff, SMALL.clients, days=SMALL.days, seed=2)

    def cut(_part: float, _events: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell(database, SMALL, cut)
    before = heads(database)
    with pytest.raises(CannotContinue):
        tell(database, other, lambda _part, _events: None)
    assert heads(database) == before


def test_a_database_with_a_practice_of_ones_own_gets_no_demo(database: Ready) -> None:
    with as_admin(database) as admin:
        found(admin, database.kms, NewPractice("mine", "Mine", "UTC"))
    before, parts = heads(database), Projections()
    demo.load_demo(database, parts)
    assert heads(database) == before
    assert parts.asked == 0


def test_a_practice_called_demo_that_is_not_ours_is_left_alone(database: Ready) -> None:
    with as_admin(database) as admin:
        found(admin, database.kms, NewPractice("demo", "My own spa", "UTC"))
        assert is_told(admin, demo.DEMO[0].new)


@pytest.fixture
def settings(database: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ready:
    key = tmp_path / "root.key"
    key.write_text(ROOT_KEY.hex())
    key.chmod(0o600)
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", database.admin_url)
    monkeypatch.setenv("PALIMPSEST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    return database


def test_the_command_makes_a_practice_of_any_size_once(settings: Ready) -> None:
    asked = ["demo", "--clients", "6", "--slug", "larger-one", "--years", "1"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0, shown.output
    assert "owner@larger-one.example" in shown.output
    practice_id = practice_id_of("larger-one")
    with open_parts(settings.app_url, settings.kms, pool_size=2) as parts:
        position = parts.platform.practices[practice_id].position()
        assert f"{position} events" in shown.output
        assert parts.platform.client_search.position(practice_id) == position
    again = CliRunner().invoke(app, asked)
    assert isinstance(again.exception, Refusal)
    assert "choose another --slug" in str(again.exception)


@pytest.mark.parametrize("slug", ["Big", "a", "no spaces", "-x", "x" * 70, ""])
def test_the_command_refuses_what_is_no_slug(slug: str) -> None:
    shown = CliRunner().invoke(app, ["demo", "--clients", "1", "--slug", slug])
    assert shown.exception is not None
    assert one_line(shown.exception), "told in one line, without a traceback"


def test_no_setting_of_a_developer_reaches_these_tests() -> None:
    assert "PALIMPSEST_DATABASE_URL" not in os.environ
