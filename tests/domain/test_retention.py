"""Is what must be kept refused to the very day, and nothing longer?"""

from datetime import UTC, date, datetime, timedelta
from random import Random

from domain.compliance.policy import Facts, RetentionPolicy
from domain.compliance.refusals import UnderRetention
from tests.domain.test_compliance import OLGA, compliance, erase


def test_ten_thousand_random_clients_none_erased_too_early_and_none_kept_too_long() -> None:
    """Against another way to count: days as triples of year, month and day, compared as such."""
    chance = Random(12)
    refused = 0
    for _ in range(10_000):
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(40_000))
        seen = born + timedelta(days=chance.randrange(20_000))
        policy = RetentionPolicy(
            name="any",
            version=1,
            years_after_last_encounter=chance.randrange(0, 15),
            age_of_majority=chance.choice((18, 19, 21)),
            years_after_majority=chance.randrange(0, 12),
        )
        # Near the ends of both terms, or anywhere: also on the very day.
        ends = (
            (seen, policy.years_after_last_encounter),
            (born, policy.age_of_majority + policy.years_after_majority),
        )
        day, years = chance.choice(ends)
        today = day + timedelta(days=round(years * 365.2425) + chance.randrange(-3, 4))
        facts = Facts(last_encounter_on=seen, born_on=born, position=1)
        at = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
        outcome = compliance.given().when(erase(OLGA, policy=policy, facts=facts, at=at))
        must_keep = any(
            (today.year, today.month, today.day) <= (day.year + years, day.month, day.day)
            for day, years in ends
        )
        assert isinstance(outcome.refusal, UnderRetention) == must_keep, (facts, policy, today)
        refused += must_keep
    assert 1_000 < refused < 9_000
