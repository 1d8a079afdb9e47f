"""Does a chart show each act rightly, at any moment, and never lose a signed word?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import ClassVar
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel.events import Category, Event, Recorded
from projections.chart_view.document import ChartDocument, as_of, fold
from projections.chart_view.note import NoteView
from tests.projections.histories import (
    ANA,
    LARS,
    START,
    WRITER,
    Step,
    happened,
    histories,
)


def chart(*steps: Step, of: object = ANA) -> ChartDocument:
    history = happened(steps)
    assert len(history.log) >= 2 + len(steps), "the rules refused a step of this test"
    return fold(one for one in history.log if one.subject == of)


def only_note(document: ChartDocument) -> NoteView:
    (note,) = document.notes
    return note


def test_a_registered_client_has_an_empty_chart() -> None:
    document = chart()
    assert document.client_id == ANA
    assert document.details is not None
    assert document.details.given_name == "Ana"
    assert (document.registered_at, document.version, document.position) == (START, 1, 1)
    assert document.notes == ()


def test_a_signed_note() -> None:
    note = only_note(chart(("sign", 1, "First words")))
    assert (note.status, note.is_locked, note.client_id) == ("signed", True, ANA)
    (version,) = note.versions
    assert (version.kind, version.author, version.version) == ("signed", WRITER, 1)
    assert version.sections.subjective == note.sections.subjective == "First words"
    assert version.changed == ()
    assert version.position == 3
    assert version.recorded_at == START + timedelta(minutes=2)


def test_a_late_entry_is_called_one() -> None:
    note = only_note(chart(("late", 1, "Remembered")))
    assert note.versions[0].kind == "late_entry"
    assert note.versions[0].occurred_at < note.versions[0].recorded_at


def test_a_second_thought_before_the_lock_and_then_the_lock() -> None:
    note = only_note(chart(("draft_sign", 1, "Some words")))
    assert not note.is_locked
    locked = only_note(chart(("draft_sign", 1, "Some words"), ("lock", 0, "-")))
    assert locked.is_locked
    assert locked.versions == note.versions, "a lock is no new wording"
    assert locked.version == 2


def test_a_correction_leaves_the_first_wording_beside_the_second() -> None:
    note = only_note(chart(("sign", 1, "bad"), ("correct", 0, "good")))
    assert note.status == "amended"
    first, second = note.versions
    assert (first.sections.subjective, second.sections.subjective) == ("bad", "good!")
    assert (second.kind, second.reason, second.changed) == ("correction", "good", ("subjective",))
    assert second.sections.plan == "Review."


def test_an_addendum_stands_below_the_signed_text() -> None:
    note = only_note(chart(("sign", 1, "text"), ("add", 0, "more")))
    assert note.status == "amended"
    assert (note.versions[1].kind, note.versions[1].addendum) == ("addendum", "more")
    assert note.sections == note.versions[0].sections


def test_a_retracted_note_stays_legible() -> None:
    note = only_note(chart(("sign", 1, "text"), ("retract", 0, "wrong")))
    assert note.status == "entered_in_error"
    assert (note.versions[1].kind, note.versions[1].reason) == ("retraction", "wrong")
    assert note.sections.subjective == "text"


def test_a_moved_note_is_legible_on_both_charts_and_linked() -> None:
    steps: tuple[Step, ...] = (("sign", 1, "text"), ("add", 0, "more"), ("move", 0, "mistaken"))
    gone, come = only_note(chart(*steps)), only_note(chart(*steps, of=LARS))
    assert (gone.status, come.status) == ("moved", "signed")
    assert gone.versions[0].sections == come.versions[0].sections
    away, arrived = gone.versions[-1], come.versions[-1]
    assert (away.kind, away.reason) == ("moved_away", "mistaken")
    assert (away.linked_client_id, away.linked_note_id) == (LARS, come.id)
    assert (arrived.kind, arrived.author, arrived.addendum) == ("moved_in", WRITER, "more")
    assert (arrived.linked_client_id, arrived.linked_note_id) == (ANA, gone.id)
    assert [entry.kind for entry in arrived.history] == ["signature", "addendum"]
    assert come.is_locked


def test_details_death_and_merges() -> None:
    document = chart(("rename", 1, "abba"), ("die", 1, "told"))
    assert document.details is not None
    assert document.details.given_name == "abba"
    assert document.died_on == START.date()
    assert document.version == 3
    assert chart(("die", 1, "told"), ("live", 1, "wrong")).died_on is None
    merged: tuple[Step, ...] = (("merge", 1, "same"),)
    assert chart(*merged).absorbed == (LARS,)
    assert chart(*merged, of=LARS).merged_into == ANA
    parted: tuple[Step, ...] = (*merged, ("unmerge", 1, "sister"))
    assert chart(*parted).absorbed == ()
    assert chart(*parted, of=LARS).merged_into is None


def test_the_latest_care_stands_first() -> None:
    notes = chart(("late", 1, "old"), ("sign", 1, "new"), ("late", 1, "old"))
    times = [(note.occurred_at, note.id) for note in notes.notes]
    assert times == sorted(times, reverse=True)
    assert len(times) == 3


def test_a_late_entry_was_true_before_it_was_known() -> None:
    history = happened([("late", 1, "Remembered")])
    then = START - timedelta(days=1)
    assert as_of(history.of(ANA), then, "known").notes == ()
    assert len(as_of(history.of(ANA), then, "true").notes) == 1


def test_an_act_on_a_note_outside_the_view_shows_nothing() -> None:
    history = happened([("sign", 1, "text"), ("add", 0, "more")])
    assert fold(history.of(ANA)[2:]).notes == ()


class Elsewhere(Event):
    """An event that is no business of a chart."""

    category: ClassVar[Category] = Category.BUSINESS


def test_other_events_leave_a_chart_as_it_is() -> None:
    history = happened([("sign", 1, "text")])
    last = history.of(ANA)[-1]
    other = replace(last, position=9, event=Elsewhere(occurred_at=START))
    before, after = fold(history.of(ANA)), fold([*history.of(ANA), other])
    assert after == before.model_copy(update={"position": 9})


def test_the_stored_text_does_not_depend_on_the_zone_of_the_connection() -> None:
    log = happened([("sign", 1, "text")]).of(ANA)
    zone = ZoneInfo("America/New_York")
    moved = [replace(one, recorded_at=one.recorded_at.astimezone(zone)) for one in log]
    assert fold(moved).model_dump_json() == fold(log).model_dump_json()


@settings(max_examples=60)
@given(histories)
def test_as_known_at_any_moment_is_the_fold_of_what_was_recorded_by_then(
    steps: list[Step],
) -> None:
    history = happened(steps)
    for client in (ANA, LARS):
        log = history.of(client)
        for number, last in enumerate(log, start=1):
            # What was appended together became known together.
            known = [one for one in log if one.recorded_at <= last.recorded_at]
            assert known[:number] == log[:number]
            assert as_of(log, last.recorded_at, "known") == fold(known)
        assert as_of(log, START - timedelta(seconds=1), "known") == ChartDocument()


@settings(max_examples=60)
@given(histories)
def test_what_was_signed_never_changes(steps: list[Step]) -> None:
    history = happened(steps)
    for client in (ANA, LARS):
        document = ChartDocument()
        for one in history.of(client):
            after = fold([one], document)
            later = {note.id: note.versions for note in after.notes}
            for note in document.notes:
                assert later[note.id][: len(note.versions)] == note.versions
            document = after


@settings(max_examples=60)
@given(histories, st.randoms(use_true_random=False))
def test_stopping_and_storing_anywhere_changes_no_byte(steps: list[Step], random: Random) -> None:
    log = happened(steps).of(ANA)
    document: ChartDocument | None = None
    for batch in _batches(log, random):
        text = fold(batch, document).model_dump_json()
        document = ChartDocument.model_validate_json(text, strict=True)
    assert document is not None
    assert document == fold(log)
    assert document.model_dump_json() == fold(log).model_dump_json()


@settings(max_examples=60)
@given(histories)
def test_each_note_stands_where_sorting_would_put_it(steps: list[Step]) -> None:
    notes = fold(happened(steps).of(ANA)).notes
    assert list(notes) == sorted(notes, key=lambda one: (one.occurred_at, one.id), reverse=True)
    assert len({note.id for note in notes}) == len(notes)


def _batches(log: list[Recorded], random: Random) -> Iterable[list[Recorded]]:
    start = 0
    while start < len(log):
        end = start + random.randint(1, 4)
        yield log[start:end]
        start = end
