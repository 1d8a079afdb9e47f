"""Is what the demo practices tell plausible, legal, and the same each time?"""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from uuid import UUID

import pytest

from deploy.demo.clinic import Client, Clinic
from deploy.demo.desk import Deed
from deploy.demo.loading import DEMO
from deploy.demo.practice import History, Story, staff_for
from deploy.demo.scribe import calls
from domain.chart.aggregate import NOTE, Note
from domain.chart.events import NoteEvent, NoteMovedIn, NoteSigned
from domain.client.aggregate import CLIENT
from domain.client.events import ClientEvent, ClientRegistered
from domain.kernel.events import REGISTRY, Event
from projections.chart_view.document import ChartDocument, fold
from record.access import Accessed
from record.provision import NewPractice, practice_id_of
from tests.support.spec import recorded

TODAY = date(2026, 3, 3)
SITE = re.compile(r"(\d+) x (\d+) U")
TOTAL = re.compile(r"Total (\d+) U")
RARE = 3


def history(story: Story, end: date = TODAY) -> History:
    return History(practice_id_of(story.new.slug), story, end)


@cache
def linden() -> tuple[Clinic, tuple[Deed, ...]]:
    told = history(DEMO[0])
    return told.clinic, tuple(told.deeds())


def contents(deeds: tuple[Deed, ...]) -> list[object]:
    return [
        (deed.at, deed.log, deed.context, one.originator_id, one.originator_version, one.event)
        for deed in deeds
        for one in deed.events
    ]


def streams() -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = {}
    for deed in linden()[1]:
        for one in deed.events:
            if deed.log == "record":
                found.setdefault(one.originator_id, []).append(one.event)
                assert len(found[one.originator_id]) == one.originator_version
    return found


def notes() -> dict[UUID, Note]:
    return {
        stream_id: NOTE.fold(events)
        for stream_id, events in streams().items()
        if isinstance(events[0], NoteEvent)
    }


def client_named(given_name: str) -> Client:
    return next(
        one
        for one in linden()[0].clients
        if not one.is_extra and one.person.details.given_name == given_name
    )


def notes_of(given_name: str) -> list[Note]:
    return [
        note
        for note in notes().values()
        if note.client_id == client_named(given_name).id and note.status == "signed"
    ]


@pytest.mark.parametrize("story", DEMO, ids=lambda story: story.new.slug)
def test_the_same_story_told_on_the_same_day_is_the_same(story: Story) -> None:
    once, again = tuple(history(story).deeds()), tuple(history(story).deeds())
    assert contents(once) == contents(again)


def test_another_seed_is_another_story() -> None:
    def of_seed(seed: int) -> list[object]:
        new = NewPractice("big", "Big", "UTC")
        story = Story(new, staff_for("big", 5, 1), clients=5, seed=seed)
        return contents(tuple(history(story).deeds()))

    assert of_seed(1) != of_seed(2)


def test_two_years_until_yesterday_in_the_order_of_time() -> None:
    _, deeds = linden()
    moments = [deed.at for deed in deeds]
    assert moments == sorted(moments)
    assert moments[-1] < datetime(2026, 3, 3, tzinfo=UTC)
    assert moments[-1] - moments[0] > timedelta(days=700)


def test_every_kind_of_event_there_is_happens_several_times() -> None:
    kinds = Counter(one.event.type for deed in linden()[1] for one in deed.events)
    released = {name for name in REGISTRY if name.startswith(("note.", "client."))}
    assert {name: count for name, count in kinds.items() if count < RARE} == {}
    assert released <= kinds.keys()


def test_every_kind_of_correction_happens_several_times() -> None:
    signed = [
        [event for event in events if isinstance(event, NoteSigned)]
        for events in streams().values()
    ]
    clients = [CLIENT.fold(e) for e in streams().values() if isinstance(e[0], ClientEvent)]
    assert sum(any(event.is_late_entry for event in events) for events in signed) >= RARE
    assert sum(len(events) > 1 for events in signed) >= RARE, "signed again before the lock"
    assert sum(isinstance(events[0], NoteMovedIn) for events in streams().values()) >= RARE
    assert sum(client.merged_into is not None for client in clients) >= RARE, "merged for good"
    assert sum(client.died_on is not None for client in clients) >= RARE


def test_a_correction_leaves_the_signed_text_and_comes_from_its_author() -> None:
    corrections = [
        (deed, one)
        for deed in linden()[1]
        for one in deed.events
        if one.event.type == "note.corrected.v1"
    ]
    authors = {stream_id: note.author for stream_id, note in notes().items()}
    assert corrections
    for deed, one in corrections:
        assert authors[one.originator_id] == deed.context.actor_id


def test_every_toxin_note_that_stands_adds_up() -> None:
    added = 0
    for note in notes().values():
        plan = note.sections.plan
        total = TOTAL.search(plan)
        sites = SITE.findall(plan)
        if note.status != "signed" or total is None or not sites:
            continue
        assert sum(int(points) * int(units) for points, units in sites) == int(total[1]), plan
        added += 1
    assert added > 100


def test_the_chart_of_each_client_can_be_folded() -> None:
    by_client: dict[UUID, list[Event]] = {}
    for events in streams().values():
        by_client.setdefault(events[0].client_id, []).extend(events)  # type: ignore[attr-defined]  # all of them have one
    for client in linden()[0].clients:
        document = fold(
            recorded(by_client[client.id], stream_id=client.id, actor=client.regular.id)
        )
        assert isinstance(document, ChartDocument)
        assert document.details is not None


def test_there_are_three_hundred_clients_and_more_of_many_names() -> None:
    people = [client.person.details for client in linden()[0].clients]
    assert len(people) > 312
    assert len({one.family_name for one in people}) > 80
    assert any(not one.family_name.isascii() for one in people)
    busiest = Counter(len(client.notes) for client in linden()[0].clients)
    assert sum(count for number, count in busiest.items() if 6 <= number <= 10) > 50, "regulars"


def test_nobody_can_be_reached_in_earnest() -> None:
    for events in streams().values():
        if isinstance(events[0], ClientRegistered):
            details = CLIENT.fold(events).details
            assert details is not None
            assert details.phone is None or re.fullmatch(r"\(\d{3}\) 555-01\d\d", details.phone)
            assert details.email is None or details.email.split("@")[1].startswith("example.")


def test_the_twelve_are_there() -> None:
    names = {one.person.details.given_name for one in linden()[0].clients if not one.is_extra}
    assert names == {
        "Ana", "Ben", "Cara", "Dee", "Fay", "Gil", "Hana", "Jon", "Kim", "Lia", "Max", "Mia", "Ned"
    }  # fmt: skip
    for name in names:
        assert client_named(name).notes, name


def test_ana_never_gets_the_toxin_that_her_allergy_forbids() -> None:
    plans = [note.sections.plan for note in notes_of("Ana") if "Total" in note.sections.plan]
    assert len(plans) >= 8
    assert not any("Dysport" in plan for plan in plans)


def test_cara_is_treated_at_the_wavelength_for_dark_skin() -> None:
    plans = [note.sections.plan for note in notes_of("Cara")]
    assert len(plans) >= 6
    assert all("1064 nm" in plan for plan in plans)


def test_lia_steps_up_on_day_28_and_not_on_day_27() -> None:
    by_day = {
        (note.occurred_at.date() - client_named("Lia").stream.history[0].occurred_at.date()).days: (
            note.sections
        )
        for note in notes_of("Lia")
        if note.occurred_at is not None
    }
    assert "declined" in by_day[27].plan
    assert "0.5 mg once a week" in by_day[28].plan
    assert max(by_day) == 33


def test_gil_is_a_minor_and_gets_no_injection() -> None:
    born = client_named("Gil").person.details.birth_date
    assert 17 * 365 < (TODAY - born).days < 18 * 365
    assert not any("Total" in note.sections.plan for note in notes_of("Gil"))


def test_mias_consultation_came_from_the_chart_of_max() -> None:
    moved = [
        events[0]
        for events in streams().values()
        if isinstance(events[0], NoteMovedIn) and events[0].client_id == client_named("Mia").id
    ]
    assert [one.from_client_id for one in moved] == [client_named("Max").id]
    assert [entry.kind for entry in moved[0].history] == ["signature", "addendum"]


def test_who_looked_is_never_empty_for_somebody_with_notes() -> None:
    looked_at = {
        one.event.client_id
        for deed in linden()[1]
        for one in deed.events
        if isinstance(one.event, Accessed)
    }
    assert {client.id for client in linden()[0].clients if client.notes} <= looked_at


def test_a_history_moved_in_gives_the_moments_that_the_log_gives() -> None:
    said = {
        (one.originator_id, one.event.type): deed.at for deed in linden()[1] for one in deed.events
    }
    checked = 0
    for events in streams().values():
        if isinstance(events[0], NoteMovedIn) and len(events[0].history) == 1:
            (entry,) = events[0].history
            assert entry.recorded_at == said[events[0].from_note_id, "note.signed.v1"]
            checked += 1
    assert checked >= RARE


def test_one_call_of_the_gate_takes_one_moment_and_no_stream_twice() -> None:
    for call in calls(linden()[1]):
        assert len({deed.at for deed in call}) == 1
        touched = [stream for deed in call for stream in {one.originator_id for one in deed.events}]
        assert len(touched) == len(set(touched))


@pytest.mark.parametrize("clients", [1, 2, 7])
def test_a_very_small_practice_has_a_history_too(clients: int) -> None:
    new = NewPractice("tiny", "Tiny", "Europe/Paris")
    deeds = list(history(Story(new, staff_for("tiny", clients, 1), clients, days=90)).deeds())
    assert any(isinstance(one.event, ClientRegistered) for deed in deeds for one in deed.events)


def test_a_busy_practice_acts_on_the_quarter_hour() -> None:
    story = Story(NewPractice("busy", "Busy", "America/New_York"), staff_for("busy", 1000, 1), 1000)
    deeds = [deed for deed, _ in zip(history(story).deeds(), range(3000), strict=False)]
    assert {deed.at.minute % 15 for deed in deeds} == {0}
    assert len(list(calls(deeds))) < len(deeds) * 0.8
