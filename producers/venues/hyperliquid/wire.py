"""Hyperliquid's frames as typed structs, one a channel, and how their numbers become ours.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from producers.normalize import numbers
from producers.normalize.numbers import NULL, Row

MS: Final = 1_000_000  # nanoseconds
TIMEFRAMES: Final = frozenset({"1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M"})


class Head(Struct, gc=False):
    """What distinguishes frames: `{"channel":"trades","data":…}`."""

    channel: str | None = None
    data: Raw = NULL


class Trade(Struct, gc=False):
    """`{"coin":"BTC","side":"A","px":"91000.0","sz":"0.01","time":1763700000123,"hash":"0x…","tid":77,"users":[…]}`.

    `side` is the taker's: B bought, A ("ask") sold. `tid` alone is not unique: with time and coin it is.
    """

    coin: str
    side: Literal["A", "B"]
    px: str
    sz: str
    time: int
    tid: int


class Trades(Struct, gc=False):
    """All trades of one coin since the last push; the first push repeats recent ones."""

    data: list[Trade]


class Level(Struct, gc=False):
    """`{"px":"91000.0","sz":"3.03622","n":5}`: `n` orders."""

    px: str
    sz: str


class Book(Struct, gc=False):
    """`{"coin":"BTC","time":1763700000123,"levels":[[…bids],[…asks]]}`, also REST's answer."""

    coin: str
    time: int
    levels: tuple[list[Level], list[Level]]


class BookPush(Struct, gc=False):
    """`l2Book`: the whole book, 20 levels a side."""

    data: Book


class Best(Struct, gc=False):
    """`{"coin":"BTC","time":1763700000123,"bbo":[{"px":"91000.0","sz":"3.0","n":5},null]}`.

    A side without orders is null; an ask that is left out altogether has been recorded too.
    """

    coin: str
    time: int
    bbo: list[Level | None]


class BestPush(Struct, gc=False):
    """`bbo`."""

    data: Best


class Figures(Struct, gc=False):
    """`{"funding":"0.0000125","openInterest":"688.11","prevDayPx":"90000.0","dayNtlVlm":"1169046.29",…}`.

    Of a spot pair there are no funding, open interest and oracle price.
    """

    dayNtlVlm: Raw = NULL
    prevDayPx: Raw = NULL
    dayBaseVlm: Raw = NULL
    funding: Raw = NULL
    openInterest: Raw = NULL
    oraclePx: Raw = NULL
    markPx: Raw = NULL


class Context(Struct, gc=False):
    """`{"coin":"BTC","ctx":{…}}`; it carries no time."""

    coin: str
    ctx: Figures


class ContextPush(Struct, gc=False):
    """`activeAssetCtx` of perpetuals, `activeSpotAssetCtx` of spot pairs."""

    data: Context


class Candle(Struct, gc=False):
    """`{"t":1763700000000,"T":1763700059999,"s":"BTC","i":"1m","o":"1","c":"1","h":"1","l":"1","v":"2","n":3}`.

    Prices and volume (base coin) are documented as numbers and come as text: both are read.
    """

    t: int
    T: int
    s: str
    i: str
    o: Raw
    c: Raw
    h: Raw
    l: Raw
    v: Raw
    n: int


class CandlePush(Struct, gc=False):
    """`candle`: one, or a list of them as the page has it."""

    data: Candle | list[Candle]


class Wanted(Struct, gc=False):
    """What a subscription is of: `{"type":"trades","coin":"BTC"}`."""

    type: str = ""
    coin: str = ""


class Answer(Struct, gc=False):
    """`{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}`."""

    method: str | None = None
    subscription: Wanted | None = None


class AnswerPush(Struct, gc=False):
    """`subscriptionResponse`."""

    data: Answer


class ErrorPush(Struct, gc=False):
    """`{"channel":"error","data":"Already subscribed: {…}"}`: the text ends in what had been asked for."""

    data: str


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_trades: Final = msgspec.json.Decoder(Trades).decode
decode_book: Final = msgspec.json.Decoder(BookPush).decode
decode_best: Final = msgspec.json.Decoder(BestPush).decode
decode_context: Final = msgspec.json.Decoder(ContextPush).decode
decode_candles: Final = msgspec.json.Decoder(CandlePush).decode
decode_answer: Final = msgspec.json.Decoder(AnswerPush).decode
decode_error: Final = msgspec.json.Decoder(ErrorPush).decode
decode_depth: Final = msgspec.json.Decoder(Book).decode
decode_wanted: Final = msgspec.json.Decoder(Wanted).decode
decode_named: Final = msgspec.json.Decoder(Answer).decode


def read_levels(rows: list[Level], field: str) -> list[Row]:
    """Return one side of a whole book (numbers.whole_levels)."""
    return numbers.whole_levels([(row.px, row.sz) for row in rows], field)


def price(raw: Raw, field: str) -> str | None:
    """Return a price, whether it comes as text or as a number; null and zero are null."""
    text = _text(raw)
    return None if text is None else numbers.optional_price_text(text, field)


def amount(raw: Raw, field: str) -> str | None:
    """Return an unsigned figure, whether it comes as text or as a number; null stays null."""
    text = _text(raw)
    return None if text is None else numbers.unsigned(text, field)


def signed(raw: Raw, field: str) -> str | None:
    """Return a figure of either sign, whether it comes as text or as a number; null stays null."""
    text = _text(raw)
    return None if text is None else numbers.plain(text, field)


def bars(row: Candle) -> dict[str, str]:
    """Return a candle's prices and its volume in the base coin."""
    texts = {"open": row.o, "high": row.h, "low": row.l, "close": row.c}
    prices = {name: numbers.price_text(_text(raw) or "", f"data.{name[0]}") for name, raw in texts.items()}
    return {**prices, "volume": numbers.unsigned(_text(row.v) or "", "data.v")}


def _text(raw: Raw) -> str | None:
    text = str(raw, "ascii", "replace")
    return None if text == "null" else text.strip('"')
