"""Spans of time: from a moment, included, to a moment, excluded."""

from datetime import timedelta
from typing import Self

from pydantic import model_validator

from domain.kernel.events import Frozen
from domain.kernel.text import Moment


class Period(Frozen):
    """Half-open: `[starts_at, ends_at)`, so that back-to-back periods do not overlap."""

    starts_at: Moment
    ends_at: Moment

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("a period ends after it starts")
        return self

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.ends_at - self.starts_at

    def overlaps(self, other: Self) -> bool:
        """True when some moment lies in both."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: Self) -> bool:
        """True when all of the other lies within this one."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at
