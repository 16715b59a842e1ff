"""Prices to five digits as small integers, and the width of a map's buckets. Pure.

A price counts at its first five digits (four in windows of days), rounded down: `91000.10` at 91000, `0.00012345678` at
0.00012345. That decides the bucket that it falls into, whatever the width.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final

DIGITS: Final = 5
MOST_IN_THE_MIDDLE: Final = 60  # buckets over the middle 99 of 100 liquidations
MOST_BUCKETS: Final = 80  # that have a liquidation
_LEFT_OUT: Final = 200  # one in so many on each side may be far away
_MANTISSA_BITS: Final = 17
_MANTISSA: Final = (1 << _MANTISSA_BITS) - 1
_LOWEST: Final = 64  # exponents count from -64: prices have at most 36 digits behind the point
_STEPS: Final = (1, 2, 5)
_FLOOR: Final = Context(prec=400, rounding=ROUND_FLOOR)


def cell_of(price: Decimal) -> int:
    """Return the number of a price's first five digits: below 2^24, and higher for a higher price."""
    exponent = price.adjusted() - DIGITS + 1
    return (exponent + _LOWEST) << _MANTISSA_BITS | int(price.scaleb(-exponent, _FLOOR))


def coarsen(cell: int, digits: int) -> int:
    """Return the cell of the same price to fewer digits: one for all that begin with them."""
    fewer = DIGITS - digits
    exponent, mantissa = cell >> _MANTISSA_BITS, cell & _MANTISSA
    return (exponent + fewer) << _MANTISSA_BITS | mantissa // 10**fewer


def price_of(cell: int) -> Decimal:
    """Return the lowest price of a cell."""
    return Decimal(cell & _MANTISSA).scaleb((cell >> _MANTISSA_BITS) - _LOWEST, _FLOOR)


def bucket_of(price: Decimal, step: Decimal) -> int:
    """Return the number of the bucket that a price falls into: from `number * step` up to the next."""
    return int(_FLOOR.divide_int(price, step))


def choose_step(counts: Iterable[tuple[Decimal, int]], digits: int = DIGITS) -> Decimal | None:
    """Return the width of the buckets for (price, how many) pairs: 1, 2 or 5 times a power of ten; None without any.

    It is the least of which at most 60 cover the middle 99 of 100, and of which at most 80 have a liquidation; never
    finer than the last of the digits of the middle's highest price.
    """
    sorted_counts = sorted(counts)
    if not sorted_counts:
        return None
    low, high = _find_middle(sorted_counts)
    exponent = high.adjusted() - digits + 1
    while True:
        for digit in _STEPS:
            step = Decimal(digit).scaleb(exponent, _FLOOR)
            if bucket_of(high, step) - bucket_of(low, step) < MOST_IN_THE_MIDDLE and _is_enough(sorted_counts, step):
                return step
        exponent += 1


def _find_middle(counts: list[tuple[Decimal, int]]) -> tuple[Decimal, Decimal]:
    """Return the prices that all but one in 200 are not below, and not above."""
    beyond = sum(count for _, count in counts) // _LEFT_OUT
    return _skip(counts, beyond), _skip(counts[::-1], beyond)


def _skip(counts: list[tuple[Decimal, int]], left: int) -> Decimal:
    for price, count in counts:
        left -= count
        if left < 0:
            return price
    raise ValueError("nothing is left in the middle")


def _is_enough(counts: list[tuple[Decimal, int]], step: Decimal) -> bool:
    return len({bucket_of(price, step) for price, _ in counts}) <= MOST_BUCKETS
