"""Indicators of a series of candles by talipp, which only this file knows; null until enough came before. Pure.

A series has one value for each candle. EMA begins with the plain mean of its first prices; RSI and ATR are Wilder's;
RSI is 50 where nothing moved yet; Bollinger's bands lie two population deviations about the mean. VWAP (of the typical
price) and OBV add up from the first of the last candles on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from talipp import indicators as ta
from talipp.ohlcv import OHLCV

from contracts.arithmetic.exact import FINE

RSI_LENGTH: Final = 14
ATR_LENGTH: Final = 14
MEAN_LENGTH: Final = 20
MACD_LENGTHS: Final = (12, 26, 9)
BAND_WIDTH: Final = 2.0
STOCHASTIC_LENGTHS: Final = (14, 3)
Series = list[float | None]
_FLAT: Final = 50.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What indicators are computed from: one number a candle, oldest first."""

    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    volume: Sequence[float]

    def bars(self, last: int | None = None) -> list[OHLCV]:
        """Return the last candles, or all of them, as talipp takes them."""
        rows = list(zip(self.high, self.low, self.close, self.volume, strict=True))
        first = 0 if last is None else max(0, len(rows) - last)
        return [OHLCV(close, high, low, close, volume) for high, low, close, volume in rows[first:]]


def list_rsi(prices: Prices, length: int = RSI_LENGTH) -> Series:
    """Relative strength from 0 to 100."""
    series = _plain(ta.RSI(length, list(prices.close)))
    moved = next((at for at, price in enumerate(prices.close) if price != prices.close[0]), len(series))
    return [_FLAT if value is not None and at < moved else value for at, value in enumerate(series)]


def list_sma(prices: Prices, length: int = MEAN_LENGTH) -> Series:
    """The plain mean of the last closing prices."""
    return _plain(ta.SMA(length, list(prices.close)))


def list_ema(prices: Prices, length: int = MEAN_LENGTH) -> Series:
    """Exponential mean with weight 2 / (length + 1)."""
    return _plain(ta.EMA(length, list(prices.close)))


def list_macd(prices: Prices) -> dict[str, Series]:
    """The fast mean less the slow one, its own mean as signal, and the distance of both."""
    return _members(ta.MACD(*MACD_LENGTHS, list(prices.close)), macd="macd", signal="signal", histogram="histogram")


def list_bands(prices: Prices, length: int = MEAN_LENGTH) -> dict[str, Series]:
    """Bollinger's bands: the mean, and the mean with two deviations more and less."""
    return _members(ta.BB(length, BAND_WIDTH, list(prices.close)), middle="cb", upper="ub", lower="lb")


def list_atr(prices: Prices, length: int = ATR_LENGTH) -> Series:
    """Average true range."""
    return _plain(ta.ATR(length, prices.bars()))


def list_stochastic(prices: Prices) -> dict[str, Series]:
    """Where the close lies in the range of the last candles, 0 to 100, and the plain mean of that."""
    return _members(ta.Stoch(*STOCHASTIC_LENGTHS, prices.bars()), k="k", d="d")


def list_vwap(prices: Prices, last: int) -> Series:
    """The mean of the typical price weighted by volume, from the first of the last candles on."""
    return _plain(ta.VWAP(prices.bars(last)))


def list_obv(prices: Prices, last: int) -> Series:
    """Volume added where the close rose, taken off where it fell, from the first of the last candles on."""
    return _plain(ta.OBV(prices.bars(last)))


_OF_PRICES: Final[Mapping[str, Callable[[Prices], Series | dict[str, Series]]]] = {
    "rsi": list_rsi,
    "sma": list_sma,
    "ema": list_ema,
    "macd": list_macd,
    "bollinger": list_bands,
    "atr": list_atr,
    "stochastic": list_stochastic,
}
_ADDED_UP: Final[Mapping[str, Callable[[Prices, int], Series]]] = {"vwap": list_vwap, "obv": list_obv}


def compute(name: str, prices: Prices, last: int) -> Series | dict[str, Series]:
    """Return an indicator of the last candles."""
    if name in _ADDED_UP:
        return _ADDED_UP[name](prices, last)
    found = _OF_PRICES[name](prices)
    first = max(0, len(prices.close) - last)
    if isinstance(found, dict):
        return {member: series[first:] for member, series in found.items()}
    return found[first:]


def rounded(value: float, places: Decimal) -> Decimal:
    """Return a value as it is shown."""
    return Decimal(repr(value)).quantize(places, context=FINE)


def _plain(values: Any) -> Series:
    return [None if value is None else float(value) for value in values]


def _members(values: Any, **names: str) -> dict[str, Series]:
    rows = list(values)
    return {shown: _plain(None if row is None else getattr(row, name) for row in rows) for shown, name in names.items()}
