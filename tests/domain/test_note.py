"""What a note allows and refuses from its first signature on."""

from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.chart.aggregate import (
    NOTE,
    Note,
    NoteAlreadySigned,
    NoteHasMoved,
    NoteIsEmpty,
    NoteIsLocked,
    NoteIsRetracted,
    NoteNotSigned,
    NothingCorrected,
    NotTheAuthor,
    OccurredInFuture,
    SameChart,
    WrongChart,
    check_open,
)
from domain.chart.commands import (
    AddAddendum,
    CorrectNote,
)
from domain.chart.events import (
    Receipt,
    SectionName,
    Sections,
)
from domain.chart.policy import LATE_ENTRY_AFTER
from domain.kernel.events import Command
from tests.domain.note_samples import (
    A_COLLEAGUE,
    AMENDMENTS,
    DR_OKAFOR,
    MARA,
    NOON,
    SOMEBODY_ELSE,
    VISIT,
    add,
    added,
    correct,
    corrected,
    lock,
    locked,
    move_away,
    move_in,
    moved_away,
    moved_in,
    reading,
    retract,
    retracted,
    sign,
    sign_unlocked,
    signed,
    signed_unlocked,
    soap,
)
from tests.support.spec import Spec

note = Spec(NOTE)

# --- signing -----------------------------------------------------------------------------------


def test_signing_locks_the_note() -> None:
    note.given().when(sign).then(signed)
    note.given(signed).when(lock).refused(NoteIsLocked)


def test_a_note_can_be_signed_and_left_open() -> None:
    note.given().when(sign_unlocked).then(signed_unlocked)


def test_the_signature_keeps_what_was_on_the_screen() -> None:
    receipt = Receipt(projection="chart_view", position=41, shown=(UUID(int=77),))
    note.given().when(sign.model_copy(update={"receipt": receipt})).then(
        signed.model_copy(update={"receipt": receipt})
    )


def test_a_note_is_signed_once() -> None:
    note.given(signed).when(sign).refused(NoteAlreadySigned)
    rewritten = sign.model_copy(update={"sections": reading(plan="Nothing.")})
    note.given(signed).when(rewritten).refused(NoteAlreadySigned)


def test_an_open_note_is_not_signed_twice_for_the_same_words() -> None:
    note.given(signed_unlocked).when(sign_unlocked).refused(NoteAlreadySigned)


def test_signing_the_same_words_again_may_lock_them() -> None:
    note.given(signed_unlocked).when(sign).then(locked)


def test_the_author_may_sign_other_words_before_the_lock() -> None:
    second_thought = reading(plan="16 units.")
    note.given(signed_unlocked).when(sign.model_copy(update={"sections": second_thought})).then(
        signed.model_copy(update={"sections": second_thought})
    )


def test_the_author_may_put_the_time_right_before_the_lock() -> None:
    earlier = VISIT - timedelta(hours=1)
    note.given(signed_unlocked).when(sign.model_copy(update={"occurred_at": earlier})).then(
        signed.model_copy(update={"occurred_at": earlier})
    )


def test_nobody_signs_over_the_authors_name() -> None:
    other_words = sign.model_copy(update={"by": A_COLLEAGUE, "sections": reading(plan="None.")})
    note.given(signed_unlocked).when(other_words).refused(NotTheAuthor)
    same_words = sign.model_copy(update={"by": A_COLLEAGUE})
    note.given(signed_unlocked).when(same_words).refused(NotTheAuthor)


def test_a_note_stays_on_the_chart_it_was_signed_on() -> None:
    elsewhere = sign.model_copy(update={"client_id": SOMEBODY_ELSE})
    note.given(signed_unlocked).when(elsewhere).refused(WrongChart)


@pytest.mark.parametrize("blank", ["", " \n", "\u200b"])
def test_a_signature_needs_something_to_attest(blank: str) -> None:
    nothing = Sections(subjective=blank, plan=blank)
    refusal = note.given().when(sign.model_copy(update={"sections": nothing})).refused(NoteIsEmpty)
    assert refusal.field == "sections"


@pytest.mark.parametrize("name", ["subjective", "objective", "assessment", "plan"])
def test_one_section_is_enough(name: SectionName) -> None:
    one = Sections.model_validate({name: "Seen and well."})
    note.given().when(sign.model_copy(update={"sections": one})).then(
        signed.model_copy(update={"sections": one})
    )


def test_care_is_not_charted_before_it_happens() -> None:
    now = sign.model_copy(update={"occurred_at": NOON})
    soon = sign.model_copy(update={"occurred_at": NOON + timedelta(seconds=1)})
    note.given().when(now).then(signed.model_copy(update={"occurred_at": NOON}))
    note.given().when(soon).refused(OccurredInFuture)


def test_a_note_written_a_day_later_is_a_late_entry() -> None:
    in_time = NOON - LATE_ENTRY_AFTER
    late = in_time - timedelta(seconds=1)
    note.given().when(sign.model_copy(update={"occurred_at": in_time})).then(
        signed.model_copy(update={"occurred_at": in_time, "is_late_entry": False})
    )
    note.given().when(sign.model_copy(update={"occurred_at": late})).then(
        signed.model_copy(update={"occurred_at": late, "is_late_entry": True})
    )


# --- locking -----------------------------------------------------------------------------------


def test_an_open_note_is_locked_once() -> None:
    note.given(signed_unlocked).when(lock).then(locked)
    note.given(signed_unlocked, locked).when(lock).refused(NoteIsLocked)
    note.given(signed_unlocked, locked).when(sign_unlocked).refused(NoteAlreadySigned)


# --- amending ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", AMENDMENTS)
def test_only_a_signed_note_is_amended(command: Command) -> None:
    note.given().when(command).refused(NoteNotSigned)


def test_anybody_who_may_amend_adds_an_addendum() -> None:
    note.given(signed).when(add).then(added)
    note.given(signed_unlocked).when(add).then(added)


def test_the_same_addendum_may_be_added_twice() -> None:
    note.given(signed, added).when(add).then(added)


def test_an_addendum_says_something() -> None:
    with pytest.raises(ValidationError):
        AddAddendum(by=DR_OKAFOR, at=NOON, text=" \n")


def test_the_author_corrects_with_a_reason() -> None:
    note.given(signed).when(correct).then(corrected)


def test_a_correction_needs_its_reason() -> None:
    with pytest.raises(ValidationError):
        CorrectNote(by=DR_OKAFOR, at=NOON, changes={"plan": "25 units."}, reason="")


def test_only_the_author_corrects() -> None:
    by_another = correct.model_copy(update={"by": A_COLLEAGUE})
    note.given(signed).when(by_another).refused(NotTheAuthor)


def test_a_correction_changes_the_wording() -> None:
    nothing = correct.model_copy(update={"changes": {}})
    same = correct.model_copy(update={"changes": {"plan": soap.plan}})
    note.given(signed).when(nothing).refused(NothingCorrected)
    note.given(signed).when(same).refused(NothingCorrected)


def test_a_correction_names_only_what_it_changes() -> None:
    both = {"plan": "25 units, five points.", "subjective": soap.subjective}
    note.given(signed).when(correct.model_copy(update={"changes": both})).then(corrected)


def test_a_second_correction_is_measured_against_the_first() -> None:
    back = correct.model_copy(update={"changes": {"plan": soap.plan}})
    note.given(signed, corrected).when(correct).refused(NothingCorrected)
    note.given(signed, corrected).when(back).then(
        corrected.model_copy(update={"changes": {"plan": soap.plan}})
    )


def test_a_section_may_be_emptied_but_not_the_whole_note() -> None:
    no_plan = correct.model_copy(update={"changes": {"plan": ""}})
    note.given(signed).when(no_plan).then(corrected.model_copy(update={"changes": {"plan": ""}}))
    nothing_left = correct.model_copy(
        update={"changes": dict.fromkeys(("subjective", "objective", "assessment", "plan"), " ")}
    )
    note.given(signed).when(nothing_left).refused(NoteIsEmpty)


def test_a_section_that_no_note_has_cannot_be_corrected() -> None:
    with pytest.raises(ValidationError):
        CorrectNote.model_validate(
            {"by": DR_OKAFOR, "at": NOON, "changes": {"mood": "fine"}, "reason": "new form"}
        )


def test_an_amendment_is_about_the_time_of_care() -> None:
    later = NOON + timedelta(days=90)
    for command in AMENDMENTS[1:]:
        much_later = command.model_copy(update={"at": later})
        outcome = note.given(signed).when(much_later)
        assert [event.occurred_at for event in outcome.events] == [VISIT]


# --- entered in error --------------------------------------------------------------------------


def test_a_note_entered_in_error_is_retracted() -> None:
    note.given(signed).when(retract).then(retracted)


@pytest.mark.parametrize("command", [sign, sign_unlocked, *AMENDMENTS])
def test_a_retracted_note_takes_nothing_more(command: Command) -> None:
    note.given(signed_unlocked, retracted).when(command).refused(NoteIsRetracted)


# --- moving ------------------------------------------------------------------------------------


def test_a_note_on_the_wrong_chart_says_where_it_went() -> None:
    note.given(signed).when(move_away).then(moved_away)


@pytest.mark.parametrize("command", [sign, sign_unlocked, *AMENDMENTS])
def test_a_note_that_has_moved_takes_nothing_more(command: Command) -> None:
    note.given(signed_unlocked, moved_away).when(command).refused(
        NoteHasMoved, moved_to=SOMEBODY_ELSE
    )


def test_a_note_does_not_move_to_its_own_chart() -> None:
    in_circles = move_away.model_copy(update={"to_client_id": MARA})
    note.given(signed).when(in_circles).refused(SameChart)
    from_here = move_in.model_copy(update={"from_client_id": MARA})
    note.given().when(from_here).refused(SameChart)


def test_the_successor_arrives_with_its_text_its_author_and_its_history() -> None:
    note.given().when(move_in).then(moved_in)


def test_a_note_in_use_is_nobodys_successor() -> None:
    for history in ([signed], [moved_in], [signed, retracted], [signed, moved_away]):
        note.given(*history).when(move_in).refused(NoteAlreadySigned)


def test_the_successor_is_locked_and_amended_like_any_other() -> None:
    note.given(moved_in).when(sign).refused(NoteAlreadySigned)
    note.given(moved_in).when(lock).refused(NoteIsLocked)
    note.given(moved_in).when(add).then(added)
    note.given(moved_in).when(correct).then(corrected)
    note.given(moved_in).when(retract).then(retracted)


def test_the_one_who_moved_a_note_has_not_become_its_author() -> None:
    by_the_mover = correct.model_copy(update={"by": A_COLLEAGUE})
    note.given(moved_in).when(by_the_mover).refused(NotTheAuthor)


# --- drafting ----------------------------------------------------------------------------------


def test_a_note_is_open_for_drafting_until_it_is_locked() -> None:
    check_open(Note())
    check_open(NOTE.fold([signed_unlocked]))
    for history, refusal in (
        ([signed], NoteIsLocked),
        ([signed_unlocked, locked], NoteIsLocked),
        ([moved_in], NoteIsLocked),
        ([signed_unlocked, retracted], NoteIsRetracted),
        ([signed, moved_away], NoteHasMoved),
    ):
        with pytest.raises(refusal):
            check_open(NOTE.fold(history))


def test_the_state_is_what_the_next_decision_needs() -> None:
    assert NOTE.fold([signed, corrected, added]) == Note(
        status="signed",
        client_id=MARA,
        author=DR_OKAFOR,
        occurred_at=VISIT,
        signed_at=NOON,
        is_locked=True,
        sections=reading(plan="25 units, five points."),
        addenda=("Rang next day: no headache.",),
    )


def test_addenda_stand_in_the_order_they_were_added() -> None:
    second = added.model_copy(update={"text": "Rang again: no bruise."})
    state = NOTE.fold([signed_unlocked, added, second, signed])
    assert state.addenda == ("Rang next day: no headache.", "Rang again: no bruise.")
    assert NOTE.fold([moved_in, second]).addenda == state.addenda


@pytest.mark.parametrize("position", [-1, 1.5, "1", True])
def test_a_receipt_names_a_position(position: object) -> None:
    with pytest.raises(ValidationError):
        Receipt.model_validate({"projection": "chart_view", "position": position})
