"""Arithmetic with what events say: exact where it can be, never beyond what the contract of the bus can express. Pure.

An event that would lead beyond these bounds is at fault itself (`FigureError`): no sum, rate or mean that is computed
from accepted ones can leave 24 digits before the point and 36 after it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from contracts.numbers import MOST_FRACTION_DIGITS, MOST_WHOLE_DIGITS

EXACT: Final = Context(prec=400, rounding=ROUND_HALF_EVEN)  # sums and products of what events say are never rounded
FINE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)  # for quotients and roots; more than any text can hold
MOST_AMOUNT: Final = Decimal(10) ** 18  # that one event may add to a sum, in the base coin
MOST_VALUE: Final = Decimal(10) ** 15  # that one event may be worth, in its quote or in US dollars
HIGHEST_RATE: Final = Decimal(10) ** 8  # US dollars for one unit of a coin
LOWEST_RATE: Final = Decimal(10) ** -15
MOST: Final = EXACT.subtract(Decimal(10) ** MOST_WHOLE_DIGITS, Decimal(1))
CENT: Final = Decimal("0.01")
_RATE: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_FINEST: Final = Decimal(1).scaleb(-MOST_FRACTION_DIGITS)


class FigureError(ValueError):
    """An event's figures cannot be added up or valued; the text says which and why."""


def read_amount(text: str) -> Decimal:
    """Read an amount of base coin that is to be added up; raises FigureError from 10^18 on."""
    amount = Decimal(text)
    if amount >= MOST_AMOUNT:
        raise FigureError(f"amount {text} is 10^18 or more")
    return amount


def value_of(price: Decimal, amount: Decimal) -> Decimal:
    """Multiply exactly; raises FigureError where the value is 10^15 or more."""
    value = EXACT.multiply(price, amount)
    if value >= MOST_VALUE:
        raise FigureError(f"{price:f} x {amount:f} is worth 10^15 or more")
    return value


def in_dollars(value: Decimal, rate: Decimal) -> Decimal:
    """Multiply exactly; raises FigureError where that is 10^15 dollars or more."""
    usd = EXACT.multiply(value, rate)
    if usd >= MOST_VALUE:
        raise FigureError(f"{value:f} at {rate:f} is 10^15 dollars or more")
    return usd


def rate_of(numerator: Decimal, denominator: Decimal = Decimal(1)) -> Decimal | None:
    """Divide to 28 digits, of which at most 36 stand behind the point; None where no coin is worth that."""
    if denominator == 0:
        return None
    rate = _RATE.divide(numerator, denominator)
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        return None
    return rounded(rate)


def rounded(value: Decimal) -> Decimal:
    """Round to what a text of the bus can hold behind the point; what fits stays as it is."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_FRACTION_DIGITS:
        return EXACT.quantize(value, _FINEST)
    return value


def as_text(value: Decimal) -> str:
    """Write a computed number as the bus does: plain, at most 36 digits behind the point."""
    return format(rounded(value), "f")


def as_dollars(value: Decimal) -> str:
    """Write a sum of dollars to the cent."""
    return format(EXACT.quantize(value, CENT), "f")
