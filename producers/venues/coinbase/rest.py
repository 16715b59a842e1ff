"""Coinbase Exchange over REST: products, order books, and what its failures mean.

Pages: https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/introduction
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

import msgspec

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize.numbers import Whole
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.coinbase.history import HISTORY
from producers.venues.coinbase.plan import MARKET, guess
from producers.venues.coinbase.wire import optional_time, read_levels

_PRODUCTS: Final = RestCall("/products")
_OK: Final = range(200, 300)
_TOO_MANY: Final = 429


class _Product(msgspec.Struct):
    """`{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","status":"online","trading_disabled":false}`."""

    id: str
    base_currency: str
    quote_currency: str
    status: str
    trading_disabled: bool = False


class _Depth(msgspec.Struct):
    """`{"bids":[["90999.9","1.2",3]],"asks":[["91000.0","0.8",1]],"sequence":50,"time":"…"}`: price, size, orders."""

    bids: list[tuple[str, str, msgspec.Raw]]
    asks: list[tuple[str, str, msgspec.Raw]]
    sequence: Whole
    time: str | None = None


class _Message(msgspec.Struct):
    """`{"message":"NotFound"}`."""

    message: str


_rows: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_product: Final = msgspec.json.Decoder(_Product).decode
_depth: Final = msgspec.json.Decoder(_Depth).decode
_message: Final = msgspec.json.Decoder(_Message).decode


def decode_instruments(name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read `/products`, which comes in one page: those that are online and not closed to trading."""
    return read_each(_rows(body), lambda raw: _instrument(name, _product(raw))), None


def _instrument(market_name: str, row: _Product) -> Instrument | None:
    if row.status != "online" or row.trading_disabled:
        return None
    found = guess(market_name, row.id)
    if (found.base, found.quote) != (row.base_currency, row.quote_currency):
        raise SymbolSyntaxError(f"{row.id!r} is not {row.base_currency}-{row.quote_currency}", symbol=row.id)
    return found


def depth_call(instrument: Instrument) -> RestCall:
    """Return the call for the whole book, aggregated by price (level 2)."""
    return RestCall(f"/products/{instrument.venue_symbol}/book", {"level": "2"})


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a level 2 book. `seq` is the sequence of the product's order feed; the level2 channels do not carry it."""
    row = _depth(body)
    return make_book(
        instrument,
        f"{row.sequence}-{crc32(body):08x}",
        ts_event=optional_time(row.time),
        ts_recv=ts_recv,
        sim=sim,
        bids=read_levels([(price, size) for price, size, _ in row.bids], "bids"),
        asks=read_levels([(price, size) for price, size, _ in row.asks], "asks"),
        seq=row.sequence,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Return what an answer without data means; refusals are `{"message": "…"}`, whatever the status.

    429 counts by the second (https://docs.cdp.coinbase.com/exchange/rest-api/rate-limits), hence a pause of one second
    where the answer names none.
    """
    message = _message_of(body)
    if status in _OK and message is None:
        return None
    pause = named_pause(headers)
    if pause is None and (status == _TOO_MANY or "rate limit" in (message or "").lower()):
        pause = 1.0
    return RestFailure(reason=message or f"HTTP {status}", code=None, retry_after=pause)


def _message_of(body: bytes) -> str | None:
    try:
        return _message(body).message
    except msgspec.DecodeError:  # data, or a page of HTML from a proxy: the status says which
        return None


REST: Final = RestFace(
    base_url="https://api.exchange.coinbase.com",
    budget=RestBudget(weight=10, seconds=1.0),  # public endpoints: 10 requests a second and IP address
    instrument_calls=lambda: ((MARKET, _PRODUCTS),),
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
    audit_call=depth_call,
)
