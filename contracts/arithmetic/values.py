"""A column of exact values, most of them in nine bytes: a number and the power of ten it is multiplied by. Pure."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT

_NONE: Final = -128  # in place of an exponent: there is no value
_WIDE: Final = 127  # in place of one: the number is that of a value that is kept as it is
_LEAST: Final = -127
_MOST: Final = 126
_NUMBERS: Final = 2**63
_WIDE_BYTES: Final = 150  # of one with its key


class Values:
    """Values by row, each of them a Decimal with its exponent as it was given, or None."""

    __slots__ = ("_exponents", "_next", "_numbers", "_wide")

    def __init__(self) -> None:
        self._numbers = array("q")
        self._exponents = array("b")
        self._wide: dict[int, Decimal] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def size(self) -> int:
        """Return the bytes that it takes, its columns with it."""
        columns = sum(map(sys.getsizeof, (self._numbers, self._exponents, self._wide)))
        return object.__sizeof__(self) + columns + _WIDE_BYTES * len(self._wide)

    def insert(self, at: int, value: Decimal | None) -> None:
        """Put a value before a row."""
        number, exponent = self._pack(value)
        self._numbers.insert(at, number)
        self._exponents.insert(at, exponent)

    def __getitem__(self, at: int) -> Decimal | None:
        return self._unpack(self._numbers[at], self._exponents[at])

    def slice(self, start: int, end: int) -> Iterator[Decimal | None]:
        """Give the values of the rows from `start` up to `end`."""
        return map(self._unpack, self._numbers[start:end], self._exponents[start:end])

    def drop(self, count: int) -> None:
        """Drop the first rows."""
        for number, exponent in zip(self._numbers[:count], self._exponents[:count], strict=True):
            if exponent == _WIDE:
                del self._wide[number]
        del self._numbers[:count], self._exponents[:count]

    def _pack(self, value: Decimal | None) -> tuple[int, int]:
        if value is None:
            return 0, _NONE
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and _LEAST <= exponent <= _MOST:
            number = int(EXACT.scaleb(value, -exponent))
            if -_NUMBERS <= number < _NUMBERS:
                return number, exponent
        self._next += 1
        self._wide[self._next] = value
        return self._next, _WIDE

    def _unpack(self, number: int, exponent: int) -> Decimal | None:
        if exponent == _NONE:
            return None
        return self._wide[number] if exponent == _WIDE else EXACT.scaleb(Decimal(number), exponent)
