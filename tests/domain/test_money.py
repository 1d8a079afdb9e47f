"""How amounts of money add, round and split."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.kernel.money import AMOUNT_MAX, CurrencyMismatch, Money

amounts = st.integers(-(10**12), 10**12)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any)


def usd(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="USD")


def test_amounts_of_one_currency_add_and_subtract() -> None:
    assert usd(1999) + usd(1) == usd(2000)
    assert usd(5) - usd(7) == usd(-2)
    assert -usd(3) == usd(-3)


def test_amounts_compare() -> None:
    assert usd(1) < usd(2) <= usd(2)
    assert usd(3) > usd(2) >= usd(2)
    assert not usd(2) < usd(2)


def test_two_currencies_do_not_mix() -> None:
    euro = Money(amount_minor=1, currency="EUR")
    for mix in (
        lambda: usd(1) + euro,
        lambda: usd(1) - euro,
        lambda: usd(1) < euro,
        lambda: usd(1) <= euro,
    ):
        with pytest.raises(CurrencyMismatch):
            mix()
    assert usd(1) != euro


@pytest.mark.parametrize("amount", [1.0, 1.5, "1", True, Decimal(1), None, AMOUNT_MAX + 1])
def test_an_amount_is_a_whole_number_of_minor_units(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount_minor": amount, "currency": "USD"})


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "", "US1", "USD\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValidationError):
        Money(amount_minor=1, currency=currency)


def test_a_sum_keeps_to_the_same_limits_as_an_amount() -> None:
    with pytest.raises(ValidationError):
        usd(AMOUNT_MAX) + usd(1)


@pytest.mark.parametrize(
    ("amount", "factor", "expected"),
    [
        (1050, "0.0825", 87),  # 86.625
        (50, "0.01", 1),  # 0.5 rounds away from zero
        (-50, "0.01", -1),
        (250, "0.01", 3),  # 2.5 too, and not to the even neighbour
        (49, "0.01", 0),
        (999, "0", 0),
        (3, "0.4999999999999999999999999999", 1),  # 1.4999…: a short context would make it 1.5
    ],
)
def test_a_product_rounds_half_away_from_zero(amount: int, factor: str, expected: int) -> None:
    assert usd(amount).times(Decimal(factor)) == usd(expected)


def test_rounding_does_not_depend_on_the_surroundings() -> None:
    with localcontext(prec=2, rounding="ROUND_DOWN"):
        assert usd(123_456).times(Decimal("0.5005")) == usd(61_790)


def test_a_three_way_split_leaves_no_cent_behind() -> None:
    assert usd(10_000).allocate([1, 1, 1]) == [usd(3_334), usd(3_333), usd(3_333)]
    assert usd(-100).allocate([1, 1, 1]) == [usd(-34), usd(-33), usd(-33)]
    assert usd(5).allocate([0, 2, 0]) == [usd(0), usd(5), usd(0)]


def test_the_largest_remainder_gets_the_left_over_cent() -> None:
    assert usd(10).allocate([3, 3, 4, 5]) == [usd(2), usd(2), usd(3), usd(3)]
    assert usd(1).allocate([1, 2]) == [usd(0), usd(1)]


@pytest.mark.parametrize("wrong", [[], [0, 0], [1, -1], [3, -1], [-1]])
def test_weights_are_non_negative_and_not_all_zero(wrong: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        usd(100).allocate(wrong)


@given(amounts, weights)
def test_the_parts_add_up_to_the_whole(amount: int, shares: list[int]) -> None:
    parts = usd(amount).allocate(shares)
    assert len(parts) == len(shares)
    assert sum(part.amount_minor for part in parts) == amount


@given(amounts, weights)
def test_no_part_is_a_whole_unit_away_from_its_exact_share(amount: int, shares: list[int]) -> None:
    for part, share in zip(usd(amount).allocate(shares), shares, strict=True):
        assert abs(part.amount_minor * sum(shares) - amount * share) < sum(shares)
        assert share or not part.amount_minor


@given(amounts, weights)
def test_what_is_owed_the_other_way_splits_the_same(amount: int, shares: list[int]) -> None:
    assert usd(-amount).allocate(shares) == [-part for part in usd(amount).allocate(shares)]
