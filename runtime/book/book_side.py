"""One side of an order book, and what is published of two: pure Python; fallback and oracle of the compiled one.

Both take levels as an iterable of (price, amount) texts, or as the JSON text of it: `[["91000.10","1.5"],…]`. Prices
and amounts are the contract's numbers, held to its patterns before they come here; an amount of zero is written "0".
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

import msgspec

from contracts.numbers import MOST_FRACTION_DIGITS, MOST_WHOLE_DIGITS

Level = tuple[str, str]
RawLevels = bytes | str | msgspec.Raw
ZERO: Final = "0"
_DIGITS: Final = rf"(?:0|[1-9][0-9]{{0,{MOST_WHOLE_DIGITS - 1}}}+)(?:\.[0-9]{{1,{MOST_FRACTION_DIGITS}}}+)?+"
_LEVEL: Final = rf'\["(?!0(?:\.0*+)?+"){_DIGITS}","(?:0|(?!0(?:\.0*+)?+"){_DIGITS})"\]'
_are_levels: Final = re.compile(rf"\[(?:{_LEVEL}(?:,{_LEVEL})*+)?+\]".encode()).fullmatch
_RAW: Final = (bytes, str, msgspec.Raw)
_decode: Final = msgspec.json.Decoder(list[Level]).decode


def read_levels(levels: RawLevels) -> list[Level]:
    """Return the levels of a JSON text; raises msgspec's errors where it is none."""
    return _decode(levels)


def are_levels(levels: bytes | msgspec.Raw) -> bool:
    """Return whether the JSON text of levels can be published as it is: prices above zero, amounts above it or "0"."""
    return _are_levels(levels) is not None


class BookSide:
    """One side of a book: price level by float key (asks negated, so that the best key is always the last).

    The best is last because that is where a market moves: a level that comes or goes there shifts few others. Two
    spellings of one price are one level. Every amount lies under its price's text, so that a level that is held and
    gets another amount, the most frequent change, needs no number to be read.
    """

    __slots__ = ("_amounts", "_keys", "_prices", "_sign")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[float] = []
        self._prices: dict[float, str] = {}
        self._amounts: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def replace(self, levels: Iterable[Level] | RawLevels, depth: int | None = None) -> None:
        """Forget everything and hold these levels, the best `depth` of them; zero amounts are left out."""
        sign = self._sign
        pairs = read_levels(levels) if isinstance(levels, _RAW) else levels
        held = {  # but for NaN, which is no price: nothing is worse or better than it
            key: (price, amount) for price, amount in pairs if amount != ZERO and (key := sign * float(price)) == key
        }
        keys = sorted(held)
        if depth is not None and len(keys) > depth:
            del keys[: len(keys) - depth]
        self._keys = keys
        self._prices = {key: held[key][0] for key in keys}
        self._amounts = dict([held[key] for key in keys])

    def apply(self, levels: Iterable[Level] | RawLevels, edge: float | None = None, depth: int | None = None) -> None:
        """Set each level to its absolute amount, one after the other; "0" removes it, also where it is not held.

        Prices worse than `edge` are left alone: none of them is held. With `depth` the worst level is dropped as soon
        as there are more: a level that falls out and is named again later has only the amount of then.
        """
        amounts, prices, keys, sign = self._amounts, self._prices, self._keys, self._sign
        limit = -inf if edge is None else sign * edge
        for price, amount in read_levels(levels) if isinstance(levels, _RAW) else levels:
            if amount == ZERO:
                key = sign * float(price)
                if key in prices:
                    del amounts[prices.pop(key)], keys[bisect_left(keys, key)]
            elif price in amounts:
                amounts[price] = amount
            else:
                key = sign * float(price)
                if key in prices:  # in another spelling
                    del amounts[prices[key]]
                    prices[key] = price
                    amounts[price] = amount
                elif key >= limit:
                    insort(keys, key)
                    prices[key] = price
                    amounts[price] = amount
                    if depth is not None and len(keys) > depth:
                        del amounts[prices.pop(keys[0])], keys[0]

    def best(self) -> float | None:
        """Return the best price, None where the side is empty. For comparing only: texts are in `top`."""
        return abs(self._keys[-1]) if self._keys else None

    def worst(self) -> float | None:
        """Return the worst price held. For comparing only."""
        return abs(self._keys[0]) if self._keys else None

    def top(self, depth: int | None = None) -> list[Level]:
        """Return the best levels first, with the venue's own texts."""
        prices, amounts = self.columns(depth)
        return list(zip(prices, amounts, strict=True))

    def columns(self, depth: int | None) -> tuple[list[str], list[str]]:
        """Return the prices and the amounts of the best levels, the best first."""
        keys = self._keys[::-1] if depth is None else self._keys[: -depth - 1 : -1]
        prices = list(map(self._prices.__getitem__, keys))
        return prices, list(map(self._amounts.__getitem__, prices))


def snapshot(bids: BookSide, asks: BookSide, depth: int | None) -> tuple[str, str, int]:
    """Return the best `depth` levels of both sides as JSON texts, as the codec writes them, and their `checksum`."""
    texts: list[str] = []
    summed: list[str] = []
    for side in (bids, asks):
        prices, amounts = side.columns(depth)
        inner = "".join(_join(prices, amounts, '","', '"],["')[:-1])
        texts.append(f'[["{inner}"]]' if prices else "[]")
        summed += _join(prices, amounts, ":", "|")
    return texts[0], texts[1], zlib.crc32("".join(summed[:-1]).encode())


def checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """CRC-32 of 'price:amount' of the levels, bids then asks, joined by '|': the proof that a snapshot carries."""
    return zlib.crc32("|".join(map(":".join, (*bids, *asks))).encode())


def _join(prices: list[str], amounts: list[str], within: str, between: str) -> list[str]:
    """Return the parts of a text of all levels; the last of them is a `between`."""
    parts = ["", within, "", between] * len(prices)
    parts[::4] = prices
    parts[2::4] = amounts
    return parts
