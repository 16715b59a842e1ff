"""The sums of one window of a base's liquidations: by price, quote and side, and by instrument. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT

SIDES: Final[tuple[str | None, ...]] = ("long", "short", None)
FLAG_BITS: Final = 4  # side (2), of a sample, simulated
ORIGIN_BITS: Final = 14
KEY_SHIFT: Final = FLAG_BITS + ORIGIN_BITS  # above it a key has the price
ORIGIN_MASK: Final = (1 << KEY_SHIFT) - 1
SIDE_BITS: Final = 2
QUOTE_BITS: Final = 14
POINT_SHIFT: Final = SIDE_BITS + QUOTE_BITS


class Sum:
    """What liquidations add up to: their value in the quote, how many they are, how many of them have no value."""

    __slots__ = ("count", "unvalued", "value")

    def __init__(self) -> None:
        self.value = Decimal(0)
        self.count = 0
        self.unvalued = 0

    def add(self, value: Decimal | None) -> None:
        """Add one."""
        self.count += 1
        if value is None:
            self.unvalued += 1
        else:
            self.value = EXACT.add(self.value, value)

    def subtract(self, value: Decimal | None) -> None:
        """Take one away."""
        self.count -= 1
        if value is None:
            self.unvalued -= 1
        else:
            self.value = EXACT.subtract(self.value, value)


class WindowSums:
    """The sums of every minute after `after`, as far as they are `filled`: rows of a later minute are yet to be added.

    `points` are by `cell << 16 | quote << 2 | side`, `origins` by `instrument << 4 | side << 2 | sampled << 1 | sim`.
    """

    __slots__ = ("after", "digits", "filled", "origins", "points", "used")

    def __init__(self, after: int, digits: int) -> None:
        self.after = after
        self.digits = digits  # of the prices
        self.filled: int | None = after  # minute; None once it is all of them
        self.used = 0  # minute of the last question
        self.points: dict[int, Sum] = {}
        self.origins: dict[int, Sum] = {}

    def covers(self, minute: int) -> bool:
        """Return whether the rows of a minute are in the sums."""
        return minute > self.after and (self.filled is None or minute <= self.filled)

    def add(self, point: int, origin: int, value: Decimal | None) -> None:
        """Add a row."""
        for sums, key in ((self.points, point), (self.origins, origin)):
            held = sums.get(key)
            if held is None:
                held = sums[key] = Sum()
            held.add(value)

    def subtract(self, point: int, origin: int, value: Decimal | None) -> None:
        """Take a row away."""
        for sums, key in ((self.points, point), (self.origins, origin)):
            held = sums[key]
            held.subtract(value)
            if not held.count:
                del sums[key]
