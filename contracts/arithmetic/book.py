"""What a book's levels come to: totals, spread, imbalance; exact, as they are shown wherever a book is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from contracts.arithmetic.exact import EXACT, FINE
from contracts.schema.literals import decimal_number, number

Level = tuple[str, str]
_SHARE: Final = Decimal("0.0001")


def book_figures(bids: Sequence[Level], asks: Sequence[Level], unit: str) -> dict[str, Any]:
    """The levels of one book; `total` is price times amount in the quote, null where amounts are contracts."""
    return {
        "bids": [_level(level, unit) for level in bids],
        "asks": [_level(level, unit) for level in asks],
        "spread": decimal_number(spread(bids, asks)),
        "imbalance": decimal_number(imbalance(bids, asks)),
    }


def spread(bids: Sequence[Level], asks: Sequence[Level]) -> Decimal | None:
    """Best ask less best bid; None where a side is empty."""
    return EXACT.subtract(Decimal(asks[0][0]), Decimal(bids[0][0])) if bids and asks else None


def imbalance(bids: Sequence[Level], asks: Sequence[Level]) -> Decimal | None:
    """Which side holds more, from -1 (all asks) to 1 (all bids); None where the book is empty."""
    return decide_imbalance(amount_within(bids, len(bids)), amount_within(asks, len(asks)))


def amount_within(levels: Sequence[Level], depth: int) -> Decimal:
    """The sum of the amounts of the best levels."""
    return add_up(Decimal(amount) for _, amount in levels[:depth])


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def decide_imbalance(bought: Decimal, sold: Decimal) -> Decimal | None:
    """(bids - asks) / (bids + asks) over amounts: 1 is all bids, -1 all asks; None where both are nothing."""
    total = EXACT.add(bought, sold)
    if total == 0:
        return None
    return FINE.divide(EXACT.subtract(bought, sold), total).quantize(_SHARE, context=EXACT)


def _level(level: Level, unit: str) -> dict[str, Any]:
    price, amount = level
    total = EXACT.multiply(Decimal(price), Decimal(amount)) if unit == "base" else None
    return {"price": number(price), "amount": number(amount), "total": decimal_number(total)}
