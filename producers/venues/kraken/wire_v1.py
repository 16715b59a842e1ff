"""Frames of Kraken's former WebSocket v1 as typed structs: numbers are text, times are seconds as text.

Channels: https://docs.kraken.com/exchange/api-reference/spot-websocket-v1
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from producers.normalize import numbers


class Answer(Struct):
    """`{"channelID":1,"channelName":"trade","event":"subscriptionStatus","pair":"XBT/USD","status":"subscribed"}`."""

    event: str | None = None
    channelName: str | None = None
    pair: str | None = None
    status: str | None = None
    errorMessage: str | None = None
    data: Raw = numbers.NULL


class Row(Struct, array_like=True):
    """A level: `["5541.30000","2.50700000","1534614248.123678","r"]`; "r" marks one that is repeated."""

    price: str
    volume: str
    time: str


class Trade(Struct, array_like=True):
    """`["5541.20000","0.15850568","1534614057.321597","s","l",""]`: the taker's side and kind of order."""

    price: str
    volume: str
    time: str
    side: str


class Book(Struct):
    """`as` and `bs` are a snapshot, `a` and `b` changes; `c` is the checksum after them, in the last payload."""

    whole_asks: list[Row] | None = msgspec.field(name="as", default=None)
    whole_bids: list[Row] | None = msgspec.field(name="bs", default=None)
    a: list[Row] = []
    b: list[Row] = []
    c: str | None = None


class Ticker(Struct):
    """Best levels `[price, whole lots, lots]`, last `[price, lots]`; figures are `[today, last 24 hours]`."""

    a: tuple[str, Any, str]
    b: tuple[str, Any, str]
    c: tuple[str, str]
    v: tuple[str, str]
    l: tuple[str, str]
    h: tuple[str, str]
    o: tuple[str, str]


class Candle(Struct, array_like=True):
    """`[time, end, open, high, low, close, vwap, volume, count]`."""

    time: str
    end: str
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: numbers.Whole


decode_parts: Final = msgspec.json.Decoder(list[Raw]).decode
decode_text: Final = msgspec.json.Decoder(str).decode
decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_trades: Final = msgspec.json.Decoder(list[Trade]).decode
decode_book: Final = msgspec.json.Decoder(Book).decode
decode_ticker: Final = msgspec.json.Decoder(Ticker).decode
decode_spread: Final = msgspec.json.Decoder(tuple[str, str, str, str, str]).decode
decode_candle: Final = msgspec.json.Decoder(Candle).decode
