"""Are times said and understood on the practice's clock?"""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from api.web.times import NotAMoment, PracticeTime, age, day

NEW_YORK = PracticeTime(ZoneInfo("America/New_York"))
NOON = dt.datetime(2026, 11, 22, 17, 0, tzinfo=dt.UTC)


def test_a_moment_is_said_in_the_zone_of_the_practice_with_its_name() -> None:
    summer = NEW_YORK.moment(dt.datetime(2026, 7, 1, 2, 5, tzinfo=dt.UTC))
    assert (summer.day, summer.clock, summer.zone) == ("30 June 2026", "22:05", "EDT")
    assert summer.iso == "2026-06-30T22:05:00-04:00"
    assert NEW_YORK.moment(NOON).zone == "EST"


def test_a_typed_minute_means_all_of_it() -> None:
    end = NEW_YORK.ended("2026-03-03T14:02", NOON)
    assert end == dt.datetime(2026, 3, 3, 19, 2, 59, 999_999, tzinfo=dt.UTC)


def test_a_typed_day_means_all_of_it_even_when_it_has_23_hours() -> None:
    end = NEW_YORK.ended("2026-03-08", NOON)
    assert end == dt.datetime(2026, 3, 9, 3, 59, 59, 999_999, tzinfo=dt.UTC)
    begun = NEW_YORK.begun("2026-03-08", NOON)
    assert begun == dt.datetime(2026, 3, 8, 5, 0, tzinfo=dt.UTC)


def test_the_minute_and_the_day_that_are_running_end_now() -> None:
    now = NOON + dt.timedelta(seconds=20)
    assert NEW_YORK.ended("2026-11-22T12:00", now) == now
    assert NEW_YORK.ended("2026-11-22", now) == now
    assert NEW_YORK.ended("2026-11-22T12:01", now) > now


def test_an_offset_is_taken_exactly() -> None:
    assert NEW_YORK.ended("2026-03-03T14:02:11.5-05:00", NOON) == dt.datetime(
        2026, 3, 3, 19, 2, 11, 500_000, tzinfo=dt.UTC
    )


def test_of_the_hour_that_comes_twice_the_later_is_meant_unless_it_is_yet_to_come() -> None:
    later = dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC)
    earlier = later - dt.timedelta(hours=1)
    assert NEW_YORK.begun("2026-11-01T01:30", NOON) == later
    assert NEW_YORK.begun("2026-11-01T01:30", earlier + dt.timedelta(minutes=1)) == earlier


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(NotAMoment):
        NEW_YORK.ended(text, NOON)


def test_ages_are_full_years() -> None:
    born = dt.date(1984, 2, 29)
    assert age(born, dt.date(2026, 2, 28)) == 41
    assert age(born, dt.date(2026, 3, 1)) == 42
    assert day(born) == "29 February 1984"
