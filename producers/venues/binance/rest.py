"""Binance spot over REST: the listing and depth snapshots.

Pages: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information (limits, errors) and
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints (depth).
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from contracts.instrument import Instrument, make_instrument
from producers.families.binance_rest import decode_depth, decode_listing, failure
from producers.venue import RestBudget, RestCall, RestFace, Unreadable
from producers.venues.binance.history import HISTORY


class _Listed(Struct, gc=False):
    """`{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT"}`."""

    symbol: str
    status: str
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")


_read_listed: Final = msgspec.json.Decoder(_Listed).decode


def _instrument_calls() -> tuple[tuple[str, RestCall], ...]:
    return (("spot", RestCall("/api/v3/exchangeInfo", {"symbolStatus": "TRADING"}, weight=20)),)


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Return what can be traded now (status TRADING); raises FrameError naming the field at fault."""
    return decode_listing(market, body, _instrument)


def _instrument(row: Raw) -> Instrument | None:
    item = _read_listed(row)
    return make_instrument("binance", f"{item.base}/{item.quote}", item.symbol) if item.status == "TRADING" else None


def _depth_call(instrument: Instrument) -> RestCall:
    return RestCall("/api/v3/depth", {"symbol": instrument.venue_symbol, "limit": "1000"}, weight=50)


def _audit_call(instrument: Instrument) -> RestCall:
    return RestCall("/api/v3/depth", {"symbol": instrument.venue_symbol, "limit": "100"}, weight=5)


REST: Final = RestFace(
    base_url="https://api.binance.com",
    budget=RestBudget(weight=6000, seconds=60.0),
    instrument_calls=_instrument_calls,
    decode_instruments=decode_instruments,
    depth_call=_depth_call,
    audit_call=_audit_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
