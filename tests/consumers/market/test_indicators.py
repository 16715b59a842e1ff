"""Indicators agree with their definitions written down plainly, in fractions and floats, and are null before that."""

from __future__ import annotations

import math
import random
import statistics
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import get_args

import pytest

from consumers.market.candles.indicators import (
    Prices,
    compute,
    list_atr,
    list_bands,
    list_ema,
    list_macd,
    list_obv,
    list_rsi,
    list_sma,
    list_stochastic,
    list_vwap,
    rounded,
)
from contracts.services.market import Indicator
from contracts.services.replies.multi import Indicators

LENGTHS = (1, 3, 13, 14, 15, 16, 19, 20, 25, 26, 33, 34, 35, 120)
Exact = list[Fraction]
Known = list[Fraction | None]


class Given:
    """A walk of candles, exactly and as the indicators take it."""

    def __init__(self, count: int, seed: int = 7, scale: Fraction = Fraction(1, 100)) -> None:
        order = random.Random(seed)
        self.close: Exact = [Fraction(order.randint(5_000_000, 9_999_999)) * scale for _ in range(count)]
        self.high = [price + order.randint(0, 90_000) * scale for price in self.close]
        self.low = [price - order.randint(0, 90_000) * scale for price in self.close]
        self.volume: Exact = [Fraction(order.randint(0, 9_999), 100) for _ in range(count)]

    @property
    def prices(self) -> Prices:
        return Prices(*(list(map(float, values)) for values in (self.high, self.low, self.close, self.volume)))


def of(close: list[int]) -> Prices:
    values = list(map(float, close))
    return Prices(values, values, values, [1.0] * len(values))


def same(got: list[float | None], wanted: Known) -> bool:
    assert len(got) == len(wanted)
    assert [value is None for value in got] == [value is None for value in wanted]
    return all(
        math.isclose(a, float(b), rel_tol=1e-9, abs_tol=1e-7)
        for a, b in zip(got, wanted, strict=True)
        if a is not None and b is not None
    )


# ---- the definitions
def plain_sma(values: Exact, length: int) -> Known:
    return [
        None if index < length - 1 else sum(values[index - length + 1 : index + 1], Fraction(0)) / length
        for index in range(len(values))
    ]


def plain_ema(values: Exact, length: int) -> Known:
    """The mean of the first, then each new value with its weight."""
    found: Known = [None] * min(length - 1, len(values))
    if len(values) >= length:
        mean = sum(values[:length], Fraction(0)) / length
        found.append(mean)
        for value in values[length:]:
            mean += (value - mean) * Fraction(2, length + 1)
            found.append(mean)
    return found


def wilder(values: Exact, length: int) -> Exact:
    """The mean of the first, then (length - 1) parts of it and one of the new value."""
    means = [sum(values[:length], Fraction(0)) / length]
    for value in values[length:]:
        means.append((means[-1] * (length - 1) + value) / length)
    return means


def plain_rsi(values: Exact) -> Known:
    """100 - 100 / (1 + average gain / average loss), both smoothed as Wilder did."""
    changes = [later - earlier for earlier, later in pairwise(values)]
    if len(changes) < 14:
        return [None] * len(values)
    gains = wilder([max(change, Fraction(0)) for change in changes], 14)
    losses = wilder([max(-change, Fraction(0)) for change in changes], 14)
    ratios = [
        Fraction(100) if loss == 0 else 100 - 100 / (1 + gain / loss) for gain, loss in zip(gains, losses, strict=True)
    ]
    return [None] * 14 + ratios


def plain_atr(given: Given) -> Known:
    """The widest of: high to low, high to the last close, low to the last close; smoothed as Wilder did."""
    ranges = [given.high[0] - given.low[0]]
    for index in range(1, len(given.close)):
        high, low, before = given.high[index], given.low[index], given.close[index - 1]
        ranges.append(max(high - low, abs(high - before), abs(low - before)))
    return [None] * min(13, len(ranges)) + (wilder(ranges, 14) if len(ranges) >= 14 else [])


def plain_stochastic(given: Given) -> Known:
    found: Known = [None] * min(13, len(given.close))
    for index in range(13, len(given.close)):
        low, high = min(given.low[index - 13 : index + 1]), max(given.high[index - 13 : index + 1])
        found.append(100 * (given.close[index] - low) / (high - low))
    return found


# ---- held against them
@pytest.mark.parametrize("count", LENGTHS)
def test_means_and_strength(count: int) -> None:
    given = Given(count)
    assert same(list_sma(given.prices), plain_sma(given.close, 20))
    assert same(list_ema(given.prices), plain_ema(given.close, 20))
    assert same(list_rsi(given.prices), plain_rsi(given.close))


@pytest.mark.parametrize("count", LENGTHS)
def test_macd_is_the_difference_of_two_means_with_a_mean_of_its_own(count: int) -> None:
    given = Given(count)
    fast, slow = plain_ema(given.close, 12), plain_ema(given.close, 26)
    line = [None if b is None or a is None else a - b for a, b in zip(fast, slow, strict=True)]
    known = [value for value in line if value is not None]
    signal = [None] * (count - len(known)) + plain_ema(known, 9)
    got = list_macd(given.prices)
    assert same(got["macd"], line)
    assert same(got["signal"], signal)
    gaps = [None if a is None or b is None else a - b for a, b in zip(line, signal, strict=True)]
    assert same(got["histogram"], gaps)


@pytest.mark.parametrize("count", LENGTHS)
def test_bands_are_two_population_deviations_about_the_mean(count: int) -> None:
    given = Given(count)
    got = list_bands(given.prices)
    assert same(got["middle"], plain_sma(given.close, 20))
    for index, (middle, upper, lower) in enumerate(zip(got["middle"], got["upper"], got["lower"], strict=True)):
        if middle is not None and upper is not None and lower is not None:
            reach = 2 * statistics.pstdev(map(float, given.close[index - 19 : index + 1]))
            assert math.isclose(upper - middle, reach, rel_tol=1e-7)
            assert math.isclose(middle - lower, reach, rel_tol=1e-7)


@pytest.mark.parametrize("count", LENGTHS)
def test_range_and_place_in_the_range(count: int) -> None:
    given = Given(count)
    assert same(list_atr(given.prices), plain_atr(given))
    got, k = list_stochastic(given.prices), plain_stochastic(given)
    assert same(got["k"], k)
    known = [value for value in k if value is not None]
    assert same(got["d"], [None] * (count - len(known)) + plain_sma(known, 3))


@pytest.mark.parametrize("count", LENGTHS)
@pytest.mark.parametrize("last", [1, 10, 200])
def test_what_adds_up_begins_with_the_first_of_the_last_candles(count: int, last: int) -> None:
    given = Given(count)
    begin = max(0, count - last)
    typical = [sum(three, Fraction(0)) / 3 for three in zip(given.high, given.low, given.close, strict=True)]
    means: Known = []
    balance: Known = [given.volume[begin]]
    for index in range(begin, count):
        traded = sum(given.volume[begin : index + 1], Fraction(0))
        spent = sum((typical[at] * given.volume[at] for at in range(begin, index + 1)), Fraction(0))
        means.append(spent / traded if traded else None)
        if index > begin:
            change = given.close[index] - given.close[index - 1]
            sign = (change > 0) - (change < 0)
            balance.append((balance[-1] or 0) + sign * given.volume[index])
    assert same(list_vwap(given.prices, last), means)
    assert same(list_obv(given.prices, last), balance)


def test_small_prices_are_computed_as_well_as_large_ones() -> None:
    given = Given(120, scale=Fraction(1, 10**12))
    wanted = plain_ema(given.close, 20)[-1]
    got = list_ema(given.prices)[-1]
    assert wanted is not None
    assert got is not None
    assert math.isclose(got, float(wanted), rel_tol=1e-12)


def test_strength_at_its_ends_and_where_nothing_moves() -> None:
    assert list_rsi(of(list(range(1, 17))))[-1] == 100
    assert list_rsi(of(list(range(20, 4, -1))))[-1] == 0
    assert list_rsi(of([5] * 16))[-1] == 50
    assert list_rsi(of([5] * 20 + [6]))[-2:] == [50, 100]
    assert list_bands(of([5] * 20))["upper"][-1] == 5


@pytest.mark.parametrize("name", get_args(Indicator))
def test_every_indicator_of_the_contract_has_a_value_or_null_for_each_candle_shown(name: str) -> None:
    for count, last in ((40, 10), (5, 5), (3, 10), (40, 40), (0, 0)):
        found = compute(name, Given(count).prices, last)
        series = found.values() if isinstance(found, dict) else [found]
        assert {len(values) for values in series} == {min(count, last)}
        Indicators.model_validate({name: found})


def test_what_is_shown_is_rounded_once() -> None:
    assert rounded(1.23456, Decimal("0.0001")) == Decimal("1.2346")
    assert rounded(91000.1, Decimal("0.0001")) == Decimal("91000.1000")
