"""Liquidations of every base by minute, price and side, and their sums over the last minutes. Pure.

Each liquidation is one row of three columns: its minute, its key (price to five digits, instrument, side, whether it is
of a sample, whether it is simulated) and its exact value in the quote. What is asked for is summed once and then kept
up to date: a row is added when it comes and taken away when it leaves the window, so that an answer costs what is in
its sums and not what is in its window.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from consumers.market.liquidations.cells import DIGITS, cell_of, coarsen
from consumers.market.liquidations.sums import (
    FLAG_BITS,
    KEY_SHIFT,
    ORIGIN_BITS,
    ORIGIN_MASK,
    POINT_SHIFT,
    SIDE_BITS,
    SIDES,
    Sum,
    WindowSums,
)
from contracts.arithmetic.exact import FigureError, read_amount, value_of
from contracts.arithmetic.values import Values
from contracts.numbers import time_of
from runtime.seen.ids import SeenIds

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
MINUTE: Final = 60_000_000_000
DAY: Final = 1440  # minutes
LONGEST: Final = 30 * DAY
MOST_ROWS: Final = 500_000  # 25 bytes each
_UNUSED: Final = 10  # minutes after which sums that nobody asked for are dropped
_REMEMBERED: Final = 50_000
_ROWS_AT_ONCE: Final = 4000  # that are summed without letting others go on
_SIDE_CODES: Final = {side: code for code, side in enumerate(SIDES)}


@dataclass(frozen=True, slots=True)
class Window:
    """The last minutes, the present one among them, with prices to so many digits."""

    minutes: int
    digits: int = DIGITS


@dataclass(frozen=True, slots=True)
class Origin:
    """The instrument that a liquidation is of."""

    venue: str
    symbol: str

    @property
    def quote(self) -> str:
        """The coin that its price is in."""
        return self.symbol.partition("/")[2].partition(":")[0]


@dataclass(frozen=True, slots=True)
class Point:
    """What was liquidated at a price (a cell) in a quote, of one side."""

    cell: int
    quote: str
    side: str | None
    sum: Sum


@dataclass(frozen=True, slots=True)
class Share:
    """What was liquidated of an instrument, of one side."""

    origin: Origin
    side: str | None
    sampled: bool
    sim: bool
    sum: Sum


class BaseHistory:
    """The liquidations of one base, by minute."""

    def __init__(self) -> None:
        self._minutes = array("q")
        self._keys = array("q")
        self._values = Values()
        self._origins: list[Origin] = []
        self._numbers: dict[Origin, int] = {}
        self._quotes: list[str] = []
        self._quote_of: list[int] = []  # by the number of an instrument
        self._sums: dict[int, WindowSums] = {}  # by the length of the window

    def __len__(self) -> int:
        return len(self._minutes)

    def size(self) -> int:
        """Return the bytes of its columns."""
        return sys.getsizeof(self._minutes) + sys.getsizeof(self._keys) + self._values.size()

    @property
    def minutes(self) -> array[int]:
        """The minute of each row, the oldest first."""
        return self._minutes

    def add(self, minute: int, event: FastEvent, value: Decimal | None) -> None:
        """Add a liquidation."""
        key = self._key(event)
        at = bisect_right(self._minutes, minute)
        self._minutes.insert(at, minute)
        self._keys.insert(at, key)
        self._values.insert(at, value)
        for sums in self._sums.values():
            if sums.covers(minute):
                sums.add(self._point(key, sums.digits), key & ORIGIN_MASK, value)

    def fill(self, window: Window, now: int) -> bool:
        """Sum up a part of a window that ends in this minute (`now`); return whether all of it is."""
        sums, after = self._sums.get(window.minutes), now - window.minutes
        if sums is None or after < sums.after:
            sums = self._sums[window.minutes] = WindowSums(after, window.digits)
        self._move(sums, after)
        sums.used = now
        if sums.filled is not None:
            self._fill(sums, sums.filled)
        return sums.filled is None

    def list_points(self, window: Window) -> Iterator[Point]:
        """List what was liquidated by price, quote and side in a window that is filled."""
        for key, held in self._sums[window.minutes].points.items():
            quote = key >> SIDE_BITS & (1 << POINT_SHIFT - SIDE_BITS) - 1
            yield Point(key >> POINT_SHIFT, self._quotes[quote], SIDES[key & 3], held)

    def list_shares(self, window: Window) -> Iterator[Share]:
        """List what was liquidated by instrument and side in a window that is filled."""
        for key, held in self._sums[window.minutes].origins.items():
            flags = {"sampled": bool(key & 2), "sim": bool(key & 1)}
            yield Share(self._origins[key >> FLAG_BITS], SIDES[key >> 2 & 3], **flags, sum=held)

    def drop(self, after: int, now: int) -> int:
        """Drop the rows of this minute and before, and sums that nobody asked for lately; return how many rows."""
        for length, sums in list(self._sums.items()):
            if now - sums.used > _UNUSED:
                del self._sums[length]
        gone = bisect_right(self._minutes, after)
        if gone:
            for sums in self._sums.values():
                self._move(sums, max(sums.after, after))
            del self._minutes[:gone], self._keys[:gone]
            self._values.drop(gone)
        return gone

    def _fill(self, sums: WindowSums, filled: int) -> None:
        """Add the next rows: whole minutes."""
        start = bisect_right(self._minutes, filled)
        end = start + _ROWS_AT_ONCE
        if end < len(self._minutes):
            sums.filled = self._minutes[end]
            end = bisect_right(self._minutes, sums.filled)
        else:
            sums.filled = None
        for key, value in zip(self._keys[start:end], self._values.slice(start, end), strict=True):
            sums.add(self._point(key, sums.digits), key & ORIGIN_MASK, value)

    def _move(self, sums: WindowSums, after: int) -> None:
        """Take away what is not after a minute any more."""
        last = after if sums.filled is None else min(after, sums.filled)
        for at in range(bisect_right(self._minutes, sums.after), bisect_right(self._minutes, last)):
            key = self._keys[at]
            sums.subtract(self._point(key, sums.digits), key & ORIGIN_MASK, self._values[at])
        sums.after = after
        if sums.filled is not None:
            sums.filled = max(sums.filled, after)

    def _point(self, key: int, digits: int) -> int:
        cell = key >> KEY_SHIFT
        if digits != DIGITS:
            cell = coarsen(cell, digits)
        return cell << POINT_SHIFT | self._quote_of[(key & ORIGIN_MASK) >> FLAG_BITS] << SIDE_BITS | (key >> 2 & 3)

    def _key(self, event: FastEvent) -> int:
        cell = cell_of(Decimal(event.average_price or event.price))
        flags = _SIDE_CODES[event.position_side] << 2 | event.sampled << 1 | event.sim
        return cell << KEY_SHIFT | self._number(Origin(event.venue, event.symbol)) << FLAG_BITS | flags

    def _number(self, origin: Origin) -> int:
        number = self._numbers.get(origin)
        if number is None:
            number = len(self._origins)
            if number >> ORIGIN_BITS:
                raise FigureError(f"{origin.symbol} of {origin.venue} is one instrument too many of its base")
            self._numbers[origin] = number
            self._origins.append(origin)
            if origin.quote not in self._quotes:
                self._quotes.append(origin.quote)
            self._quote_of.append(self._quotes.index(origin.quote))
        return number


class LiquidationHistory:
    """Every base's liquidations; at most `most` rows, the oldest go first.

    `is_whole` is set by whoever reads the stream, once all of the past is in here.
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self.is_whole = False
        self.held_from: int | None = (
            None  # the first minute that is whole, where younger ones than 30 days were dropped
        )
        self._most = most
        self._rows = 0
        self._bases: dict[str, BaseHistory] = {}
        self._seen = SeenIds(_REMEMBERED)

    def __len__(self) -> int:
        return self._rows

    def sizes(self) -> dict[str, int]:
        """Return the bytes of what is kept, by kind."""
        rows = sum(history.size() for history in self._bases.values())
        return {"liquidations": rows, "liquidation_ids": self._seen.size()}

    def fold(self, _subject: str, event: FastEvent) -> None:
        """Take one liquidation; a repeated one, and one of a minute that is not whole here, changes nothing.

        FigureError, with everything as it was, for one that cannot be summed.
        """
        minute = time_of(event.ts_event, event.ts_recv) // MINUTE
        if event.id in self._seen or (self.held_from is not None and minute < self.held_from):
            return
        value = _value(event)
        base = event.symbol.partition("/")[0]
        history = self._bases.get(base) or BaseHistory()
        history.add(minute, event, value)
        self._bases[base] = history
        self._seen.add(event.id)
        self._rows += 1
        if self._rows > self._most:
            self._drop_oldest()

    def find(self, base: str) -> BaseHistory | None:
        """Return the liquidations of a base; None where there are none."""
        return self._bases.get(base)

    def look(self, now: int, stream_start: int | None = None) -> None:
        """Drop what is older than every window, and what the stream itself has dropped before a time (ns UTC)."""
        oldest = now // MINUTE - LONGEST
        if stream_start is not None:
            self._limit(-(-stream_start // MINUTE))  # the first whole minute
        if self.held_from is not None and self.held_from <= oldest:
            self.held_from = None
        self._drop(max(oldest, (self.held_from or 0) - 1), now // MINUTE)

    def _limit(self, minute: int) -> None:
        self.held_from = max(minute, self.held_from or 0)

    def _drop(self, after: int, now: int) -> None:
        for base, history in list(self._bases.items()):
            self._rows -= history.drop(after, now)
            if not len(history):
                del self._bases[base]

    def _drop_oldest(self) -> None:
        """Drop a tenth of all rows."""
        minutes = sorted(minute for history in self._bases.values() for minute in history.minutes)
        cut = minutes[len(minutes) // 10]
        self._limit(cut + 1)
        self._drop(cut, minutes[-1])


def _value(event: FastEvent) -> Decimal | None:
    if event.amount is None:
        return None
    return value_of(Decimal(event.average_price or event.price), read_amount(event.amount))
