"""How is a point in time said on a page, and how is a typed one understood?"""

import datetime as dt
from zoneinfo import ZoneInfo

from api.web.views.frame import Moment
from domain.kernel.errors import Invalid

_DAY_LENGTH = len("2026-03-03")
_MINUTE_LENGTH = len("2026-03-03T14:02")
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
"""Years outside are a typing error, and the ends of the calendar have no neighbours."""


class NotAMoment(Invalid):
    """What was typed is not a date and time."""

    code = "not_a_moment"
    field = "as_of"


class PracticeTime:
    """Times as the practice's wall clock shows them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def moment(self, at: dt.datetime) -> Moment:
        """Return a moment for a page."""
        local = at.astimezone(self._zone)
        return Moment(
            iso=local.isoformat(),
            day=day(local.date()),
            clock=f"{local:%H:%M}",
            seconds=f"{local:%S}",
            zone=local.tzname() or "",
        )

    def label(self, at: dt.datetime) -> str:
        """Return a moment as one string, for places that take no markup."""
        moment = self.moment(at)
        return f"{moment.day}, {moment.clock} {moment.zone}"

    def typed(self, at: dt.datetime) -> str:
        """Return the value of a datetime-local input."""
        return f"{at.astimezone(self._zone):%Y-%m-%dT%H:%M}"

    def today(self, now: dt.datetime) -> dt.date:
        """Return the day it is at the practice."""
        return now.astimezone(self._zone).date()

    def begun(self, text: str, now: dt.datetime) -> dt.datetime:
        """Return the instant at which a typed day or minute begins. Raises ``NotAMoment``."""
        return self._read(text, now).astimezone(dt.UTC)

    def ended(self, text: str, now: dt.datetime) -> dt.datetime:
        """Return the last instant of a typed day or minute. Raises ``NotAMoment``.

        What was recorded "at 14:02" is part of 14:02. The day or minute that is still running
        ends now; a text with an offset is exact.
        """
        at = self._read(text, now)
        end = at
        if len(text) == _DAY_LENGTH:
            end = at + dt.timedelta(days=1, microseconds=-1)
        elif len(text) == _MINUTE_LENGTH:
            end = at + dt.timedelta(minutes=1, microseconds=-1)
        start, end = at.astimezone(dt.UTC), end.astimezone(dt.UTC)
        return now.astimezone(dt.UTC) if start <= now < end else end

    def _read(self, text: str, now: dt.datetime) -> dt.datetime:
        """Without an offset it is the practice's wall clock.

        Where clocks go back an hour comes twice: the later one is meant, unless it is yet to come.
        """
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise NotAMoment from error
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            raise NotAMoment
        if at.tzinfo is not None:
            return at
        later = at.replace(tzinfo=self._zone, fold=1)
        return later if later.astimezone(dt.UTC) <= now else at.replace(tzinfo=self._zone, fold=0)


def day(date: dt.date) -> str:
    """Return a date in words: 3 March 2026."""
    return f"{date.day} {date:%B %Y}"


def age(born: dt.date, today: dt.date) -> int:
    """Return full years; someone born on 29 February grows older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
