"""Bybit's frames as typed structs, one a topic (https://bybit-exchange.github.io/docs/v5/websocket/public)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from contracts.errors import FrameError
from producers.normalize.numbers import NULL

MS: Final = 1_000_000  # nanoseconds
Side = Literal["Buy", "Sell"]
Text = str | UnsetType | None


class Head(Struct, gc=False):
    """What distinguishes frames: data has a `topic`; answers have `op` and `success`, those of options a `type`.

    `{"success":true,"ret_msg":"","conn_id":"c1","req_id":"a1","op":"subscribe"}`
    """

    topic: str | None = None
    op: str | None = None
    type: str | None = None
    success: bool | None = None
    ret_msg: str | None = None
    req_id: str | None = None
    data: Raw = NULL


class Topics(Struct):
    """What an option socket answers: `{"failTopics":[],"successTopics":["orderbook.25.BTC-1DEC26-90000-C"]}`."""

    failTopics: list[str] = []
    successTopics: list[str] = []


class Trade(Struct, gc=False):
    """`{"T":1763700000100,"s":"BTCUSDT","S":"Buy","v":"0.01","p":"91000.5","i":"20f4","BT":false,"seq":17}`."""

    T: int
    S: Side
    v: str
    p: str
    i: str
    seq: int | None = None


class Trades(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/trade: `S` is the taker's side."""

    data: list[Trade]


class Levels(Struct, gc=False):
    """`{"s":"BTCUSDT","b":[["91000","0.5"]],"a":[["91001","0"]],"u":177,"seq":9000}`; "0" removes."""

    b: Raw
    a: Raw
    u: int
    seq: int | None = None


class Book(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook: `ts` is when the push was made, ms."""

    type: Literal["snapshot", "delta"]
    ts: int
    data: Levels


class Ticker(Struct, gc=False):
    """`{"symbol":"BTCUSDT","lastPrice":"91000","bid1Price":"90999.5"}`; a delta leaves out what did not change.

    What a product does not have (a dated future's funding, the ask of an empty side) is an empty text.
    """

    price24hPcnt: Text = UNSET
    lastPrice: Text = UNSET
    prevPrice24h: Text = UNSET
    highPrice24h: Text = UNSET
    lowPrice24h: Text = UNSET
    volume24h: Text = UNSET
    turnover24h: Text = UNSET
    bid1Price: Text = UNSET
    bid1Size: Text = UNSET
    ask1Price: Text = UNSET
    ask1Size: Text = UNSET
    markPrice: Text = UNSET
    indexPrice: Text = UNSET
    fundingRate: Text = UNSET
    nextFundingTime: Text = UNSET
    openInterest: Text = UNSET
    openInterestValue: Text = UNSET


class Tickers(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/ticker: `cs` is the cross sequence."""

    type: Literal["snapshot", "delta"]
    ts: int
    data: Ticker
    cs: int | None = None


class Liquidation(Struct, gc=False):
    """`{"T":1763700000000,"s":"BTCUSDT","S":"Buy","v":"0.5","p":"90800"}`: "Buy" is a long that was liquidated."""

    T: int
    S: Side
    v: str
    p: str


class Liquidations(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation: all of them, each 500 ms."""

    data: list[Liquidation]


class OldLiquidation(Struct, gc=False):
    """`{"updatedTime":1763700000000,"symbol":"BTCUSDT","side":"Buy","size":"0.5","price":"90800"}`."""

    updatedTime: int
    side: Side
    size: str
    price: str


class OldLiquidationPush(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/liquidation: until 2025, one a second and symbol."""

    data: OldLiquidation


class Candle(Struct, gc=False):
    """`{"start":1763700000000,"interval":"1","open":"1","close":"1","high":"1","low":"1","volume":"2",…}`."""

    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    turnover: str
    confirm: bool
    timestamp: int


class Candles(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/kline: `confirm` says that it is closed."""

    data: list[Candle]


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_topics: Final = msgspec.json.Decoder(Topics).decode
decode_trades: Final = msgspec.json.Decoder(Trades).decode
decode_book: Final = msgspec.json.Decoder(Book).decode
decode_tickers: Final = msgspec.json.Decoder(Tickers).decode
decode_liquidations: Final = msgspec.json.Decoder(Liquidations).decode
decode_old_liquidation: Final = msgspec.json.Decoder(OldLiquidationPush).decode
decode_candles: Final = msgspec.json.Decoder(Candles).decode


def read_time(text: str, field: str) -> int:
    """Return a time in ms as ns; raises FrameError naming the field."""
    if not (text.isascii() and text.isdigit()):
        raise FrameError(f"{field} is no time in ms: {text[:40]!r}", field=field)
    return int(text) * MS
