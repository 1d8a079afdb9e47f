"""The story: whatever the chart said at a moment, it says again of that moment, for ever."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import pytest

from domain.kernel.events import Recorded
from record.envelope import StoredEntry
from record.practice import Practice
from tests.support.api import Api, Json, Team
from tests.support.states import SOAP, Noted, a_client, client_with_draft, details, done


class Moment(NamedTuple):
    """What the live chart said, and when that was."""

    what: str
    at: str
    said: Json


class Story(NamedTuple):
    """A client's record, its moments, and the record the last note was moved to."""

    client: str
    moments: list[Moment]
    right: str
    late: Noted
    occurred_at: str


@pytest.fixture(scope="module")
def story(api: Api) -> Story:
    """Register, note, sign, correct, addendum, late entry, retract, move; a look after each."""
    by, moments = api.demo.clinician, []
    client = a_client(by)
    right = a_client(by)
    path = f"/v1/clients/{client}"

    def remember(what: str) -> None:
        said = done(by.get(f"{path}/chart"))
        events = done(by.get(f"{path}/events"))["items"]
        moments.append(Moment(what, events[-1]["recorded_at"], said))

    remember("registered")
    noted = client_with_draft(by, client)
    done(by.post(f"{noted.path}/signature"))
    remember("signed")
    done(by.post(f"{noted.path}/corrections", {"plan": "24 units.", "reason": "Miscounted."}))
    remember("corrected")
    done(api.demo.colleague.post(f"{noted.path}/addenda", {"text": "Called: well."}))
    remember("added to")
    done(by.post(f"{path}/contact-details", {"phone": None, "given_name": "Anna"}))
    remember("renamed")
    before = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    late = client_with_draft(by, client, plan="Seen in October.", occurred_at=before)
    done(by.post(f"{late.path}/signature"))
    remember("late entry")
    wrong = client_with_draft(by, client, plan="Another client's.")
    done(by.post(f"{wrong.path}/signature"))
    done(by.post(f"{wrong.path}/retraction", {"reason": "Wrong visit."}))
    remember("retracted")
    body = {"to_client_id": right, "reason": "Wrong chart."}
    done(by.post(f"{noted.path}/reassignment", body))
    remember("moved")
    return Story(client, moments, right, late, before)


def now(chart: Json) -> Json:
    """A chart without when it is of, and without what stands outside the record."""
    kept = {name: value for name, value in chart.items() if name not in {"as_of", "position"}}
    return kept | {"notes": [note for note in chart["notes"] if note["versions"]]}


def test_as_known_then_is_what_was_on_screen_then(demo: Team, story: Story) -> None:
    path = f"/v1/clients/{story.client}/chart"
    assert len({str(moment.said) for moment in story.moments}) == 8
    for moment in story.moments:
        replayed = done(demo.auditor.get(path, as_of=moment.at, view="known"))
        assert now(replayed) == now(moment.said), moment.what
        assert replayed["view"] == "known"
        assert datetime.fromisoformat(replayed["as_of"]) == datetime.fromisoformat(moment.at)


def test_each_moment_shows_the_text_of_that_moment(demo: Team, story: Story) -> None:
    path = f"/v1/clients/{story.client}/chart"
    shown = {}
    for moment in story.moments:
        chart = done(demo.auditor.get(path, as_of=moment.at))
        shown[moment.what] = [
            (note["status"], note["versions"][-1]["sections"]["plan"]) for note in chart["notes"]
        ]
    plan, late = SOAP["plan"], ("signed", "Seen in October.")
    gone = ("entered_in_error", "Another client's.")
    assert shown == {
        "registered": [],
        "signed": [("signed", plan)],
        "corrected": [("amended", "24 units.")],
        "added to": [("amended", "24 units.")],
        "renamed": [("amended", "24 units.")],
        "late entry": [("amended", "24 units."), late],
        "retracted": [gone, ("amended", "24 units."), late],
        "moved": [gone, ("moved", "24 units."), late],
    }


def test_a_late_entry_is_true_before_it_was_known(demo: Team, story: Story) -> None:
    path = f"/v1/clients/{story.client}/chart"
    registered = story.moments[0].at
    known = done(demo.auditor.get(path, as_of=registered, view="known"))
    true = done(demo.auditor.get(path, as_of=registered, view="true"))
    assert known["notes"] == []
    (note,) = true["notes"]
    assert note["id"] == story.late.note
    assert note["versions"][0]["kind"] == "late_entry"
    assert known["position"] < note["versions"][0]["position"] <= true["position"]
    earlier = (datetime.fromisoformat(story.occurred_at) - timedelta(seconds=1)).isoformat()
    assert done(demo.auditor.get(path, as_of=earlier, view="true"))["notes"] == []


def test_before_anything_was_known_there_is_nothing(demo: Team, story: Story) -> None:
    path = f"/v1/clients/{story.client}/chart"
    chart = done(demo.auditor.get(path, as_of="2001-01-01T00:00:00Z"))
    assert chart["notes"] == []
    assert chart["client"]["given_name"] is None


def test_the_offset_of_a_moment_makes_no_difference(demo: Team, story: Story) -> None:
    path = f"/v1/clients/{story.client}/chart"
    moment = datetime.fromisoformat(story.moments[2].at)
    charts = [
        done(demo.auditor.get(path, as_of=moment.astimezone(zone).isoformat()))
        for zone in (None, UTC)
    ]
    assert now(charts[0]) == now(charts[1]) == now(story.moments[2].said)


def test_the_right_chart_tells_where_the_note_came_from(demo: Team, story: Story) -> None:
    chart = done(demo.auditor.get(f"/v1/clients/{story.right}/chart"))
    (note,) = chart["notes"]
    (version,) = note["versions"]
    assert (version["kind"], version["linked_client_id"]) == ("moved_in", story.client)
    assert version["sections"]["plan"] == "24 units."
    assert [one["kind"] for one in version["history"]] == ["signature", "correction", "addendum"]


def test_the_events_tell_the_story_in_order(demo: Team, story: Story) -> None:
    page = done(demo.auditor.get(f"/v1/clients/{story.client}/events"))
    items = page["items"]
    assert page["next"] is None
    assert [one["type"] for one in items] == [
        "client.registered.v1",
        "note.signed.v1",
        "note.corrected.v1",
        "note.addendum_added.v1",
        "client.contact_details_changed.v1",
        "note.signed.v1",
        "note.signed.v1",
        "note.retracted.v1",
        "note.moved_away.v1",
    ]
    positions = [one["position"] for one in items]
    assert positions == sorted(set(positions))
    times = [datetime.fromisoformat(one["recorded_at"]) for one in items]
    assert times == sorted(times)
    assert len({one["leaf_hash"] for one in items}) == len(items)
    for one in items:
        assert len(bytes.fromhex(one["leaf_hash"])) == 32
        assert one["body"]["client_id"] == story.client
    assert items[3]["actor"] == demo.colleague.name
    assert items[3]["body"]["text"] == "Called: well."
    assert items[2]["body"]["changes"] == {"plan": "24 units."}
    assert items[5]["occurred_at"] < items[0]["occurred_at"]
    assert items[5]["recorded_at"] > items[4]["recorded_at"]
    versions = [(one["stream_id"], one["version"]) for one in items]
    assert len(set(versions)) == len(versions)


def test_a_part_of_the_replay_by_position_and_by_time(demo: Team, story: Story) -> None:
    path = f"/v1/clients/{story.client}/events"
    items = done(demo.auditor.get(path))["items"]
    for by in ("position", "recorded_at"):
        part = done(demo.auditor.get(path, **{"from": items[2][by], "to": items[5][by]}))
        assert part["items"] == items[2:6]
        assert done(demo.auditor.get(path, **{"from": items[7][by]}))["items"] == items[7:]
        assert done(demo.auditor.get(path, to=items[1][by]))["items"] == items[:2]
    assert done(demo.auditor.get(path, **{"from": items[5]["position"], "to": 1}))["items"] == []


def test_a_long_replay_comes_in_pages(demo: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    client = a_client(demo.clinician)
    path = f"/v1/clients/{client}"
    for number in range(120):
        body = {"phone": f"+1 212 555 {number:04}"}
        done(demo.clinician.post(f"{path}/contact-details", body))
    opened, opens = count(), Practice.open

    def counted(practice: Practice, row: StoredEntry) -> Recorded:
        next(opened)
        return opens(practice, row)

    with monkeypatch.context() as patch:
        patch.setattr(Practice, "open", counted)
        done(demo.auditor.get(f"{path}/events"))
    assert 51 <= next(opened) < 121  # the page and the next one; the projector reads along
    pages, start = [], 0
    while start is not None:
        page = done(demo.auditor.get(f"{path}/events", **{"from": start}))
        pages.append(page["items"])
        start = page["next"]
    assert [len(page) for page in pages] == [50, 50, 21]
    versions = [one["version"] for page in pages for one in page]
    assert versions == list(range(1, 122))


def test_a_stranger_in_the_log_is_not_in_the_replay(demo: Team, harbor: Team) -> None:
    mine = a_client(demo.clinician)
    a_client(demo.clinician)
    a_client(harbor.clinician)
    done(demo.clinician.post(f"/v1/clients/{mine}/contact-details", details(given_name="Bea")))
    items = done(demo.auditor.get(f"/v1/clients/{mine}/events"))["items"]
    assert [one["stream_id"] for one in items] == [mine, mine]
