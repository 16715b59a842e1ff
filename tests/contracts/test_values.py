"""The column of values gives back what was put in: exactly, in order, after drops; and takes little room."""

from __future__ import annotations

import sys
import tracemalloc
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.arithmetic.values import Values

VALUES = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
EDGES = [
    Decimal(number).scaleb(exponent)
    for number in (0, 1, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**28 - 1)
    for exponent in (-128, -127, -126, -1, 0, 1, 126, 127)
]


def exactly(value: Decimal | None) -> tuple[object, ...] | None:
    """Return a value with its exponent; 0 has no sign."""
    return None if value is None else (value, value.as_tuple().exponent)


@given(st.lists(st.tuples(st.integers(0, 50), VALUES)), st.integers(0, 50))
def test_it_is_a_list_of_values(inserted: list[tuple[int, Decimal | None]], gone: int) -> None:
    column, expected = Values(), list[Decimal | None]()
    for place, value in inserted:
        at = min(place, len(expected))
        column.insert(at, value)
        expected.insert(at, value)
    column.drop(gone)
    del expected[:gone]
    assert len(column) == len(expected)
    assert [exactly(value) for value in column.slice(0, len(column))] == [exactly(value) for value in expected]
    assert [exactly(column[at]) for at in range(len(column))] == [exactly(value) for value in expected]
    assert list(column.slice(1, 3)) == expected[1:3]


def test_what_does_not_fit_is_kept_as_it_is() -> None:
    column = Values()
    for value in EDGES:
        column.insert(len(column), value)
    assert [exactly(value) for value in column.slice(0, len(EDGES))] == [exactly(value) for value in EDGES]
    column.drop(len(EDGES))
    column.insert(0, EDGES[0])
    assert exactly(column[0]) == exactly(EDGES[0])


def test_a_value_takes_nine_bytes_and_what_is_dropped_none() -> None:
    column = Values()
    tracemalloc.start()
    try:
        for number in range(20_000):
            column.insert(number, Decimal(number * 10**9 + 1).scaleb(-12))
        taken = tracemalloc.get_traced_memory()[0]
        column.drop(20_000)
        for number in range(100):
            column.insert(number, Decimal(10**40 + number))
        column.drop(100)
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 12 * 20_000
    assert left < 2 * sys.getsizeof(dict.fromkeys(range(100)))
