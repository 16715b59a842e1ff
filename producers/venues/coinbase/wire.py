"""Coinbase's frames as typed structs, and how its times and levels are read.

Channels and fields: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

import msgspec

from contracts.errors import FrameError
from producers.normalize.numbers import Whole, text_levels

_SECOND: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})")
Levels = list[tuple[str, str]]
_YEAR_ONE: Final = "0001-"  # now and then the level2 channels send the year 1 instead of a time
NS: Final = 1_000_000_000


class Head(msgspec.Struct):
    """What distinguishes frames: those of the Exchange feed have a `type`, those of Advanced Trade a `channel`."""

    type: str | None = None
    channel: str | None = None
    product_id: str | None = None


class Owner(msgspec.Struct):
    """Whose a book frame is of which the rest could not be read."""

    product_id: str


class Match(msgspec.Struct, gc=False):
    """`{"type":"match","trade_id":10,"sequence":50,"maker_order_id":"…","taker_order_id":"…","time":
    "2026-11-21T20:00:00.122581Z","product_id":"BTC-USD","size":"0.05","price":"91000.16","side":"sell"}`.
    """  # noqa: D205

    trade_id: Whole
    sequence: Whole
    product_id: str
    time: str
    size: str
    price: str
    side: Literal["buy", "sell"]


class Ticker(msgspec.Struct, gc=False):
    """`{"type":"ticker","sequence":50,"product_id":"BTC-USD","price":"91000.16","open_24h":"90000","volume_24h":"42.5",
    "low_24h":"89000","high_24h":"91500","best_bid":"91000.15","best_bid_size":"0.6","best_ask":"91000.16",
    "best_ask_size":"0.2","side":"buy","time":"2026-11-21T20:00:00.122581Z","trade_id":10,"last_size":"0.05"}`.
    Before 2022 there were no sizes of the best bid and ask. Of a paused product there is neither a sequence nor a time,
    and prices are zero; before the first match there is no time.
    """  # noqa: D205

    product_id: str
    sequence: Whole | None = None
    price: str | None = None
    best_bid: str | None = None
    best_ask: str | None = None
    best_bid_size: str | None = None
    best_ask_size: str | None = None
    open_24h: str | None = None
    high_24h: str | None = None
    low_24h: str | None = None
    volume_24h: str | None = None
    time: str | None = None


class Snapshot(msgspec.Struct, gc=False):
    """`{"type":"snapshot","product_id":"BTC-USD","bids":[["90999.9","1.2"]],"asks":[["91000.0","0.8"]],"time":"…"}`;
    older ones have no time.
    """  # noqa: D205

    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    time: str | None = None


class L2Update(msgspec.Struct, gc=False):
    """`{"type":"l2update","product_id":"BTC-USD","time":"…","changes":[["buy","90999.90","0.00000000"]]}`: the side,
    the price and the new size of that level; older ones have no time.
    """  # noqa: D205

    product_id: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]
    time: str | None = None


class Heartbeat(msgspec.Struct):
    """`{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"…"}`, every second.

    `last_trade_id` 0 says nothing: for months the feed sent it of every product.
    """

    product_id: str
    last_trade_id: Whole | None = None


class Listed(msgspec.Struct):
    """One channel of the list of subscriptions."""

    name: str
    product_ids: list[str] | None = None


class Subscriptions(msgspec.Struct):
    """`{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}`: the whole list."""

    channels: list[Listed]


class Error(msgspec.Struct):
    """`{"type":"error","message":"Failed to subscribe","reason":"FOO-USD is not a valid product"}`."""

    message: str = ""
    reason: str = ""


decode_match: Final = msgspec.json.Decoder(Match).decode
decode_ticker: Final = msgspec.json.Decoder(Ticker).decode
decode_snapshot: Final = msgspec.json.Decoder(Snapshot).decode
decode_l2update: Final = msgspec.json.Decoder(L2Update).decode
decode_heartbeat: Final = msgspec.json.Decoder(Heartbeat).decode
decode_subscriptions: Final = msgspec.json.Decoder(Subscriptions).decode
decode_error: Final = msgspec.json.Decoder(Error).decode
decode_owner: Final = msgspec.json.Decoder(Owner).decode
decode_head: Final = msgspec.json.Decoder(Head).decode


def read_time(text: str) -> int:
    """Read `2026-11-21T20:00:00.122581Z` (RFC 3339, up to nine decimals) as nanoseconds UTC; no float on the way.

    Six decimals are what the venue sends nearly always.
    """
    second, micros = text[:19], text[20:26]
    if text[19:20] == "." and text[26:] == "Z" and micros.isdigit() and micros.isascii():
        return _second(second) + int(micros) * 1000
    if not text.endswith("Z"):
        raise FrameError(f"time: {text!r} is no RFC 3339 time in UTC", field="time")
    rest = text[19:-1]
    if not rest:
        return _second(second)
    fraction = rest[1:]
    if rest[0] != "." or not (fraction.isascii() and fraction.isdigit()) or len(fraction) > 9:  # noqa: PLR2004
        raise FrameError(f"time: {text!r} is no RFC 3339 time in UTC", field="time")
    return _second(second) + int(fraction.ljust(9, "0"))


def optional_time(text: str | None) -> int | None:
    """Read a time; None where a frame has none, or the year 1 in its place."""
    return None if text is None or text.startswith(_YEAR_ONE) else read_time(text)


@lru_cache(maxsize=512)
def _second(text: str) -> int:
    found = _SECOND.fullmatch(text)
    if found is None:
        raise FrameError(f"time: {text!r} is no RFC 3339 time", field="time")
    year, month, day, hour, minute, second = map(int, found.groups())
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * NS


def read_levels(rows: Sequence[tuple[str, str]], field: str) -> Levels:
    """Read one side of a snapshot: no amount is "0"; a level with a negative amount is left out, the rest stays.

    Amounts like `0.-10000` have been sent within snapshots.
    """
    return text_levels([row for row in rows if "-" not in row[1]], field)


def read_changes(rows: Sequence[tuple[str, str, str]], bid: str) -> tuple[Levels, Levels]:
    """Read changed levels `(side, price, amount)` as bids (of side `bid`) and asks; "0" where none is left."""
    bids = [(price, amount) for side, price, amount in rows if side == bid]
    asks = [(price, amount) for side, price, amount in rows if side != bid]
    return text_levels(bids, "changes"), text_levels(asks, "changes")
