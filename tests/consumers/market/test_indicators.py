"""Indicators agree with their formulas written down plainly, in fractions and floats, and are null before that."""

from __future__ import annotations

import math
import random
import statistics
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from consumers.market.candles.indicators import list_bands, list_ema, list_macd, list_rsi, rounded

LENGTHS = (0, 1, 13, 14, 15, 19, 20, 25, 26, 33, 34, 35, 120)


def prices(count: int, seed: int = 7) -> list[Decimal]:
    order = random.Random(seed)
    return [Decimal(order.randint(1, 9_999_999)) / 100 for _ in range(count)]


def plain_ema(values: list[Fraction], length: int) -> list[Fraction | None]:
    """Every value is recomputed from the start: mean of the first, then weighted."""

    def at(index: int) -> Fraction:
        mean = sum(values[:length], Fraction(0)) / length
        for value in values[length : index + 1]:
            mean = mean + (value - mean) * Fraction(2, length + 1)
        return mean

    return [at(index) if index >= length - 1 else None for index in range(len(values))]


def plain_rsi(values: list[Fraction]) -> list[Fraction | None]:
    """100 - 100 / (1 + average gain / average loss), both smoothed as Wilder did."""
    found: list[Fraction | None] = [None] * min(14, len(values))
    changes = [later - earlier for earlier, later in pairwise(values)]
    for index in range(14, len(values)):
        gain = sum((max(change, Fraction(0)) for change in changes[:14]), Fraction(0)) / 14
        loss = sum((max(-change, Fraction(0)) for change in changes[:14]), Fraction(0)) / 14
        for change in changes[14:index]:
            gain = (gain * 13 + max(change, Fraction(0))) / 14
            loss = (loss * 13 + max(-change, Fraction(0))) / 14
        found.append(Fraction(100) if loss == 0 else 100 - 100 / (1 + gain / loss))
    return found


def same(got: list[Decimal | None], wanted: list[Fraction | None]) -> bool:
    assert len(got) == len(wanted)
    return all(
        (a is None) == (b is None) and (a is None or b is None or abs(Fraction(a) - b) < Fraction(1, 10**30))
        for a, b in zip(got, wanted, strict=True)
    )


@pytest.mark.parametrize("count", LENGTHS)
def test_ema_and_rsi_are_those_of_exact_fractions(count: int) -> None:
    given = prices(count)
    exact = [Fraction(price) for price in given]
    assert same(list_ema(given), plain_ema(exact, 20))
    assert same(list_rsi(given), plain_rsi(exact))


@pytest.mark.parametrize("count", LENGTHS)
def test_macd_is_the_difference_of_two_means_with_a_mean_of_its_own(count: int) -> None:
    given = prices(count)
    exact = [Fraction(price) for price in given]
    fast, slow = plain_ema(exact, 12), plain_ema(exact, 26)
    line = [None if b is None or a is None else a - b for a, b in zip(fast, slow, strict=True)]
    told = [value for value in line if value is not None]
    signal = [None] * (count - len(told)) + plain_ema(told, 9)
    got = list_macd(given)
    assert same(got["macd"], line)
    assert same(got["signal"], signal)
    gaps = [None if a is None or b is None else a - b for a, b in zip(line, signal, strict=True)]
    assert same(got["histogram"], gaps)
    assert [index for index, value in enumerate(got["signal"]) if value is not None][:1] == [33][: count > 33]


@pytest.mark.parametrize("count", LENGTHS)
def test_bands_are_two_population_deviations_about_the_mean(count: int) -> None:
    given = prices(count)
    got = list_bands(given)
    for index in range(count):
        window = [float(price) for price in given[max(0, index - 19) : index + 1]]
        middle, upper, lower = (got[name][index] for name in ("middle", "upper", "lower"))
        if index < 19:
            assert (middle, upper, lower) == (None, None, None)
            continue
        assert middle is not None
        assert upper is not None
        assert lower is not None
        assert math.isclose(float(middle), statistics.fmean(window), rel_tol=1e-12)
        assert math.isclose(float(upper - middle), 2 * statistics.pstdev(window), rel_tol=1e-9)
        assert math.isclose(float(middle - lower), 2 * statistics.pstdev(window), rel_tol=1e-9)


def test_strength_at_its_ends_and_where_nothing_moves() -> None:
    rising, falling, flat = ([Decimal(price) for price in way] for way in (range(1, 17), range(20, 4, -1), [5] * 16))
    assert list_rsi(rising)[-1] == 100
    assert list_rsi(falling)[-1] == 0
    assert list_rsi(flat)[-1] == 50
    assert list_bands([Decimal(5)] * 20)["upper"][-1] == 5


def test_what_is_shown_is_rounded_once() -> None:
    assert rounded(Decimal("1.23455"), Decimal("0.0001")) == Decimal("1.2346")
