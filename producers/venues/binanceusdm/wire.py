"""Binance USD-M futures' frames as typed structs: unknown fields are skipped, a missing one is an error that names it.

Pages: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams. Prices and
quantities are text, quantities in the base coin; times are ms: `T` is the matching engine's, `E` that of the push.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from producers.families.binance_decoder import combined
from producers.normalize.numbers import Milliseconds, Whole

Levels = list[tuple[str, str]]


class Head(Struct, gc=False):
    """What distinguishes frames: an envelope, the answer to a request, or a payload's event type and symbol.

    `st` is 2 for COIN-M symbols, which share the all-market streams; `M` is in trades of the spot sockets alone, which
    name their pairs as these do contracts. `{"stream":"btcusdt@aggTrade","data":{…}}`,
    `{"result":null,"id":1}`, `{"code":2,"msg":"Invalid request","id":1}`.
    """

    stream: str | None = None
    data: Raw | UnsetType = UNSET
    e: str | None = None
    s: str | None = None
    st: int | None = 1
    o: Raw | UnsetType = UNSET
    u: Raw | UnsetType = UNSET
    last_update_id: Raw | UnsetType = field(default=UNSET, name="lastUpdateId")
    open_interest: Raw | UnsetType = field(default=UNSET, name="openInterest")
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    code: int | None = None
    msg: str | None = None
    error: Raw | UnsetType = UNSET
    M: Raw | UnsetType = UNSET


class Owner(Struct, gc=False):
    """Whose a forced order is: the symbol is inside `o`."""

    s: str
    st: int | None = 1


class Trade(Struct, gc=False):
    """`{"e":"trade","s":"BTCUSDT","t":55,"p":"91000.1","q":"0.1","X":"MARKET","T":1763700000122,"m":true}`.

    `m`: the buyer is the maker, so the aggressor sold. `X` other than MARKET (INSURANCE_FUND, ADL, NA) is no print of
    the market: the venue leaves those out of its documented `aggTrade` as well.
    """

    s: str
    t: Whole
    p: str
    q: str
    T: Milliseconds
    m: bool
    X: str | None = "MARKET"


class AggTrade(Struct, gc=False):
    """`{"e":"aggTrade","a":59,"s":"BTCUSDT","p":"91000.1","q":"0.1","f":100,"l":105,"T":…,"m":true,"st":1}`.

    What one taker order did at one price within 100 ms. Frames of 2019 lack the number `a`. `nq` is the amount without
    that of retail price improvement orders; what was traded is `q`.
    """

    s: str
    p: str
    q: str
    f: Whole
    l: Whole
    T: Milliseconds
    m: bool
    t: Whole | None = field(name="a", default=None)


class BookTicker(Struct, gc=False):
    """`{"e":"bookTicker","u":400,"E":…,"T":…,"s":"BTCUSDT","b":"90999.9","B":"1.2","a":"91000.0","A":"0.8"}`.

    Before 2021 it had neither type nor times.
    """

    s: str
    u: Whole
    b: str | None
    B: str | None
    a: str | None
    A: str | None
    T: Milliseconds | None = None


class DayTicker(Struct, gc=False):
    """`24hrTicker`: `c` last, `P` change in percent, `v` base and `q` quote volume; `24hrMiniTicker` lacks `P`."""

    s: str
    E: Milliseconds
    c: str | None
    o: str | None
    h: str | None
    l: str | None
    v: str | None
    q: str | None
    P: str | None = None


class Depth(Struct, gc=False):
    """`{"e":"depthUpdate","T":…,"s":"BTCUSDT","U":157,"u":160,"pu":149,"b":[["p","q"]],"a":[["p","0"]]}`.

    `pu` is the `u` of the event before; a partial book (`@depth20`) has the same shape and holds the whole top.
    """

    s: str
    time: Milliseconds = field(name="T")
    U: Whole
    u: Whole
    pu: Whole
    b: Raw
    a: Raw


class Candle(Struct, gc=False):
    """The `k` of a `kline`: `t` open time, `i` interval, `v` base and `q` quote volume, `n` trades, `x` closed."""

    t: Milliseconds
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
    E: Milliseconds
    k: Candle


class MarkPrice(Struct, gc=False):
    """`markPriceUpdate`: `p` mark, `i` index (absent before 2020), `r` funding rate, `T` when it is paid next.

    Dated futures have no funding: `r` is empty and `T` is 0. `ap`, a moving average of the mark price, is not carried.
    """

    s: str
    E: Milliseconds
    p: str | None
    r: str | None
    T: Milliseconds | None
    i: str | None = None


class Order(Struct, gc=False):
    """The `o` of a `forceOrder`: `S` the order's side, `p` its limit price, `ap` the average fill, `q` its quantity."""

    s: str
    S: str
    q: str
    p: str
    T: Milliseconds
    ap: str | None = None


class ForceOrder(Struct, gc=False):
    """`{"e":"forceOrder","o":{"s":"BTCUSDT","S":"SELL","q":"0.014","p":"90910","ap":"91000","T":…}}`."""

    o: Order


class OpenInterest(Struct, gc=False):
    """The REST answer as recorders write it into the stream: `{"symbol":"BTCUSDT","openInterest":"26.1","time":…}`."""

    symbol: str
    amount: str = field(name="openInterest")
    time: Milliseconds | None = None


read_head: Final = msgspec.json.Decoder(Head).decode
read_owner: Final = msgspec.json.Decoder(Owner).decode
read_open_interest: Final = msgspec.json.Decoder(OpenInterest).decode
read_trade: Final = combined(Trade)
read_agg_trade: Final = combined(AggTrade)
read_book_ticker: Final = combined(BookTicker)
read_day_ticker: Final = combined(DayTicker)
read_depth: Final = combined(Depth)
read_kline: Final = combined(Kline)
read_mark_price: Final = combined(MarkPrice)
read_force_order: Final = combined(ForceOrder)
