"""KuCoin futures' pushes as typed structs: unknown fields are skipped, a missing one is an error that names it.

Pages: https://www.kucoin.com/docs-new/3470080w0 (ticker V2) to https://www.kucoin.com/docs-new/3470089w0 (24 hours).
Sizes count contracts, as JSON integers. Times are ns in trades, tickers and the figures of 24 hours, ms elsewhere.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from producers.families.kucoin_wire import reader_of
from producers.normalize.numbers import NULL


class Match(Struct, gc=False):
    """`/contractMarket/execution`: `{"side":"buy","size":2,"price":"91000.1","tradeId":"15","ts":17637…}`.

    `side` is the taker's.
    """

    side: Literal["buy", "sell"]
    size: int
    price: str
    tradeId: str
    ts: int
    sequence: int | None = None


class Ticker(Struct, gc=False):
    """`/contractMarket/tickerV2`: the best levels; `/contractMarket/ticker` also has the last trade's `price`."""

    sequence: int | None = None
    ts: int | None = None
    bestBidPrice: str | None = None
    bestBidSize: int | None = None
    bestAskPrice: str | None = None
    bestAskSize: int | None = None
    price: str | None = None


class Level2(Struct, gc=False):
    """`/contractMarket/level2`: `{"sequence":18,"change":"91000.0,sell,83","timestamp":1763700000456}`, one level."""

    sequence: int
    change: str
    timestamp: int


Row = tuple[Raw, Raw]


class Depth(Struct, gc=False):
    """`/contractMarket/level2Depth5` and `50`: the whole top, `[price, size]`."""

    bids: list[Row] | None = None
    asks: list[Row] | None = None
    timestamp: int | None = None
    sequence: int | None = None


class Day(Struct, gc=False):
    """`/contractMarket/snapshot`: JSON numbers; `priceChgPct` a fraction, `turnover` in the quote, `ts` in ns."""

    ts: int | None = None
    lastPrice: Raw = NULL
    highPrice: Raw = NULL
    lowPrice: Raw = NULL
    price24HoursBefore: Raw = NULL
    priceChgPct: Raw = NULL
    volume: Raw = NULL
    turnover: Raw = NULL


class Figures(Struct, gc=False):
    """What `/contract/instrument` pushes: a mark and an index price, or a funding rate (`granularity` in ms)."""

    timestamp: int
    granularity: int | None = None
    markPrice: Raw = NULL
    indexPrice: Raw = NULL
    fundingRate: Raw = NULL


class InstrumentPush(Struct, gc=False):
    """A push of `/contract/instrument`: its subject says what is in it."""

    subject: str
    data: Figures


class Candles(Struct, gc=False):
    """`/contractMarket/limitCandle`: `[start in s, open, CLOSE, HIGH, LOW, turnover, contracts]`, `time` in ms."""

    candles: tuple[int, str, str, str, str, str, str]
    time: int


class Book(Struct, gc=False):
    """The REST answer's `data`: `{"sequence":15,"bids":[[90999.9,12]],"asks":[…],"ts":1763700000456000000}`."""

    sequence: int
    bids: list[Row] | None = None
    asks: list[Row] | None = None
    ts: int | None = None


read_match: Final = reader_of(Match)
read_ticker: Final = reader_of(Ticker)
read_level2: Final = reader_of(Level2)
read_depth: Final = reader_of(Depth)
read_day: Final = reader_of(Day)
read_instrument: Final = msgspec.json.Decoder(InstrumentPush, strict=False).decode
read_candles: Final = reader_of(Candles)
read_book: Final = reader_of(Book)
