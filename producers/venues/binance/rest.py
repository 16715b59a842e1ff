"""Binance spot over REST: the listing, depth snapshots, and what its failures mean.

Pages: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information (limits, errors) and
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints (depth).
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
from producers.venues.binance.frames import read_snapshot
from producers.venues.binance.history import HISTORY

FastBook = fast(market.BookSnapshot)

_OK_BELOW: Final = 400
# Seconds to wait where `Retry-After` is missing: weights count per minute, bans last 2 minutes at least, and the
# firewall's block (403) is as long as its window of 5 minutes.
_PAUSES: Final[Mapping[int, float]] = {429: 60.0, 418: 120.0, 403: 300.0}


class _Listed(Struct, gc=False):
    symbol: str
    status: str
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")


class _Listing(Struct, gc=False):
    """`{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT"}]}`."""

    symbols: list[Raw]


class _Error(Struct, gc=False):
    """`{"code":-1121,"msg":"Invalid symbol."}`."""

    code: int | None = None
    msg: str | None = None


_read_listing: Final = msgspec.json.Decoder(_Listing).decode
_read_listed: Final = msgspec.json.Decoder(_Listed).decode
_read_error: Final = msgspec.json.Decoder(_Error).decode


def _instrument_calls() -> tuple[tuple[str, RestCall], ...]:
    return (("spot", RestCall("/api/v3/exchangeInfo", {"symbolStatus": "TRADING"}, weight=20)),)


def decode_instruments(market_name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """List what can be traded now (status TRADING); there is one page. Raises FrameError naming the field at fault."""
    try:
        return read_each(_read_listing(body).symbols, _instrument), None
    except msgspec.DecodeError as error:
        msg = f"{market_name} exchangeInfo: {error}"
        raise FrameError(msg) from error


def _instrument(row: Raw) -> Instrument | None:
    item = _read_listed(row)
    return make_instrument("binance", f"{item.base}/{item.quote}", item.symbol) if item.status == "TRADING" else None


def _depth_call(instrument: Instrument) -> RestCall:
    return RestCall("/api/v3/depth", {"symbol": instrument.venue_symbol, "limit": "1000"}, weight=50)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read `{"lastUpdateId":160,"bids":[["90999.9","1"]],"asks":[]}` into a `book`; the venue gives no time."""
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
        ts_event=None,
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
    base_url="https://api.binance.com",
    budget=RestBudget(weight=6000, seconds=60.0),
    instrument_calls=_instrument_calls,
    decode_instruments=decode_instruments,
    depth_call=_depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
