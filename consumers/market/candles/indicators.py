"""Indicators of a series of closing prices, in decimals; null until enough prices came before. Pure.

A series has one value for each price. EMA begins with the plain mean of its first prices; RSI is Wilder's, smoothed,
and 50 where nothing moved; Bollinger's bands lie two population deviations about the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import FINE

RSI_LENGTH: Final = 14
EMA_LENGTH: Final = 20
MACD_FAST: Final = 12
MACD_SLOW: Final = 26
MACD_SIGNAL: Final = 9
BAND_LENGTH: Final = 20
BAND_WIDTH: Final = Decimal(2)
NAMES: Final = ("rsi", "macd", "ema", "bollinger")
Series = list[Decimal | None]
_HUNDRED: Final = Decimal(100)
_FLAT: Final = Decimal(50)
_ZERO: Final = Decimal(0)


def list_rsi(prices: Sequence[Decimal], length: int = RSI_LENGTH) -> Series:
    """Relative strength from 0 to 100: https://en.wikipedia.org/wiki/Relative_strength_index."""
    series: Series = [None] * len(prices)
    if len(prices) <= length:
        return series
    gain = loss = _ZERO
    for index in range(1, len(prices)):
        change = FINE.subtract(prices[index], prices[index - 1])
        up, down = max(change, _ZERO), max(-change, _ZERO)
        if index <= length:
            gain, loss = FINE.add(gain, up), FINE.add(loss, down)
            if index == length:
                gain, loss = FINE.divide(gain, Decimal(length)), FINE.divide(loss, Decimal(length))
        else:
            gain, loss = _smooth(gain, up, length), _smooth(loss, down, length)
        if index >= length:
            both = FINE.add(gain, loss)
            series[index] = _FLAT if both == 0 else FINE.divide(FINE.multiply(_HUNDRED, gain), both)
    return series


def list_ema(prices: Sequence[Decimal], length: int = EMA_LENGTH) -> Series:
    """Exponential mean with weight 2 / (length + 1)."""
    series: Series = [None] * len(prices)
    if len(prices) < length:
        return series
    mean = FINE.divide(_sum(prices[:length]), Decimal(length))
    series[length - 1] = mean
    weight = FINE.divide(Decimal(2), Decimal(length + 1))
    for index in range(length, len(prices)):
        mean = FINE.fma(FINE.subtract(prices[index], mean), weight, mean)
        series[index] = mean
    return series


def list_macd(prices: Sequence[Decimal]) -> dict[str, Series]:
    """The fast mean less the slow one, its own mean as signal, and the distance of both."""
    fast, slow = list_ema(prices, MACD_FAST), list_ema(prices, MACD_SLOW)
    line: Series = [None if a is None or b is None else FINE.subtract(a, b) for a, b in zip(fast, slow, strict=True)]
    known = [value for value in line if value is not None]
    signal: Series = [*([None] * (len(line) - len(known))), *list_ema(known, MACD_SIGNAL)]
    histogram: Series = [
        None if a is None or b is None else FINE.subtract(a, b) for a, b in zip(line, signal, strict=True)
    ]
    return {"macd": line, "signal": signal, "histogram": histogram}


def list_bands(prices: Sequence[Decimal], length: int = BAND_LENGTH) -> dict[str, Series]:
    """Bollinger's bands: the mean, and the mean with two deviations more and less."""
    middle: Series = [None] * len(prices)
    upper: Series = [None] * len(prices)
    lower: Series = [None] * len(prices)
    count = Decimal(length)
    for index in range(length - 1, len(prices)):
        window = prices[index - length + 1 : index + 1]
        mean = FINE.divide(_sum(window), count)
        squares = _ZERO
        for price in window:
            distance = FINE.subtract(price, mean)
            squares = FINE.fma(distance, distance, squares)
        reach = FINE.multiply(BAND_WIDTH, FINE.sqrt(FINE.divide(squares, count)))
        middle[index], upper[index], lower[index] = mean, FINE.add(mean, reach), FINE.subtract(mean, reach)
    return {"middle": middle, "upper": upper, "lower": lower}


def rounded(value: Decimal, places: Decimal) -> Decimal:
    """The value as it is shown."""
    return value.quantize(places, context=FINE)


def _smooth(mean: Decimal, value: Decimal, length: int) -> Decimal:
    return FINE.divide(FINE.fma(mean, Decimal(length - 1), value), Decimal(length))


def _sum(prices: Sequence[Decimal]) -> Decimal:
    total = _ZERO
    for price in prices:
        total = FINE.add(total, price)
    return total
