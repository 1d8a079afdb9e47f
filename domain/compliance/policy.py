"""How long must a client's texts be kept? Dated policies, and what follows from one.

The default is the longest of what the boards of the United States ask for, which differ from 5 to
10 years after the last encounter, and for minors run from their majority: to be set for each
practice with counsel. What a policy covers is the medical record: clinical text and treatment
photographs, and the contact details without which nobody could tell whose record it is.
"""

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from domain.kernel.events import Category, Frozen
from domain.kernel.text import Day, Line

Years = Annotated[int, Field(strict=True, ge=0, le=150)]
Days = Annotated[int, Field(strict=True, ge=1, le=3650)]


class RetentionPolicy(Frozen):
    """A practice's rule, in force from a day on. Yesterday's decision keeps yesterday's version."""

    name: Line
    version: Annotated[int, Field(strict=True, ge=1)]
    years_after_last_encounter: Years
    age_of_majority: Years
    years_after_majority: Years
    covers: tuple[Category, ...] = (Category.CLINICAL, Category.PHOTO, Category.CONTACT)
    request_lapses_after_days: Days = 30
    """How long somebody may agree to an erasure that was asked for."""

    @property
    def rule(self) -> str:
        """Its id and version, as decisions store it."""
        return f"retention/{self.name}/{self.version}"


US_DEFAULT = RetentionPolicy(
    name="us-default",
    version=1,
    years_after_last_encounter=10,
    age_of_majority=18,
    years_after_majority=7,
)


class Facts(Frozen):
    """What the record says of a person that bears on how long it is kept.

    Of all her records, where some were merged. Where no birth date can be read any more, `born_on`
    is the day on which she became a client: she was born by then.
    """

    last_encounter_on: Day | None
    born_on: Day
    position: Annotated[int, Field(strict=True, ge=0)]
    """How far the record was read for them."""


def kept_until(policy: RetentionPolicy, category: Category, facts: Facts) -> date | None:
    """The last day on which the category must be there; none if nothing asks for it.

    Without an encounter there is no medical record, and nothing to keep.
    """
    if category not in policy.covers or facts.last_encounter_on is None:
        return None
    majority = policy.age_of_majority + policy.years_after_majority
    return max(
        _years_after(facts.last_encounter_on, policy.years_after_last_encounter),
        _years_after(facts.born_on, majority),
    )


def lapses_at(policy: RetentionPolicy, requested_at: datetime) -> datetime:
    """The first moment at which nobody can agree any more to what was asked for."""
    return requested_at + timedelta(days=policy.request_lapses_after_days)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February, in a year without one
        return day.replace(year=day.year + years, day=28)
