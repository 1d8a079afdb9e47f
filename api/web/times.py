"""How is a point in time said on a page, and how is a typed one understood?"""

import datetime as dt
from zoneinfo import ZoneInfo

from api.web.views.frame import Moment

_DAY_LENGTH = len("2026-03-03")
_MINUTE_LENGTH = len("2026-03-03T14:02")


class NotAMoment(ValueError):
    """What was typed is not a date and time."""


class PracticeTime:
    """Times as the practice's wall clock shows them."""

    def __init__(self, zone: str) -> None:
        """Take the practice's IANA zone."""
        self._zone = ZoneInfo(zone)

    def moment(self, at: dt.datetime) -> Moment:
        """Return a moment for a page."""
        local = at.astimezone(self._zone)
        return Moment(
            iso=local.isoformat(),
            day=day(local.date()),
            clock=f"{local:%H:%M}",
            zone=local.tzname() or "",
        )

    def label(self, at: dt.datetime) -> str:
        """Return a moment as one string, for places that take no markup."""
        moment = self.moment(at)
        return f"{moment.day}, {moment.clock} {moment.zone}"

    def typed(self, at: dt.datetime) -> str:
        """Return the value of a datetime-local input."""
        return f"{at.astimezone(self._zone):%Y-%m-%dT%H:%M}"

    def understood(self, text: str) -> dt.datetime:
        """Return the instant that an address or a datetime-local input names.

        A text with an offset is exact. Without one it is the practice's wall clock: a day means
        its end and a minute means its end, so that what was recorded "at 14:02" is part of 14:02.
        """
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise NotAMoment(text) from error
        if at.tzinfo is not None:
            return at
        if len(text) == _DAY_LENGTH:
            at += dt.timedelta(days=1, microseconds=-1)
        elif len(text) == _MINUTE_LENGTH:
            at += dt.timedelta(minutes=1, microseconds=-1)
        # Where clocks go back an hour comes twice; the later one hides nothing.
        return at.replace(tzinfo=self._zone, fold=1)


def day(date: dt.date) -> str:
    """Return a date in words: 3 March 2026."""
    return f"{date.day} {date:%B %Y}"


def age(born: dt.date, today: dt.date) -> int:
    """Return full years; someone born on 29 February grows older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
