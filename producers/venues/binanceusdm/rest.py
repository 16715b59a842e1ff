"""Binance USD-M over REST: the listing, depth snapshots, and what its failures mean.

Pages: https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info (limits, errors) and
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Order-Book.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from contracts import market
from contracts.codec import fast
from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.connection.frames import read_each
from producers.normalize.numbers import text_levels
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.binanceusdm.frames import read_snapshot
from producers.venues.binanceusdm.history import HISTORY
from producers.venues.binanceusdm.plan import unified_symbol

FastBook = fast(market.BookSnapshot)

_OK_BELOW: Final = 400
# Seconds to wait where `Retry-After` is missing: weights count per minute, bans last 2 minutes at least, and the
# firewall's block (403) is as long as its window of 5 minutes.
_PAUSES: Final[Mapping[int, float]] = {429: 60.0, 418: 120.0, 403: 300.0}


class _Listed(Struct, gc=False):
    symbol: str
    status: str
    contract_type: str = field(name="contractType")
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")
    margin: str = field(name="marginAsset")


class _Listing(Struct, gc=False):
    """`{"symbols":[{"symbol":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING","marginAsset":"USDT",…}]}`."""

    symbols: list[Raw]


class _Error(Struct, gc=False):
    """`{"code":-1121,"msg":"Invalid symbol."}`."""

    code: int | None = None
    msg: str | None = None


_read_listing: Final = msgspec.json.Decoder(_Listing).decode
_read_listed: Final = msgspec.json.Decoder(_Listed).decode
_read_error: Final = msgspec.json.Decoder(_Error).decode


def _instrument_calls() -> tuple[tuple[str, RestCall], ...]:
    return (("linear", RestCall("/fapi/v1/exchangeInfo", weight=1)),)


def decode_instruments(market_name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """List the linear contracts that can be traded now (status TRADING); one page. A FrameError names the field."""
    try:
        return read_each(_read_listing(body).symbols, _instrument), None
    except msgspec.DecodeError as error:
        msg = f"{market_name} exchangeInfo: {error}"
        raise FrameError(msg) from error


def _instrument(row: Raw) -> Instrument | None:
    item = _read_listed(row)
    if item.status != "TRADING" or item.margin != item.quote or not (_is_perpetual(item) or _expiry(item)):
        return None
    return make_instrument("binanceusdm", unified_symbol(item.base, item.quote, _expiry(item)), item.symbol)


def _is_perpetual(item: _Listed) -> bool:
    return "PERPETUAL" in item.contract_type


def _expiry(item: _Listed) -> str:
    """Give the day that ends a dated future's name (`BTCUSDT_260327`)."""
    return "" if _is_perpetual(item) else item.symbol.partition("_")[2]


def _depth_call(instrument: Instrument) -> RestCall:
    return RestCall("/fapi/v1/depth", {"symbol": instrument.venue_symbol, "limit": "1000"}, weight=20)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read `{"lastUpdateId":160,"T":1763700000120,"bids":[["90999.9","1"]],"asks":[]}` into a `book`."""
    try:
        depth = read_snapshot(body)
    except msgspec.DecodeError as error:
        msg = f"depth of {instrument.venue_symbol}: {error}"
        raise FrameError(msg) from error
    return FastBook(
        id=f"{instrument.tail}.book.{depth.last_update_id}",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        ts_event=None if depth.T is None else depth.T * 1_000_000,
        ts_recv=ts_recv,
        sim=sim,
        bids=text_levels(depth.bids, "bids"),
        asks=text_levels(depth.asks, "asks"),
        seq=depth.last_update_id,
        quality="sim" if sim else "live",
        checksum=None,
        venue_checksum=None,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Tell what an answer that is no success means; 429, 418 (ban) and 403 (firewall) pause all calls."""
    if status < _OK_BELOW:
        return None
    try:
        error = _read_error(body)
    except msgspec.DecodeError:  # the firewall and gateways answer in HTML
        error = _Error()
    seconds = headers.get("retry-after", "")
    pause = float(seconds) if seconds.isdecimal() else _PAUSES.get(status)
    return RestFailure(
        reason=error.msg or f"HTTP {status}",
        code=None if error.code is None else str(error.code),
        retry_after=pause,
    )


REST: Final = RestFace(
    base_url="https://fapi.binance.com",
    budget=RestBudget(weight=2400, seconds=60.0),
    instrument_calls=_instrument_calls,
    decode_instruments=decode_instruments,
    depth_call=_depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
