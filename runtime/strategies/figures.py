"""Arithmetic of strategies: exact, and never beyond what a text of the bus holds, so that a state is read as written.

Results are plain: `200`, never `2E+2`, which would count on with other digits after it was read again. Pure.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT, FINE, as_text, rounded

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)


def plus(one: Decimal, other: Decimal) -> Decimal:
    """Add, exactly."""
    return EXACT.add(one, other)


def minus(one: Decimal, other: Decimal) -> Decimal:
    """Subtract, exactly."""
    return EXACT.subtract(one, other)


def times(one: Decimal, other: Decimal) -> Decimal:
    """Multiply, to 36 digits behind the point."""
    return rounded(EXACT.multiply(one, other))


def over(one: Decimal, other: Decimal) -> Decimal:
    """Divide, to 36 digits behind the point; decimal.DivisionByZero where the other is zero."""
    return Decimal(as_text(FINE.divide(one, other)))


def above(price: Decimal, percent: Decimal) -> Decimal:
    """Return the price so many percent above a price."""
    return times(price, over(plus(HUNDRED, percent), HUNDRED))


def below(price: Decimal, percent: Decimal) -> Decimal:
    """Return the price so many percent below a price."""
    return times(price, over(minus(HUNDRED, percent), HUNDRED))
