"""Bybit's frames as typed structs, one a topic, and how their numbers become ours (docs/v5/websocket/public)."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import lru_cache
from itertools import chain
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from contracts.errors import FrameError

Side = Literal["Buy", "Sell"]
Row = tuple[str, str]
Text = str | UnsetType

_NUMBER: Final = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_FIGURES: Final = b"0123456789."
_COMMA: Final = b","
_figures: Final = re.compile(r"(?:(?:-?+[0-9]++(?:\.[0-9]++)?+)?+,)*+").fullmatch
_odd_zero: Final = re.compile(r",[0.]{2,},").search
_EXACT: Final = Context(prec=100)
_TWELVE_DECIMALS: Final = Decimal("1e-12")
_HUNDRED: Final = Decimal(100)


class Head(Struct, gc=False):
    """What tells frames apart: data has a `topic`; answers have `op` and `success`, those of options a `type`.

    `{"success":true,"ret_msg":"","conn_id":"c1","req_id":"a1","op":"subscribe"}`
    """

    topic: str | None = None
    op: str | None = None
    type: str | None = None
    success: bool | None = None
    ret_msg: str | None = None
    req_id: str | None = None
    data: Raw = Raw(b"null")


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

    b: list[Row]
    a: list[Row]
    u: int
    seq: int | None = None


class Book(Struct, gc=False):
    """https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook: `ts` is when the push was made, ms."""

    type: Literal["snapshot", "delta"]
    ts: int
    data: Levels


class Ticker(Struct, gc=False):
    """`{"symbol":"BTCUSDT","lastPrice":"91000","bid1Price":"90999.5"}`; a delta leaves out what did not change."""

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
    """https://bybit-exchange.github.io/docs/v5/websocket/public/kline: `confirm` tells that it is closed."""

    data: list[Candle]


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_topics: Final = msgspec.json.Decoder(Topics).decode
decode_trades: Final = msgspec.json.Decoder(Trades).decode
decode_book: Final = msgspec.json.Decoder(Book).decode
decode_tickers: Final = msgspec.json.Decoder(Tickers).decode
decode_liquidations: Final = msgspec.json.Decoder(Liquidations).decode
decode_old_liquidation: Final = msgspec.json.Decoder(OldLiquidationPush).decode
decode_candles: Final = msgspec.json.Decoder(Candles).decode


def are_plain(figures: Collection[str]) -> bool:
    """Tell at one go whether every text is a plain number of either sign, or empty."""
    text = ",".join(figures) + ","
    return text.count(",") == len(figures) and _figures(text) is not None


def number(text: str, field: str) -> str:
    """Let a plain, unsigned number through; raises FrameError naming the field."""
    if not text.replace(".", "", 1).isdigit():
        raise FrameError(f"{field} is no number: {text!r}", field=field)
    return text


def optional_number(text: str, field: str) -> str | None:
    """Let a plain number of either sign through; an empty text is a null. Raises FrameError naming the field."""
    if not text:
        return None
    number(text.removeprefix("-"), field)
    return text


def read_levels(rows: list[Row], *, whole: bool) -> list[Row]:
    """Read one side of a book: a zero amount in any spelling becomes "0".

    A malformed level is left out of a snapshot (`whole`), and makes a delta worthless: FrameError.
    """
    if not rows:
        return []
    text = f",{','.join(chain.from_iterable(rows))},"
    if text.encode().translate(None, _FIGURES) != _COMMA * (2 * len(rows) + 1) or ",," in text:
        bad = next((row for row in rows if not _is_level(row)), None)
        if bad is not None and not whole:
            raise FrameError(f"a level of a delta is malformed: {bad}", field="data.b/data.a")
        rows = [row for row in rows if _is_level(row)]
    if _odd_zero(text) is None:
        return rows
    return [(price, amount if amount.strip("0.") else "0") for price, amount in rows]


def _is_level(row: Row) -> bool:
    return all(_NUMBER.fullmatch(text) for text in row)


@lru_cache(maxsize=8192)
def base_amount(contracts: str, price: str, contract_size: str) -> str:
    """Give what contracts of so much quote coin each are in the base coin at this price.

    The division is not exact: the amount is rounded half even to 12 decimals. Raises FrameError.
    """
    if not contracts.strip("0."):
        return "0"
    try:
        worth = _EXACT.multiply(Decimal(contracts), Decimal(contract_size))
        exact = _EXACT.divide(worth, Decimal(price))
        return plain(exact.quantize(_TWELVE_DECIMALS, ROUND_HALF_EVEN, _EXACT))
    except (InvalidOperation, ZeroDivisionError) as error:
        raise FrameError(f"{contracts!r} contracts at {price!r} have no amount", field="size or price") from error


def convert_book(bids: list[Row], asks: list[Row], size: str | None) -> tuple[list[Row], list[Row], str]:
    """Convert both sides of an inverse contract's book to the base coin; gives them and their unit.

    They stay in contracts where the contract size is not known.
    """
    if size is None:
        return bids, asks, "contracts"
    return (
        [(price, base_amount(amount, price, size)) for price, amount in bids],
        [(price, base_amount(amount, price, size)) for price, amount in asks],
        "base",
    )


@lru_cache(maxsize=1024)
def percent(fraction: str) -> str:
    """Turn a fraction into percent, exactly."""
    try:
        return plain(_EXACT.multiply(Decimal(fraction), _HUNDRED))
    except InvalidOperation as error:
        raise FrameError(f"price24hPcnt is no number: {fraction!r}", field="price24hPcnt") from error


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
