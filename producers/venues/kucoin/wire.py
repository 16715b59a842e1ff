"""KuCoin spot's pushes as typed structs: unknown fields are skipped, a missing one is an error that names it.

Pages: https://www.kucoin.com/docs-new/3470063w0 (ticker) to https://www.kucoin.com/docs-new/3470072w0 (trade). Amounts
are in the base coin. Times differ: text of nanoseconds in a match, numbers of ms elsewhere, ns in candles.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct, field

from producers.families.kucoin_wire import reader_of
from producers.normalize.numbers import NULL


class Match(Struct, gc=False):
    """`/market/match`: `{"symbol":"BTC-USDT","side":"buy","price":"91000","size":"0.01","time":"17637…","tradeId":…}`.

    `side` is the taker's.
    """

    side: Literal["buy", "sell"]
    price: str
    size: str
    tradeId: str
    time: int
    sequence: int | None = None


class Ticker(Struct, gc=False):
    """`/market/ticker`: `{"bestBid":"90999","bestBidSize":"1","price":"9","sequence":"15","time":1763700000123}`."""

    price: str | None = None
    bestBid: str | None = None
    bestBidSize: str | None = None
    bestAsk: str | None = None
    bestAskSize: str | None = None
    sequence: int | None = None
    time: int | None = None
    Time: int | None = None  # the page spells it both ways


class Level1(Struct, gc=False):
    """`/spotMarket/level1`: `{"asks":["91000.1","0.5"],"bids":["91000","1"],"timestamp":1763700000123}`."""

    asks: list[str] | None = None
    bids: list[str] | None = None
    timestamp: int | None = None


class Day(Struct, gc=False):
    """The inner `data` of `/market/snapshot`: JSON numbers, `changeRate` a fraction, `vol` base, `volValue` quote."""

    symbol: str
    datetime: int | None = None
    lastTradedPrice: Raw = NULL
    buy: Raw = NULL
    bidSize: Raw = NULL
    sell: Raw = NULL
    askSize: Raw = NULL
    open: Raw = NULL
    high: Raw = NULL
    low: Raw = NULL
    vol: Raw = NULL
    volValue: Raw = NULL
    changeRate: Raw = NULL


class DayAround(Struct, gc=False):
    """The outer `data` of `/market/snapshot`."""

    day: Day = field(name="data")


Row = tuple[str, str, int]


class Changes(Struct, gc=False):
    """Changed levels: `[price, size, sequence]`, absolute sizes; price 0 only moves the sequence on."""

    asks: list[Row] | None = None
    bids: list[Row] | None = None


class Level2(Struct, gc=False):
    """`/market/level2`: `{"changes":{…},"sequenceStart":15,"sequenceEnd":16,"time":1763700000456}`."""

    changes: Changes
    sequenceStart: int
    sequenceEnd: int
    time: int | None = None


class Depth(Struct, gc=False):
    """`/spotMarket/level2Depth5` and `50`: the whole top, `[price, size]`, without a sequence."""

    asks: list[tuple[str, str]] | None = None
    bids: list[tuple[str, str]] | None = None
    timestamp: int | None = None


class Candles(Struct, gc=False):
    """`/market/candles`: `[start in s, open, CLOSE, HIGH, LOW, base volume, quote volume]`, `time` in ns."""

    candles: tuple[int, str, str, str, str, str, str]
    time: int


class Book(Struct, gc=False):
    """The REST answer's `data`: `{"sequence":"15","time":1763700000456,"bids":[["90999.9","1"]],"asks":[…]}`."""

    sequence: int
    bids: list[tuple[str, str]] | None = None
    asks: list[tuple[str, str]] | None = None
    time: int | None = None


read_match: Final = reader_of(Match)
read_ticker: Final = reader_of(Ticker)
read_level1: Final = reader_of(Level1)
read_day: Final = reader_of(DayAround)
read_level2: Final = reader_of(Level2)
read_depth: Final = reader_of(Depth)
read_candles: Final = reader_of(Candles)
read_book: Final = reader_of(Book)
read_symbol: Final = msgspec.json.Decoder(DayAround).decode
