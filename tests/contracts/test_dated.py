"""Decimals in order of their times: found by time, the oldest forgotten, in little memory."""

from __future__ import annotations

import sys

from contracts.arithmetic.dated import DatedDecimals


def of(*times: int) -> DatedDecimals:
    held = DatedDecimals()
    for ts in times:
        held.append(ts, f"{ts}.50")
    return held


def test_the_newest_that_is_not_newer_is_found() -> None:
    held = of(10, 20, 30)
    found = [held.find(ts) for ts in (9, 10, 19, 20, 99)]
    assert found == [None, (10, "10.50"), (10, "10.50"), (20, "20.50"), (30, "30.50")]
    assert (held.newest(), len(held)) == (30, 3)
    assert (of().newest(), of().find(1), len(of())) == (None, None, 0)


def test_the_oldest_are_forgotten() -> None:
    held = of(10, 20, 30)
    held.drop(-1)
    held.drop(0)
    assert (list(held.times), held.texts) == ([10, 20, 30], ["10.50", "20.50", "30.50"])
    held.drop(2)
    assert (list(held.times), held.texts) == ([30], ["30.50"])
    held.drop(1)
    assert (held.newest(), held.find(99)) == (None, None)


def test_one_takes_some_seventy_bytes() -> None:
    held = of(*range(10**18, 10**18 + 1000))
    texts = sum(map(sys.getsizeof, held.texts))
    assert sys.getsizeof(held.times) + sys.getsizeof(held.texts) + texts < 95 * 1000, "pairs take 160 and more"
