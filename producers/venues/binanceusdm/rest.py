"""Binance USD-M over REST: the listing and depth snapshots.

Pages: https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info (limits, errors) and
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Order-Book.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from contracts.instrument import Instrument, make_instrument
from producers.families.binance_rest import decode_depth, decode_listing, failure
from producers.venue import RestBudget, RestCall, RestFace, Unreadable
from producers.venues.binanceusdm.history import HISTORY
from producers.venues.binanceusdm.plan import unified_symbol


class _Listed(Struct, gc=False):
    """`{"symbol":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING","marginAsset":"USDT",…}`."""

    symbol: str
    status: str
    contract_type: str = field(name="contractType")
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")
    margin: str = field(name="marginAsset")


_read_listed: Final = msgspec.json.Decoder(_Listed).decode


def _instrument_calls() -> tuple[tuple[str, RestCall], ...]:
    return (("linear", RestCall("/fapi/v1/exchangeInfo", weight=1)),)


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Return the linear contracts that can be traded now (status TRADING); a FrameError names the field at fault."""
    return decode_listing(market, body, _instrument)


def _instrument(row: Raw) -> Instrument | None:
    item = _read_listed(row)
    if item.status != "TRADING" or item.margin != item.quote or not (_is_perpetual(item) or _expiry(item)):
        return None
    return make_instrument("binanceusdm", unified_symbol(item.base, item.quote, _expiry(item)), item.symbol)


def _is_perpetual(item: _Listed) -> bool:
    return "PERPETUAL" in item.contract_type


def _expiry(item: _Listed) -> str:
    """Return the day that ends a dated future's name (`BTCUSDT_260327`)."""
    return "" if _is_perpetual(item) else item.symbol.partition("_")[2]


def _depth_call(instrument: Instrument) -> RestCall:
    return RestCall("/fapi/v1/depth", {"symbol": instrument.venue_symbol, "limit": "1000"}, weight=20)


def _audit_call(instrument: Instrument) -> RestCall:
    return RestCall("/fapi/v1/depth", {"symbol": instrument.venue_symbol, "limit": "100"}, weight=5)


REST: Final = RestFace(
    base_url="https://fapi.binance.com",
    budget=RestBudget(weight=2400, seconds=60.0),
    instrument_calls=_instrument_calls,
    decode_instruments=decode_instruments,
    depth_call=_depth_call,
    audit_call=_audit_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
