"""Bitfinex's frames as typed structs: events as objects, data as arrays, to whose ends fields may be added.

Pages: https://docs.bitfinex.com/docs/ws-general, https://docs.bitfinex.com/docs/ws-public. Numbers keep their text.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from producers.normalize.numbers import NULL

MS: Final = 1_000_000  # nanoseconds
_FIRST_TIME: Final = 10**12  # ms of September 2001: what is smaller numbers a frame
Tail = int | float | str | None


class Platform(Struct):
    """`{"status":1}`: 1 operative, 0 in maintenance."""

    status: int | None = None


class Event(Struct):
    """`{"event":"subscribed","channel":"book","chanId":17,"symbol":"tBTCUSD","prec":"P0",…}`, `{"event":"info",…}`,
    `{"event":"error","msg":"symbol: invalid","code":10300,…}`, `{"event":"conf","status":"OK","flags":229376}`.
    """  # noqa: D205

    event: str
    channel: str | None = None
    chanId: int | None = None
    symbol: str | None = None
    key: str | None = None
    prec: str | None = None
    code: int | str | None = None
    msg: str | None = None
    status: str | None = None
    platform: Platform | None = None
    data: Raw = NULL


class Row(Struct, array_like=True, gc=False):
    """`[91000,3,-1.5]`: price, number of orders (0: the level is gone), amount (positive: a bid, negative: an ask)."""

    price: Raw
    count: int
    amount: Raw


class Update(Struct, array_like=True, gc=False):
    """`[17,[91000,3,-1.5],28,1763700000000]`: channel, row, and what was asked for by flags."""

    channel: int
    row: Row
    tail: Tail = None
    more: Tail = None


class Whole(Struct, array_like=True, gc=False):
    """`[17,[[91000,3,1.5],[91001,1,-2]],27,1763700000000]`."""

    channel: int
    rows: list[Raw]  # of Row
    tail: Tail = None
    more: Tail = None


class Print(Struct, array_like=True, gc=False):
    """`[669899159,1763700000435,-0.5,91000]`: id, time in ms, amount (negative: the taker sold), price."""

    ident: int
    time: int
    amount: Raw
    price: Raw


class Trade(Struct, array_like=True, gc=False):
    """`[17,"te",[669899159,1763700000435,-0.5,91000],29,1763700000500]`; again with "tu"."""

    channel: int
    kind: str
    row: Print
    tail: Tail = None
    more: Tail = None


class Prints(Struct, array_like=True, gc=False):
    """The last trades, newest first: `[17,[[669899159,1763700000435,-0.5,91000]],3]`."""

    channel: int
    rows: list[Raw]  # of Print
    tail: Tail = None
    more: Tail = None


class Figures(Struct, array_like=True, gc=False):
    """`[bid,bids,ask,asks,change,changePart,last,volume,high,low]`, of which some may be null: `bids` and `asks` are
    the sums of the 25 best levels.
    """  # noqa: D205

    bid: Raw = NULL
    bids: Raw = NULL
    ask: Raw = NULL
    asks: Raw = NULL
    change: Raw = NULL
    change_part: Raw = NULL
    last: Raw = NULL
    volume: Raw = NULL
    high: Raw = NULL
    low: Raw = NULL


class Ticker(Struct, array_like=True, gc=False):
    """https://docs.bitfinex.com/reference/ws-public-ticker."""

    channel: int
    figures: Figures
    tail: Tail = None
    more: Tail = None


class Liquidation(Struct, array_like=True, gc=False):
    """`["pos",142397657,1574697680828.2,null,"tBTCF0:USTF0",-2.6,91.5,null,1,1,null,112.27]`.

    `base_price` is the position's entry price, `price_acquired` the one at which the venue took it over.
    """

    kind: str
    position: int
    time: Raw
    _a: Raw
    symbol: str
    amount: Raw
    base_price: Raw = NULL
    _b: Raw = NULL
    is_match: int | None = None
    is_market_sold: int | None = None
    _c: Raw = NULL
    price_acquired: Raw = NULL


class Liquidations(Struct, array_like=True, gc=False):
    """https://docs.bitfinex.com/reference/ws-public-status, key `liq:global`."""

    channel: int
    rows: list[Raw]  # of Liquidation
    tail: Tail = None
    more: Tail = None


class Candle(Struct, array_like=True, gc=False):
    """`[1763700000000,91000,91010,91020,90990,12.5]`: time in ms, open, CLOSE, HIGH, LOW, volume."""

    time: int
    open: Raw
    close: Raw
    high: Raw
    low: Raw
    volume: Raw


class OneCandle(Struct, array_like=True, gc=False):
    """https://docs.bitfinex.com/reference/ws-public-candles."""

    channel: int
    row: Raw  # of Candle
    tail: Tail = None
    more: Tail = None


class Candles(Struct, array_like=True, gc=False):
    """What a candle channel begins with: the last ones, newest first."""

    channel: int
    rows: list[Raw]  # of Candle
    tail: Tail = None
    more: Tail = None


class Derivative(Struct, array_like=True, gc=False):
    """`[17,[1763700000000,null,0.896,0.7719,null,1396531.6,null,1763712000000,0.0001,6,null,-0.01,null,null,0.76,null,
    null,246502.09,…]]`: what is read is named by position in `derivatives`.
    """  # noqa: D205

    channel: int
    fields: list[Raw]
    tail: Tail = None
    more: Tail = None


class Checksum(Struct, array_like=True, gc=False):
    """`[17,"cs",-1855196175,30,1763700000000]`."""

    channel: int
    kind: str
    value: int
    tail: Tail = None
    more: Tail = None


class Anything(Struct, array_like=True, gc=False):
    """Any data frame: `[17,"hb",30,1763700000000]`; the fields after a time may name channel and pair."""

    channel: int
    body: Raw
    first: Raw = NULL
    second: Raw = NULL
    third: Raw = NULL
    fourth: Raw = NULL


decode_event: Final = msgspec.json.Decoder(Event).decode
decode_row: Final = msgspec.json.Decoder(Row).decode
decode_print: Final = msgspec.json.Decoder(Print).decode
decode_liquidation: Final = msgspec.json.Decoder(Liquidation).decode
decode_candle: Final = msgspec.json.Decoder(Candle).decode
decode_update: Final = msgspec.json.Decoder(Update).decode
decode_whole: Final = msgspec.json.Decoder(Whole).decode
decode_trade: Final = msgspec.json.Decoder(Trade).decode
decode_prints: Final = msgspec.json.Decoder(Prints).decode
decode_ticker: Final = msgspec.json.Decoder(Ticker).decode
decode_liquidations: Final = msgspec.json.Decoder(Liquidations).decode
decode_one_candle: Final = msgspec.json.Decoder(OneCandle).decode
decode_candles: Final = msgspec.json.Decoder(Candles).decode
decode_derivative: Final = msgspec.json.Decoder(Derivative).decode
decode_checksum: Final = msgspec.json.Decoder(Checksum).decode
decode_anything: Final = msgspec.json.Decoder(Anything).decode


def read_tail(tail: Tail, more: Tail) -> tuple[int | None, int | None]:
    """Return (number, time in ns) of a frame: whichever of the two flags is set, the number comes first."""
    if type(tail) is not int:
        return None, None
    if tail >= _FIRST_TIME:
        return None, tail * MS
    return tail, more * MS if type(more) is int else None
