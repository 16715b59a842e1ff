"""Decimals, each with its time, oldest first, in a tenth of the memory that pairs take: 17 bytes each. Pure."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from typing import cast

from contracts.arithmetic.values import Values


class DatedDecimals:
    """Decimals in order of their times (ns UTC, or whatever counts upwards), with their exponents as they are given."""

    __slots__ = ("_times", "_values")

    def __init__(self) -> None:
        self._times = array("q")
        self._values = Values()

    def __len__(self) -> int:
        return len(self._times)

    def size(self) -> int:
        """Return the bytes that it takes, its columns with it."""
        return object.__sizeof__(self) + sys.getsizeof(self._times) + self._values.size()

    def __iter__(self) -> Iterator[Decimal]:
        return cast("Iterator[Decimal]", self._values.slice(0, len(self._times)))  # none is None: see `append`

    def append(self, ts: int, value: Decimal) -> None:
        """Take one that is newer than all."""
        self._values.insert(len(self._times), value)
        self._times.append(ts)

    def newest(self) -> int | None:
        """Return the time of the newest; None where there is none."""
        return self._times[-1] if self._times else None

    def find(self, ts: int) -> tuple[int, Decimal] | None:
        """Return the newest that is not newer than `ts`, with its time; None where there is none."""
        place = bisect_right(self._times, ts)
        return (self._times[place - 1], cast("Decimal", self._values[place - 1])) if place else None

    def drop(self, count: int) -> None:
        """Forget so many of the oldest; none where that is not positive."""
        if count > 0:
            del self._times[:count]
            self._values.drop(count)

    def drop_before(self, ts: int) -> None:
        """Forget those that are older than `ts`."""
        self.drop(bisect_left(self._times, ts))
