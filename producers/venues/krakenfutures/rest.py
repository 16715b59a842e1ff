"""Kraken Futures over REST: products, order books, and what its failures mean.

https://docs.kraken.com/exchange/api-reference/futures-rest: answers are `{"result":"success","serverTime":"…",…}` or
`{"result":"error","error":"apiLimitExceeded","serverTime":"…"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

import msgspec

from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize import numbers, sizes
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.krakenfutures import wire
from producers.venues.krakenfutures.history import HISTORY
from producers.venues.krakenfutures.plan import MARKET, make_product

_INSTRUMENTS: Final = RestCall("/derivatives/api/v3/instruments")
_KINDS: Final = ("PF_", "PI_", "PV_", "FF_", "FI_", "FV_")
_OK: Final = range(200, 300)
_BLOCKED: Final = frozenset({403, 429})
_PAUSES: Final = {"apiLimitExceeded": 10.0, "marketUnavailable": 10.0, "unavailable": 10.0, "server error": 5.0}


class _Listed(msgspec.Struct):
    """`{"symbol":"PF_XBTUSD","type":"flexible_futures","contractSize":1,"tradeable":true,"base":"BTC","quote":"USD",…}`.

    Indices (`in_xbtusd`, `rr_xbtusd`) are listed too and not tradeable; older listings had no base and quote.
    """

    symbol: str
    tradeable: bool
    contractSize: msgspec.Raw = numbers.NULL
    base: str | None = None
    quote: str | None = None


class _Instruments(msgspec.Struct):
    instruments: list[msgspec.Raw]


class _Book(msgspec.Struct):
    bids: list[tuple[msgspec.Raw, msgspec.Raw]]
    asks: list[tuple[msgspec.Raw, msgspec.Raw]]


class _Depth(msgspec.Struct):
    """`{"result":"success","orderBook":{"bids":[[90999.5,0.6]],"asks":[[91000,0.2]]},"serverTime":"…"}`."""

    orderBook: _Book


class _Envelope(msgspec.Struct):
    result: str = "success"  # answers of the charts have none
    error: str | None = None


_instruments: Final = msgspec.json.Decoder(_Instruments).decode
_listed: Final = msgspec.json.Decoder(_Listed).decode
_depth: Final = msgspec.json.Decoder(_Depth).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:  # noqa: ARG001
    """Read the listing, which comes in one page: perpetuals and dated futures that trade."""
    return read_each(_instruments(body).instruments, lambda raw: _instrument(_listed(raw))), None


def _instrument(row: _Listed) -> Instrument | None:
    if not row.tradeable or not row.symbol.upper().startswith(_KINDS):
        return None
    size = numbers.optional_price(row.contractSize, "instruments.contractSize")
    if size is not None and "." in size:
        size = size.rstrip("0").rstrip(".")
    pair = (row.base, row.quote) if row.base and row.quote else None
    return make_product(row.symbol.upper(), pair, size)


def depth_call(instrument: Instrument) -> RestCall:
    """Return the call for the whole book."""
    return RestCall("/derivatives/api/v3/orderbook", {"symbol": instrument.venue_symbol})


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book; it has no sequence, and the time of the answer is not the book's."""
    book = _depth(body).orderBook
    bids, asks = wire.read_levels(book.bids, "orderBook.bids"), wire.read_levels(book.asks, "orderBook.asks")
    bids, asks, unit = sizes.book(instrument, bids, asks)
    return make_book(instrument, f"rest-{crc32(body):08x}", ts_recv=ts_recv, sim=sim, bids=bids, asks=asks, unit=unit)


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; the venue names no pauses: they are ours."""
    try:
        envelope = _envelope(body)
    except msgspec.DecodeError:  # a page of the gateway: the status says
        envelope = _Envelope("error", None)
    if status in _OK and envelope.result == "success":
        return None
    pause = named_pause(headers)
    if pause is None:
        pause = _PAUSES.get(envelope.error or "") or (60.0 if status in _BLOCKED else None)
    return RestFailure(envelope.error or f"HTTP {status}", envelope.error, pause)


REST: Final = RestFace(
    base_url="https://futures.kraken.com",
    # Public endpoints have no cost (https://docs.kraken.com/exchange/guides/futures/ratelimits): eight a second are our
    # own limit.
    budget=RestBudget(weight=40, seconds=5.0),
    instrument_calls=lambda: ((MARKET, _INSTRUMENTS),),
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
    audit_call=depth_call,
)
