"""Binance spot's frames as typed structs: unknown fields are skipped, a missing one is an error that names it.

Pages: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams. Prices and quantities are text,
quantities in the base coin; times are ms, or microseconds where the URL asked for `timeUnit=MICROSECOND`.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from producers.families.binance_decoder import combined
from producers.normalize.numbers import Whole

Levels = list[tuple[str, str]]


class Head(Struct, gc=False):
    """What distinguishes frames: an envelope, the answer to a request, or a payload's event type and symbol.

    `{"stream":"btcusdt@trade","data":{…}}`, `{"result":null,"id":1}`, `{"code":2,"msg":"Invalid request","id":1}`.
    `pu`, `ps`, `X`, and `st` without `M`, are in frames of the futures sockets alone, which name contracts as pairs are
    named here.
    """

    stream: str | None = None
    data: Raw | UnsetType = UNSET
    e: str | None = None
    s: str | None = None
    u: Raw | UnsetType = UNSET
    last_update_id: Raw | UnsetType = field(default=UNSET, name="lastUpdateId")
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    code: int | None = None
    msg: str | None = None
    error: Raw | UnsetType = UNSET
    pu: Raw | UnsetType = UNSET
    ps: Raw | UnsetType = UNSET
    st: Raw | UnsetType = UNSET
    X: Raw | UnsetType = UNSET
    M: Raw | UnsetType = UNSET


class Trade(Struct, gc=False):
    """`{"e":"trade","s":"BTCUSDT","t":55,"p":"91000.10","q":"0.0031","T":1763700000122,"m":true}`.

    `m`: the buyer is the maker, so the aggressor sold. Whoever makes the event holds numbers and times to their bounds.
    """

    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class AggTrade(Struct, gc=False):
    """`aggTrade`: as `trade`, but `a` numbers what one taker order did at one price."""

    s: str
    t: int = field(name="a")
    p: str
    q: str
    T: int
    m: bool


class BookTicker(Struct, gc=False):
    """`{"u":400,"s":"BTCUSDT","b":"90999.9","B":"1.2","a":"91000.0","A":"0.8"}`: spot gives no type and no time."""

    s: str
    u: int
    b: str | None
    B: str | None
    a: str | None
    A: str | None
    T: int | None = None


class DayTicker(Struct, gc=False):
    """`24hrTicker`: `c` last, `P` change in percent, `v` base and `q` quote volume; `24hrMiniTicker` has less.

    Where nothing was traded or nobody bids, prices are zero.
    """

    s: str
    E: Whole
    c: str | None
    o: str | None
    h: str | None
    l: str | None
    v: str | None
    q: str | None
    P: str | None = None
    b: str | None = None
    B: str | None = None
    a: str | None = None
    A: str | None = None


class Depth(Struct, gc=False):
    """`{"e":"depthUpdate","E":…,"s":"BTCUSDT","U":157,"u":160,"b":[["90999.9","0"]],"a":[["91000.0","1.5"]]}`."""

    s: str
    time: Whole = field(name="E")
    U: Whole
    u: Whole
    b: Raw
    a: Raw


class Candle(Struct, gc=False):
    """The `k` of a `kline`: `t` open time, `i` interval, `v` base and `q` quote volume, `n` trades, `x` closed."""

    t: Whole
    i: str
    o: str
    c: str
    h: str
    l: str
    v: str
    q: str
    n: Whole
    x: bool


class Kline(Struct, gc=False):
    """`{"e":"kline","E":…,"s":"BTCUSDT","k":{…}}`."""

    s: str
    E: Whole
    k: Candle


read_head: Final = msgspec.json.Decoder(Head).decode
read_trade: Final = combined(Trade)
read_agg_trade: Final = combined(AggTrade)
read_book_ticker: Final = combined(BookTicker)
read_day_ticker: Final = combined(DayTicker)
read_depth: Final = combined(Depth)
read_kline: Final = combined(Kline)
