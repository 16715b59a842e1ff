"""Indodax over REST: pairs, order books, and what its failures mean.

https://github.com/btcid/indodax-official-api-docs/blob/master/Public-RestAPI.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Raw

from contracts.instrument import Instrument, make_instrument
from producers.connection.frames import read_each
from producers.normalize import numbers
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.indodax import wire
from producers.venues.indodax.history import HISTORY
from producers.venues.indodax.plan import MARKET, VENUE_ID, unified

_OK: Final = range(200, 300)
_REFUSED: Final = frozenset({403, 429})
_MINUTE: Final = 60.0


class _Pair(msgspec.Struct):
    """`{"id":"btcidr","base_currency":"idr","traded_currency":"btc","ticker_id":"btc_idr","is_maintenance":0,…}`.

    Beware: `base_currency` is the quote, `traded_currency` the base.
    """

    id: str
    base_currency: str
    traded_currency: str
    is_maintenance: int | None = None


class _Depth(msgspec.Struct):
    """`{"buy":[[1631500000,"0.0512"]],"sell":[[1632000000,"0.1103"]]}`: price, amount in the base coin; best first."""

    buy: list[tuple[Raw, Raw]]
    sell: list[tuple[Raw, Raw]]


class _Error(msgspec.Struct):
    """`{"error":"invalid_pair","error_description":"Invalid Pair"}`, whatever the status."""

    error: str
    error_description: str = ""


_pairs: Final = msgspec.json.Decoder(list[Raw]).decode
_pair: Final = msgspec.json.Decoder(_Pair).decode
_depth: Final = msgspec.json.Decoder(_Depth).decode
_error: Final = msgspec.json.Decoder(_Error).decode


def decode_instruments(name: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read `/api/pairs`, which comes in one page: those that are not under maintenance."""
    del name
    return read_each(_pairs(body), _instrument), None


def _instrument(raw: Raw) -> Instrument | None:
    row = _pair(raw)
    if row.is_maintenance:
        return None
    return make_instrument(VENUE_ID, unified(row.traded_currency, row.base_currency), row.id)


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for the visible book; how deep it is cannot be chosen."""
    return RestCall(f"/api/depth/{instrument.venue_symbol}")


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book. It has neither time nor sequence: a checksum of the answer names it."""
    row = _depth(body)
    return make_book(
        instrument,
        f"rest-{crc32(body):08x}",
        ts_recv=ts_recv,
        sim=sim,
        bids=_levels(row.buy, "buy"),
        asks=_levels(row.sell, "sell"),
    )


def _levels(rows: list[tuple[Raw, Raw]], field: str) -> list[numbers.Row]:
    return numbers.whole_levels([(wire.text(price), wire.text(amount)) for price, amount in rows], field)


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer: 180 calls a minute are allowed; what an excess looks like is not documented.

    So 429, and 403 by the venue's gateway, stop all calls for a minute where the answer names no other time.
    """
    try:
        said: _Error | None = _error(body)
    except msgspec.DecodeError:  # data, or a page of HTML: the status says which
        said = None
    if status in _OK and said is None:
        return None
    pause = named_pause(headers, _MINUTE if status in _REFUSED else None)
    if said is None:
        return RestFailure(f"HTTP {status}", str(status), pause)
    return RestFailure(said.error_description or said.error, said.error, pause)


REST: Final = RestFace(
    base_url="https://indodax.com",
    budget=RestBudget(weight=180, seconds=_MINUTE),
    instrument_calls=lambda: ((MARKET, RestCall("/api/pairs")),),
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
