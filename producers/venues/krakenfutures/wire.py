"""Kraken Futures' frames as typed structs, one a feed. Numbers are JSON numbers whose text is kept; times are ms.

Pages: https://docs.kraken.com/exchange/api-reference/futures-websocket/book and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from producers.normalize.numbers import NULL, ZERO, Milliseconds, Row, Whole, text_levels

MS: Final = 1_000_000  # nanoseconds
Side = Literal["buy", "sell"]


class Head(Struct):
    """What distinguishes frames: a push has a `feed` and no `event`, an answer both.

    `{"event":"subscribed","feed":"trade","product_ids":["PF_XBTUSD"]}`, `{"event":"info","version":1}`,
    `{"event":"alert","message":"Already subscribed to feed, re-requesting"}`.
    """

    event: str | None = None
    feed: str | None = None
    product_ids: list[str] | None = None
    message: str | None = None
    data: Raw = NULL


class Trade(Struct, gc=False):
    """`{"feed":"trade","product_id":"PF_XBTUSD","uid":"05af…","side":"sell","type":"fill","seq":653355,"time":
    1763700000519,"qty":0.015,"price":91000.5}`: the taker's side; early ones have no `uid`.
    """  # noqa: D205

    product_id: str
    side: Side
    time: Milliseconds
    qty: Raw
    price: Raw
    uid: str | None = None
    seq: Whole | None = None
    type: str = "fill"


class TradeSnapshot(Struct):
    """Feed `trade_snapshot`: the last trades, newest first."""

    trades: list[Trade]


class Level(Struct, gc=False):
    """`{"price":90999.5,"qty":0.6}`."""

    price: Raw
    qty: Raw


class BookSnapshot(Struct):
    """`{"feed":"book_snapshot","product_id":"PF_XBTUSD","timestamp":1763700000000,"seq":12,"bids":[…],"asks":[…]}`."""

    product_id: str
    timestamp: Milliseconds
    seq: Whole
    bids: list[Level]
    asks: list[Level]


class BookChange(Struct, gc=False):
    """`{"feed":"book","product_id":"PF_XBTUSD","side":"sell","seq":13,"price":91010,"qty":0,"timestamp":1763700000100}`.

    One level: `buy` is a bid; the amount is absolute.
    """

    product_id: str
    side: Side
    seq: Whole
    price: Raw
    qty: Raw
    timestamp: Milliseconds


class Ticker(Struct):
    """Feeds `ticker` and `ticker_lite`, which has neither sizes nor a time nor the last price.

    `{"feed":"ticker","product_id":"PF_XBTUSD","time":1763700000000,"bid":90999.5,"ask":91000.0,"bid_size":0.6,"ask_size":
    0.2,"last":91000.0,"volume":42.5,"volumeQuote":3867500.0,"change":1.1,"open":90000.0,"high":91500.0,"low":89000.0,
    "index":90990.1,"markPrice":90995.2,"openInterest":1200.5,"relative_funding_rate":1.2e-5,"next_funding_rate_time":
    1763701200000,…}`; `funding_rate` is in coins or USD a contract and hour, `relative_funding_rate` a fraction.
    """

    product_id: str
    time: Milliseconds | None = None
    bid: Raw = NULL
    ask: Raw = NULL
    bid_size: Raw = NULL
    ask_size: Raw = NULL
    last: Raw = NULL
    volume: Raw = NULL
    volumeQuote: Raw = NULL
    change: Raw = NULL
    open: Raw = NULL
    high: Raw = NULL
    low: Raw = NULL
    index: Raw = NULL
    markPrice: Raw = NULL
    openInterest: Raw = NULL
    relative_funding_rate: Raw = NULL
    next_funding_rate_time: Milliseconds | None = None


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_trade: Final = msgspec.json.Decoder(Trade).decode
decode_trade_snapshot: Final = msgspec.json.Decoder(TradeSnapshot).decode
decode_book_snapshot: Final = msgspec.json.Decoder(BookSnapshot).decode
decode_book_change: Final = msgspec.json.Decoder(BookChange).decode
decode_ticker: Final = msgspec.json.Decoder(Ticker).decode


def read_levels(rows: Iterable[tuple[Raw, Raw]], field: str) -> list[Row]:
    """Read levels as (price, size), as `numbers.text_levels` does; a negative size, which is rarely sent, is "0"."""
    texts = ((str(price, "ascii", "replace"), str(qty, "ascii", "replace")) for price, qty in rows)
    return text_levels([(price, ZERO if qty.startswith("-") else qty) for price, qty in texts], field)


def time(ms: int | None, field: str) -> int:
    """Read a time in ms as ns; raises FrameError naming the field."""
    if ms is None or ms < 0:
        raise FrameError(f"{field} is no time in ms: {ms!r}", field=field)
    return ms * MS
