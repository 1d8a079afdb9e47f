"""What the shapes that every rule is written in promise."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.chart.aggregate import NOTE
from domain.client.aggregate import CLIENT
from domain.client.events import ClientRegistered, Details
from domain.kernel.clock import FixedClock, SystemClock
from domain.kernel.errors import Conflict, DomainError
from domain.kernel.events import Category, Context, Event, Frozen
from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId, derived
from domain.kernel.permissions import Permission

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARA = ClientId(UUID(int=1))
registered = ClientRegistered(
    client_id=MARA,
    occurred_at=NOON,
    details=Details.model_validate(
        {"given_name": "Mara", "family_name": "Berg", "birth_date": "1984-07-19"}
    ),
)


class Lost(Event):
    """As the log puts in the place of an event whose key was destroyed."""

    category: ClassVar[Category] = Category.BUSINESS


def test_a_fact_does_not_change() -> None:
    with pytest.raises(ValidationError):
        registered.client_id = MARA  # type: ignore[misc] # the attempt is the test
    with pytest.raises(ValidationError):
        registered.details.given_name = "Maria"  # type: ignore[misc] # likewise


def test_a_fact_has_nothing_undeclared() -> None:
    with pytest.raises(ValidationError):
        ClientRegistered.model_validate({**dict(registered), "mood": "fine"})


def test_what_nobody_can_count_is_no_number() -> None:
    class Measured(Frozen):
        value: float

    for value in (float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            Measured(value=value)


def test_a_fact_that_can_no_longer_be_read_is_passed_over() -> None:
    lost = Lost(occurred_at=NOON)
    for decider in (CLIENT, NOTE):
        assert decider.fold([lost, lost]) == decider.initial
    assert CLIENT.fold([lost, registered, lost]) == CLIENT.fold([registered])


def test_asking_twice_names_the_same_thing() -> None:
    parent, other = UUID(int=5), UUID(int=6)
    assert derived(parent, "note", "1") == derived(parent, "note", "1")
    ids = [derived(parent, "note", "1"), derived(parent, "note1"), derived(other, "note", "1")]
    assert len(set(ids)) == 3


def test_a_refusal_carries_its_code_and_what_helps() -> None:
    class TowelTooSmall(Conflict):
        code = "towel_too_small"

    refusal = TowelTooSmall(towel_id=7)
    assert isinstance(refusal, DomainError)
    assert (str(refusal), refusal.details) == ("towel_too_small", {"towel_id": 7})


def test_a_context_says_when_with_an_offset() -> None:
    who = {
        "practice_id": PracticeId(UUID(int=1)),
        "actor_id": ActorId(UUID(int=2)),
        "role": "clinician",
        "command_id": CommandId(UUID(int=3)),
        "correlation_id": UUID(int=4),
    }
    assert Context.model_validate({**who, "at": NOON}).purpose == "treatment"
    with pytest.raises(ValidationError):
        Context.model_validate({**who, "at": NOON.replace(tzinfo=None)})


def test_a_clock_gives_the_present_with_its_zone() -> None:
    first, second = SystemClock().now(), SystemClock().now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second
    assert FixedClock(NOON).now() == NOON


def test_permissions_are_named_after_a_noun_and_an_act() -> None:
    for permission in Permission:
        noun, act = permission.value.split(".")
        assert permission.name == f"{noun}_{act}".upper()
