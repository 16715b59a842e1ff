"""Kraken's WebSocket v2 frames as typed structs, one a channel, and its numbers: JSON numbers whose text is kept.

Pages: https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/book and its neighbours. Trailing zeros of a
price or an amount are part of the book's checksum, so that numbers are never read as floats.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from producers.normalize.numbers import NULL, Row, Whole, levels

NS: Final = 1_000_000_000
Kind = Literal["snapshot", "update"]
Side = Literal["buy", "sell"]

_SECOND: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})")
_DECIMALS: Final = 9
_is_fraction: Final = re.compile("[0-9]{1,9}").fullmatch


class Result(Struct):
    """What an answer confirms: `{"channel":"book","symbol":"BTC/USD","depth":100,"snapshot":true}`."""

    channel: str | None = None
    symbol: str | None = None


class Head(Struct):
    """What distinguishes frames: a push has a `channel`, an answer a `method`.

    `{"error":"Currency pair not supported FOO/USD","method":"subscribe","req_id":30000,"success":false,"symbol":
    "FOO/USD","time_in":"…","time_out":"…"}`; a rate that is too high is answered by `{"Error":"Exceeded msg rate"}`.
    """

    channel: str | None = None
    event: str | None = None  # of v1
    method: str | None = None
    success: bool | None = None
    error: str | None = None
    result: Result | None = None
    symbol: str | None = None
    req_id: int | None = None
    alarm: str | None = msgspec.field(name="Error", default=None)
    data: Raw = NULL


class Trade(Struct, gc=False):
    """`{"symbol":"BTC/USD","side":"buy","price":91000.1,"qty":0.00027,"ord_type":"limit","trade_id":10,"timestamp":"…"}`."""

    symbol: str
    side: Side
    price: Raw
    qty: Raw
    trade_id: Whole
    timestamp: str


class Trades(Struct):
    """Channel `trade`; a snapshot repeats the last trades."""

    type: Kind
    data: list[Trade]


class Level(Struct, gc=False):
    """`{"price":90999.9,"qty":1.25}`."""

    price: Raw
    qty: Raw


class Book(Struct):
    """`{"symbol":"BTC/USD","bids":[…],"asks":[…],"checksum":2439117997,"timestamp":"…"}`; once without a time."""

    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: Whole | None = None
    timestamp: str | None = None


class Books(Struct):
    """Channel `book`."""

    type: Kind
    data: list[Book]


class Ticker(Struct):
    """`{"symbol":"BTC/USD","bid":90999.9,"bid_qty":1.2,"ask":91000.0,"ask_qty":0.8,"last":91000.0,"volume":42.5,"vwap":
    90500.1,"low":89000.0,"high":91500.0,"change":1000.0,"change_pct":1.11,"timestamp":"…"}`; older ones have no time.
    """  # noqa: D205

    symbol: str
    bid: Raw = NULL
    bid_qty: Raw = NULL
    ask: Raw = NULL
    ask_qty: Raw = NULL
    last: Raw = NULL
    volume: Raw = NULL
    low: Raw = NULL
    high: Raw = NULL
    change_pct: Raw = NULL
    timestamp: str | None = None


class Tickers(Struct):
    """Channel `ticker`: the whole ticker in each push."""

    type: Kind
    data: list[Ticker]


class Candle(Struct):
    """`{"symbol":"BTC/USD","open":1.1,"high":1.1,"low":1.1,"close":1.1,"vwap":1.1,"trades":12,"volume":3.5,
    "interval_begin":"2026-11-21T20:00:00.000000000Z","interval":1}`: the interval in minutes.
    """  # noqa: D205

    symbol: str
    interval: int
    interval_begin: str
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    volume: Raw
    trades: Whole


class Candles(Struct):
    """Channel `ohlc`."""

    type: Kind
    data: list[Candle]


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_trades: Final = msgspec.json.Decoder(Trades).decode
decode_books: Final = msgspec.json.Decoder(Books).decode
decode_tickers: Final = msgspec.json.Decoder(Tickers).decode
decode_candles: Final = msgspec.json.Decoder(Candles).decode


def read_levels(rows: list[Level], field: str) -> list[Row]:
    """Read one side of a book as (price, amount), as `numbers.text_levels` does."""
    return levels([(row.price, row.qty) for row in rows], field)


def time(text: str, field: str) -> int:
    """Read `2026-11-21T20:00:00.122581Z` (RFC 3339, up to nine decimals) as ns UTC; FrameError names the field."""
    second, rest = text[:19], text[19:]
    fraction = rest[1:-1]
    is_whole = rest == "Z"
    has_fraction = rest[:1] == "." and rest[-1:] == "Z" and _is_fraction(fraction) is not None
    if not (is_whole or has_fraction):
        raise FrameError(f"{field} is no RFC 3339 time in UTC: {text!r}", field=field)
    return _second(second, field) + (0 if is_whole else int(fraction.ljust(_DECIMALS, "0")))


def optional_time(text: str | None, field: str) -> int | None:
    """Read a time; absent, and the epoch that stands for none, are null."""
    return (time(text, field) or None) if text else None


@lru_cache(maxsize=512)
def _second(text: str, field: str) -> int:
    found = _SECOND.fullmatch(text)
    if found is None:
        raise FrameError(f"{field} is no RFC 3339 time: {text!r}", field=field)
    year, month, day, hour, minute, second = map(int, found.groups())
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * NS
