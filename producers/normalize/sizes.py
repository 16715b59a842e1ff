"""How many coins a venue's contracts are, for venues that count in contracts.

Linear contracts are worth a fixed amount of the base coin each, inverse ones a fixed amount of the quote. What comes
out is within the bounds of the contract (contracts.numbers), or FrameError.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation
from functools import lru_cache
from typing import Final

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.normalize.numbers import unsigned

_EXACT: Final = Context(prec=100)
_TWELVE_DECIMALS: Final = Decimal("1e-12")


def sizes(instrument: Instrument, size: str, price: str | None) -> tuple[str | None, str | None]:
    """Give (amount in the base coin, contracts): spot counts coins; the amount is null where the worth is unknown."""
    if not instrument.sized_in_contracts:
        return size, None
    return amount(instrument, size, price), size


def amount(instrument: Instrument, size: str, price: str | None) -> str | None:
    """Give the amount of a size in the base coin; null where a contract's worth (inverse: or the price) is unknown."""
    if not instrument.sized_in_contracts:
        return size
    unit = instrument.contract_size
    if unit is None:
        return None
    if not instrument.is_inverse:
        return _linear(size, unit)
    return None if price is None else _inverse(size, unit, price)


def book(
    instrument: Instrument, bids: list[tuple[str, str]], asks: list[tuple[str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], str]:
    """Convert both sides of a book to the base coin; gives them and their unit (contracts where that is not known)."""
    unit = instrument.contract_size
    if not instrument.sized_in_contracts:
        return bids, asks, "base"
    if unit is None:
        return bids, asks, "contracts"
    if instrument.is_inverse:
        return (
            [(px, _inverse(sz, unit, px)) for px, sz in bids],
            [(px, _inverse(sz, unit, px)) for px, sz in asks],
            "base",
        )
    return [(px, _linear(sz, unit)) for px, sz in bids], [(px, _linear(sz, unit)) for px, sz in asks], "base"


@lru_cache(maxsize=16384)
def _linear(size: str, unit: str) -> str:
    try:
        exact = _EXACT.multiply(Decimal(size), Decimal(unit))
    except InvalidOperation as error:
        raise FrameError(f"{size[:40]!r} contracts are no number", field="size") from error
    return unsigned(plain(exact), "amount")


@lru_cache(maxsize=16384)
def _inverse(size: str, unit: str, price: str) -> str:
    """Divide worth by price: not exact, rounded half even to 12 decimals."""
    try:
        worth = _EXACT.multiply(Decimal(size), Decimal(unit))
        exact = _EXACT.divide(worth, Decimal(price)) if worth else worth
        rounded = exact.quantize(_TWELVE_DECIMALS, ROUND_HALF_EVEN, _EXACT)
    except (InvalidOperation, DivisionByZero) as error:
        raise FrameError(f"{size[:40]!r} contracts at {price[:40]!r} have no amount", field="size or price") from error
    return unsigned(plain(rounded), "amount")


def contract_size(value: str, multiplier: str) -> str:
    """Return what one contract is worth: value x multiplier, exactly; raises FrameError where either is no number."""
    try:
        exact = _EXACT.multiply(Decimal(value), Decimal(multiplier or "1"))
    except InvalidOperation as error:
        raise FrameError(
            f"a contract's worth is no number: {value[:40]!r} x {multiplier[:40]!r}", field="contract size"
        ) from error
    return unsigned(plain(exact), "contract size")


def plain(value: Decimal) -> str:
    """Write a finite decimal without exponent and trailing zeros; zero is "0"."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
