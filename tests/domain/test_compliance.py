"""Is nothing erased too early, under a hold, or by one person alone?"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.compliance.aggregate import COMPLIANCE, stream_of
from domain.compliance.commands import (
    AgreeToErase,
    Erase,
    PlaceHold,
    RecordErasure,
    ReleaseHold,
    WithdrawErasure,
)
from domain.compliance.events import (
    ErasureAgreed,
    ErasureCarriedOut,
    ErasureRequested,
    ErasureWithdrawn,
    HoldReleaseRequested,
    LegalHoldPlaced,
    LegalHoldReleased,
    RetentionSeen,
)
from domain.compliance.policy import US_DEFAULT, Facts, RetentionPolicy, kept_until
from domain.compliance.refusals import (
    AlreadyErased,
    ErasureAlreadyAgreed,
    ErasureAlreadyRequested,
    ErasureNotAgreed,
    ErasureNotRequested,
    LegalHoldUnknown,
    NotErasable,
    SecondPersonNeeded,
    UnderLegalHold,
    UnderRetention,
)
from domain.kernel.events import Category, Command
from domain.kernel.ids import ActorId, ClientId
from tests.support.spec import Spec, replay

compliance = Spec(COMPLIANCE)
NOON = datetime(2040, 3, 2, 12, tzinfo=UTC)
MARA = ClientId(UUID(int=1))
OLGA, AUDRA = ActorId(UUID(int=8)), ActorId(UUID(int=9))
HOLD, OTHER_HOLD = UUID(int=20), UUID(int=21)
FACTS = Facts(last_encounter_on=date(2026, 3, 2), born_on=date(1990, 2, 28), position=7)
SEEN = RetentionSeen(
    rule="retention/us-default/1", last_encounter_on=FACTS.last_encounter_on, position=7
)
LAW = "CCPA 1798.105"


def words(by: ActorId, category: Category, reason: str, **given_: object) -> dict[str, Any]:
    who = {"by": by, "at": NOON, "client_id": MARA, "of_category": category, "reason": reason}
    return who | {"policy": US_DEFAULT, "facts": FACTS} | given_


def erase(by: ActorId, category: Category = Category.CLINICAL, **given_: object) -> Erase:
    told = {"legal_basis": LAW, "readable": 1} | given_
    return Erase.model_validate(words(by, category, "She asked us to.", **told))


def agree(by: ActorId, category: Category = Category.CLINICAL, **given_: object) -> AgreeToErase:
    return AgreeToErase.model_validate(words(by, category, "I have seen her letter.", **given_))


def withdraw(by: ActorId, category: Category = Category.CLINICAL) -> WithdrawErasure:
    return WithdrawErasure(by=by, at=NOON, of_category=category, reason="She stays.")


requested = ErasureRequested(
    client_id=MARA,
    occurred_at=NOON,
    of_category=Category.CLINICAL,
    reason="She asked us to.",
    legal_basis=LAW,
    requested_by=OLGA,
    retention=SEEN,
)
withdrawn = ErasureWithdrawn(
    client_id=MARA,
    occurred_at=NOON,
    of_category=Category.CLINICAL,
    reason="She stays.",
    requested_by=OLGA,
    withdrawn_by=AUDRA,
)
agreed = ErasureAgreed(
    client_id=MARA,
    occurred_at=NOON,
    of_category=Category.CLINICAL,
    reason="I have seen her letter.",
    requested_by=OLGA,
    agreed_by=AUDRA,
    retention=SEEN,
)
carried_out = ErasureCarriedOut(
    client_id=MARA,
    occurred_at=NOON,
    of_category=Category.CLINICAL,
    reason="She asked us to.",
    legal_basis=LAW,
    requested_by=OLGA,
    agreed_by=AUDRA,
    keys=2,
    drafts=1,
)
placed = LegalHoldPlaced(
    client_id=MARA, occurred_at=NOON, hold_id=HOLD, reason="Notice of claim.", placed_by=OLGA
)
release_requested = HoldReleaseRequested(
    client_id=MARA, occurred_at=NOON, hold_id=HOLD, reason="Settled.", requested_by=OLGA
)
released = LegalHoldReleased(
    client_id=MARA,
    occurred_at=NOON,
    hold_id=HOLD,
    reason="I have read the settlement.",
    requested_by=OLGA,
    agreed_by=AUDRA,
)
record_it = RecordErasure(by=AUDRA, at=NOON, of_category=Category.CLINICAL, keys=2, drafts=1)


def place(by: ActorId = OLGA, hold_id: UUID = HOLD) -> PlaceHold:
    return PlaceHold(by=by, at=NOON, client_id=MARA, hold_id=hold_id, reason="Notice of claim.")


def release(by: ActorId, reason: str = "Settled.", hold_id: UUID = HOLD) -> ReleaseHold:
    return ReleaseHold(by=by, at=NOON, hold_id=hold_id, reason=reason)


def test_one_asks_another_agrees_and_then_it_is_carried_out() -> None:
    compliance.given().when(erase(OLGA)).then(requested)
    compliance.given(requested).when(agree(AUDRA)).then(agreed)
    compliance.given(requested, agreed).when(record_it).then(carried_out)


def test_nobody_agrees_to_what_she_asked_for_herself() -> None:
    for asked in (agree(OLGA), erase(OLGA)):
        compliance.given(requested).when(asked).refused(SecondPersonNeeded)
    compliance.given(placed, release_requested).when(release(OLGA)).refused(SecondPersonNeeded)


def test_what_is_agreed_is_agreed_once_and_rests_until_it_is_carried_out() -> None:
    for somebody in (OLGA, AUDRA):
        for asked in (erase(somebody), agree(somebody)):
            compliance.given(requested, agreed).when(asked).then()
    compliance.given(requested, agreed, carried_out).when(record_it).refused(ErasureNotAgreed)
    # Text written since may be erased as well; that is another erasure, with its own two people.
    compliance.given(requested, agreed, carried_out).when(erase(OLGA)).then(requested)


def test_who_means_to_ask_does_not_agree_unknowingly() -> None:
    compliance.given(requested).when(erase(AUDRA)).refused(
        ErasureAlreadyRequested, requested_by=OLGA, requested_at=NOON
    )


def test_where_nobody_has_asked_there_is_nothing_to_agree_to() -> None:
    for history in ((), (requested, withdrawn), (requested, agreed, carried_out)):
        for asked in (agree(OLGA), agree(AUDRA), withdraw(AUDRA)):
            compliance.given(*history).when(asked).refused(ErasureNotRequested)
    compliance.given(requested).when(agree(AUDRA, Category.PHOTO)).refused(ErasureNotRequested)


def test_what_was_erased_is_not_asked_for_again_while_there_is_nothing_to_read() -> None:
    done = (requested, agreed, carried_out)
    for somebody in (OLGA, AUDRA):
        compliance.given(*done).when(erase(somebody, readable=0)).refused(
            AlreadyErased, erased_at=NOON, requested_by=OLGA, agreed_by=AUDRA
        )
    photos = erase(OLGA, Category.PHOTO, readable=0)
    assert compliance.given(*done).when(photos).refusal is None
    # Cut short between the deed and its entry, nothing can be read, and it is not done yet.
    compliance.given(requested, agreed).when(erase(OLGA, readable=0)).then()


def test_a_request_is_withdrawn_until_somebody_agrees() -> None:
    compliance.given(requested).when(withdraw(AUDRA)).then(withdrawn)
    by_herself = withdrawn.model_copy(update={"withdrawn_by": OLGA})
    compliance.given(requested).when(withdraw(OLGA)).then(by_herself)
    compliance.given(requested, withdrawn).when(erase(OLGA)).then(requested)
    compliance.given(requested, agreed).when(withdraw(OLGA)).refused(ErasureAlreadyAgreed)


def test_a_request_lapses_by_the_policy_in_force() -> None:
    for days in (30, 7):
        policy = US_DEFAULT.model_copy(update={"request_lapses_after_days": days})
        lapses = NOON + timedelta(days=days)
        just = lapses - timedelta(microseconds=1)
        asked = compliance.given(requested).when(agree(AUDRA, policy=policy, at=just))
        assert [type(event) for event in asked.events] == [ErasureAgreed]
        late = agree(AUDRA, policy=policy, at=lapses)
        compliance.given(requested).when(late).refused(ErasureNotRequested, lapsed_at=lapses)
        for somebody in (OLGA, AUDRA):
            anew = erase(somebody, policy=policy, at=lapses)
            (event,) = compliance.given(requested).when(anew).events
            assert isinstance(event, ErasureRequested)
            assert event.requested_by == somebody
            # Only the newer one counts.
            other = AUDRA if somebody == OLGA else OLGA
            agreeing = agree(other, policy=policy, at=lapses)
            assert compliance.given(requested, event).when(agreeing).refusal is None
    # What is agreed does not lapse.
    compliance.given(requested, agreed).when(agree(OLGA, at=NOON + timedelta(days=99))).then()


def test_nothing_is_carried_out_that_nobody_agreed_to() -> None:
    compliance.given().when(record_it).refused(ErasureNotAgreed)
    compliance.given(requested).when(record_it).refused(ErasureNotAgreed)
    other = record_it.model_copy(update={"of_category": Category.PHOTO})
    compliance.given(requested, agreed).when(other).refused(ErasureNotAgreed)


def test_each_category_is_asked_for_by_itself() -> None:
    photos = requested.model_copy(update={"of_category": Category.PHOTO})
    compliance.given(requested).when(erase(OLGA, Category.PHOTO)).then(photos)


def test_what_the_practice_did_is_not_the_clients_to_erase() -> None:
    compliance.given().when(erase(OLGA, Category.BUSINESS)).refused(NotErasable)


def test_under_a_hold_nothing_is_erased() -> None:
    compliance.given(placed).when(erase(OLGA)).refused(UnderLegalHold, holds=[HOLD])
    compliance.given(requested, placed).when(agree(AUDRA)).refused(UnderLegalHold, holds=[HOLD])
    compliance.given(placed, release_requested).when(erase(OLGA)).refused(
        UnderLegalHold, holds=[HOLD]
    )
    compliance.given(placed, release_requested, released).when(erase(OLGA)).then(requested)


def test_a_hold_is_placed_by_one_and_released_by_two() -> None:
    compliance.given().when(place()).then(placed)
    compliance.given(placed).when(place(AUDRA)).then()
    compliance.given(placed).when(release(OLGA)).then(release_requested)
    agreeing = release(AUDRA, "I have read the settlement.")
    compliance.given(placed, release_requested).when(agreeing).then(released)
    for asked in (release(OLGA), release(AUDRA)):
        compliance.given().when(asked).refused(LegalHoldUnknown)
        compliance.given(placed, release_requested, released).when(asked).refused(LegalHoldUnknown)


def test_each_hold_is_released_by_itself() -> None:
    other = placed.model_copy(update={"hold_id": OTHER_HOLD})
    both = (placed, other, release_requested, released)
    compliance.given(*both).when(erase(OLGA)).refused(UnderLegalHold, holds=[OTHER_HOLD])
    compliance.given(placed).when(release(OLGA, hold_id=OTHER_HOLD)).refused(LegalHoldUnknown)


@pytest.mark.parametrize(
    ("facts", "until"),
    [
        # Ten years after the last visit; or 18 + 7 years of age, where that is later.
        ({"last_encounter_on": date(2030, 3, 14)}, date(2040, 3, 14)),
        ({"born_on": date(2020, 5, 1)}, date(2045, 5, 1)),
        ({"last_encounter_on": date(2032, 2, 29)}, date(2042, 2, 28)),
        ({"born_on": date(2016, 2, 29)}, date(2041, 2, 28)),
    ],
)
def test_clinical_text_is_kept_as_long_as_the_later_rule_asks(
    facts: dict[str, date], until: date
) -> None:
    seen = FACTS.model_copy(update=facts)
    assert kept_until(US_DEFAULT, Category.CLINICAL, seen) == until
    last_day = datetime(until.year, until.month, until.day, 23, 59, tzinfo=UTC)
    asked = erase(OLGA, facts=seen, at=last_day)
    refusal = (
        compliance.given()
        .when(asked)
        .refused(
            UnderRetention,
            kept_until=until,
            last_encounter_on=seen.last_encounter_on,
            policy="retention/us-default/1",
        )
    )
    assert refusal.code == "under_retention"
    # She may not agree too early either, whatever was asked when.
    compliance.given(requested).when(agree(AUDRA, facts=seen, at=last_day)).refused(
        UnderRetention, **refusal.details
    )
    next_day = last_day + timedelta(days=1)
    assert compliance.given().when(erase(OLGA, facts=seen, at=next_day)).refusal is None


def test_the_day_is_the_practices_own() -> None:
    """At 23:30 in New York the last day is not over, though it is in London."""
    seen = FACTS.model_copy(update={"last_encounter_on": date(2030, 3, 14)})
    in_new_york = datetime.fromisoformat("2040-03-14T23:30:00-04:00")
    assert in_new_york.astimezone(UTC).date() == date(2040, 3, 15)
    asked = compliance.given().when(erase(OLGA, facts=seen, at=in_new_york))
    assert isinstance(asked.refusal, UnderRetention)


def test_contact_details_and_photographs_are_kept_with_the_text_and_marketing_is_not() -> None:
    soon = datetime(2026, 4, 1, tzinfo=UTC)
    for category in (Category.CONTACT, Category.PHOTO, Category.CLINICAL):
        outcome = compliance.given().when(erase(OLGA, category, at=soon))
        assert isinstance(outcome.refusal, UnderRetention), category
    assert compliance.given().when(erase(OLGA, Category.MARKETING, at=soon)).refusal is None


def test_where_nobody_was_ever_treated_there_is_nothing_to_keep() -> None:
    never = FACTS.model_copy(update={"last_encounter_on": None})
    for category in set(Category) - {Category.BUSINESS}:
        outcome = compliance.given().when(erase(OLGA, category, facts=never))
        assert [type(event) for event in outcome.events] == [ErasureRequested]


def test_a_practice_may_have_another_policy_and_the_decision_names_it() -> None:
    texas = RetentionPolicy(
        name="texas",
        version=3,
        years_after_last_encounter=7,
        age_of_majority=18,
        years_after_majority=3,
        covers=(Category.CLINICAL,),
    )
    (event,) = compliance.given().when(erase(OLGA, policy=texas)).events
    assert isinstance(event, ErasureRequested)
    assert event.retention.rule == "retention/texas/3"


people = st.sampled_from([OLGA, AUDRA, ActorId(UUID(int=10))])
acts: st.SearchStrategy[Command] = st.one_of(
    *(
        st.builds(act, people, st.sampled_from([Category.CLINICAL, Category.MARKETING]))
        for act in (erase, agree, withdraw)
    ),
    st.builds(place, people, st.sampled_from([HOLD, OTHER_HOLD])),
    st.builds(release, people, hold_id=st.sampled_from([HOLD, OTHER_HOLD])),
    st.just(record_it),
)


@given(st.lists(acts, max_size=20))
def test_whatever_is_asked_two_people_stand_behind_each_erasure_and_no_hold_against_it(
    commands: list[Command],
) -> None:
    held: set[UUID] = set()
    asked: dict[Category, ActorId] = {}
    decided: set[Category] = set()
    for event in replay(COMPLIANCE, commands):
        match event:
            case LegalHoldPlaced():
                held.add(event.hold_id)
            case LegalHoldReleased():
                assert event.requested_by != event.agreed_by
                held.remove(event.hold_id)
            case ErasureRequested():
                assert not held
                assert event.of_category not in asked
                asked[event.of_category] = event.requested_by
            case ErasureWithdrawn():
                assert event.of_category not in decided
                assert event.requested_by == asked.pop(event.of_category)
            case ErasureAgreed():
                assert not held
                assert event.requested_by == asked[event.of_category] != event.agreed_by
                decided.add(event.of_category)
            case ErasureCarriedOut():
                assert event.requested_by == asked.pop(event.of_category) != event.agreed_by
                decided.remove(event.of_category)


def test_each_client_has_a_stream_of_her_own() -> None:
    assert len({MARA, stream_of(MARA), stream_of(ClientId(UUID(int=2)))}) == 3
