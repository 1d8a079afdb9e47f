"""Is each rotation of a practice's key entered once?"""

from datetime import UTC, datetime
from uuid import uuid4

from domain.kernel.ids import ActorId, PracticeId
from domain.practice_key.aggregate import PRACTICE_KEY, stream_of
from domain.practice_key.commands import RecordRotation
from domain.practice_key.events import PracticeKeyRotated
from tests.support.spec import Spec

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY = ActorId(uuid4())


def rotated(generation: int) -> PracticeKeyRotated:
    return PracticeKeyRotated(
        occurred_at=AT, generation=generation, root_key_id="root", data_keys=7
    )


def record(generation: int) -> RecordRotation:
    return RecordRotation(by=BY, at=AT, generation=generation, root_key_id="root", data_keys=7)


def test_a_generation_that_took_over_is_entered() -> None:
    Spec(PRACTICE_KEY).given().when(record(2)).then(rotated(2))
    Spec(PRACTICE_KEY).given(rotated(2)).when(record(3)).then(rotated(3))


def test_it_is_entered_once() -> None:
    Spec(PRACTICE_KEY).given(rotated(2)).when(record(2)).then()
    Spec(PRACTICE_KEY).given(rotated(2), rotated(3)).when(record(2)).then()


def test_each_practice_has_a_stream_of_its_own() -> None:
    one, other = PracticeId(uuid4()), PracticeId(uuid4())
    assert len({stream_of(one), stream_of(other), one, other}) == 4
