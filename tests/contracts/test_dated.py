"""Decimals in order of their times: found by time, the oldest forgotten, in little memory."""

from __future__ import annotations

import pickle
from decimal import Decimal

from contracts.arithmetic.dated import DatedDecimals


def of(*times: int) -> DatedDecimals:
    held = DatedDecimals()
    for ts in times:
        held.append(ts, Decimal(f"{ts}.50"))
    return held


def texts(held: DatedDecimals) -> list[str]:
    return [format(value, "f") for value in held]


def test_the_newest_that_is_not_newer_is_found_with_its_exponent() -> None:
    held = of(10, 20, 30)
    found = [held.find(ts) for ts in (9, 10, 19, 20, 99)]
    assert [one and (one[0], format(one[1], "f")) for one in found] == [
        None,
        (10, "10.50"),
        (10, "10.50"),
        (20, "20.50"),
        (30, "30.50"),
    ]
    assert (held.newest(), len(held)) == (30, 3)
    assert (of().newest(), of().find(1), len(of())) == (None, None, 0)


def test_the_oldest_are_forgotten() -> None:
    held = of(10, 20, 30)
    held.drop(-1)
    held.drop(0)
    assert texts(held) == ["10.50", "20.50", "30.50"]
    held.drop(2)
    assert (texts(held), held.find(29)) == (["30.50"], None)
    held.drop(1)
    assert (held.newest(), held.find(99)) == (None, None)


def test_what_is_older_than_a_time_is_forgotten() -> None:
    held = of(10, 20, 30)
    held.drop_before(10)
    assert len(held) == 3
    held.drop_before(20)
    assert (texts(held), held.find(19)) == (["20.50", "30.50"], None)
    held.drop_before(31)
    assert len(held) == 0


def test_one_takes_seventeen_bytes() -> None:
    held = of(*range(10**14, 10**14 + 1000))
    assert len(pickle.dumps(held)) < 20 * 1000, "a pair of a number and a text takes 160 and more"
