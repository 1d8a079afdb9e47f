"""When two spans of time meet."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.kernel.period import Period

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def span(first: int, last: int) -> Period:
    """From the first minute after noon to the last."""
    return Period(starts_at=NOON + timedelta(minutes=first), ends_at=NOON + timedelta(minutes=last))


spans = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda t: span(t[0], t[0] + t[1]))


def minutes(period: Period) -> set[datetime]:
    """The minutes that the period holds, counted one by one."""
    count = int(period.length / timedelta(minutes=1))
    return {period.starts_at + timedelta(minutes=n) for n in range(count)}


def test_back_to_back_visits_do_not_overlap() -> None:
    assert not span(0, 30).overlaps(span(30, 60))
    assert span(0, 31).overlaps(span(30, 60))


def test_a_period_contains_itself_but_not_a_minute_more() -> None:
    assert span(0, 30).contains(span(0, 30))
    assert not span(0, 30).contains(span(0, 31))
    assert not span(1, 30).contains(span(0, 30))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 0)])
def test_a_period_ends_after_it_starts(first: int, last: int) -> None:
    with pytest.raises(ValidationError, match="ends after it starts"):
        span(first, last)


def test_a_period_needs_its_zone() -> None:
    with pytest.raises(ValidationError):
        Period(starts_at=NOON.replace(tzinfo=None), ends_at=NOON)


def test_one_moment_in_two_zones_is_one_moment() -> None:
    elsewhere = timezone(timedelta(hours=-5))
    moved = Period(
        starts_at=NOON.astimezone(elsewhere),
        ends_at=(NOON + timedelta(hours=1)).astimezone(elsewhere),
    )
    assert moved == span(0, 60)
    assert moved.overlaps(span(59, 61))


@given(spans, spans)
def test_periods_overlap_when_they_share_a_minute(one: Period, other: Period) -> None:
    assert one.overlaps(other) == bool(minutes(one) & minutes(other))
    assert one.overlaps(other) == other.overlaps(one)
    assert one.contains(other) == (minutes(one) >= minutes(other))
