"""Amounts of money: whole minor units of one currency, never a fraction."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from domain.kernel.events import Frozen

AMOUNT_MAX = 2**53 - 1
"""The largest whole number that JavaScript, and so the pages, can hold exactly."""

# Of its own, so that neither a long factor nor somebody's ambient context rounds before we do.
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)


class CurrencyMismatch(ValueError):
    """Two currencies cannot be added or compared."""


class Money(Frozen):
    """An amount in minor units (cents for USD) of an ISO 4217 currency."""

    amount_minor: Annotated[int, Field(strict=True, ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    def _of(self, amount_minor: int) -> Self:
        """Another amount of the same currency, within the same limits."""
        return type(self)(amount_minor=amount_minor, currency=self.currency)

    def _same(self, other: Self) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)

    def __add__(self, other: Self) -> Self:
        """Adds two amounts. Raises `CurrencyMismatch`."""
        self._same(other)
        return self._of(self.amount_minor + other.amount_minor)

    def __sub__(self, other: Self) -> Self:
        """Subtracts. Raises `CurrencyMismatch`."""
        return self + -other

    def __neg__(self) -> Self:
        """The same amount, owed the other way."""
        return self._of(-self.amount_minor)

    def __lt__(self, other: Self) -> bool:
        """True when this is less. Raises `CurrencyMismatch`."""
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: Self) -> bool:
        """True when this is no more. Raises `CurrencyMismatch`."""
        self._same(other)
        return self.amount_minor <= other.amount_minor

    def times(self, factor: Decimal) -> Self:
        """Multiplies and rounds half away from zero, as invoices do."""
        exact = _EXACT.multiply(Decimal(self.amount_minor), factor)
        return self._of(int(exact.to_integral_value(ROUND_HALF_UP, _EXACT)))

    def allocate(self, weights: Sequence[int]) -> list[Self]:
        """Splits by weight so that the parts add up to the whole exactly.

        Left-over minor units go to the parts with the largest remainders, earlier parts first.
        Raises `ValueError` for no weights, a negative weight, or weights that are all zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        sign = -1 if self.amount_minor < 0 else 1
        shares = [divmod(abs(self.amount_minor) * weight, total) for weight in weights]
        left = abs(self.amount_minor) - sum(share for share, _ in shares)
        by_remainder = sorted(range(len(shares)), key=lambda n: (-shares[n][1], n))
        lucky = set(by_remainder[:left])
        return [self._of(sign * (share + (n in lucky))) for n, (share, _) in enumerate(shares)]
