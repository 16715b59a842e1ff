"""Exact arithmetic, and rounding to steps. Pure."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

EXACT: Final = Context(prec=200)


def is_step(value: Decimal, step: Decimal) -> bool:
    """Return whether a value is a whole number of steps."""
    return EXACT.remainder(value, step) == 0


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return a value in whole steps, not above it."""
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(ROUND_FLOOR), step)


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Return a value in whole steps, not below it."""
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(ROUND_CEILING), step)
