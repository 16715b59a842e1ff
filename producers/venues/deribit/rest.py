"""Deribit over REST: the methods of its sockets as paths; instruments, order books, and what its failures mean.

Pages: https://docs.deribit.com/api-reference/market-data/public-get_instruments,
https://docs.deribit.com/api-reference/market-data/public-get_order_book, https://docs.deribit.com/articles/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize import numbers, sizes
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.deribit import wire
from producers.venues.deribit.history import HISTORY
from producers.venues.deribit.naming import MARKET, guess

_PATH: Final = "/api/v2/public"
_KINDS: Final = ("future", "spot")
_DOLLAR: Final = "1"  # what one unit of an inverse contract's amount is worth
_LISTED_WEIGHT: Final = 20  # one call a second is allowed
_OK: Final = 200
_TOO_MANY: Final = 429
_PAUSES: Final = {10028: 2.0, 10040: 1.0, 10047: 1.0, 11051: 30.0}  # too many, try again, queue full, maintenance


class _Listed(msgspec.Struct):
    """`{"instrument_name":"BTC-PERPETUAL","kind":"future","is_active":true,"base_currency":"BTC","quote_currency":"USD",
    "settlement_currency":"BTC","contract_size":10.0,"expiration_timestamp":32503708800000,…}`.
    """  # noqa: D205

    instrument_name: str
    kind: str
    is_active: bool
    settlement_currency: str | None = None
    state: str | None = None


class _Instruments(msgspec.Struct):
    result: list[msgspec.Raw]


class _Depth(msgspec.Struct):
    result: wire.Ladder


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""
    data: msgspec.Raw = numbers.NULL


class _Envelope(msgspec.Struct):
    """`{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params","data":{"param":"instrument_name"}}}`."""

    error: _Error | None = None


_listed: Final = msgspec.json.Decoder(_Listed).decode
_instruments: Final = msgspec.json.Decoder(_Instruments).decode
_depth: Final = msgspec.json.Decoder(_Depth).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Return one call for each kind that is followed, of all currencies; options and combos are left alone."""
    return tuple(
        (MARKET, RestCall(f"{_PATH}/get_instruments", {"currency": "any", "kind": kind}, _LISTED_WEIGHT))
        for kind in _KINDS
    )


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read one kind's instruments, which come in one page: what trades and settles as its name says.

    A listing's `contract_size` is how many dollars (or coins) one contract of its `contracts` fields is worth; amounts
    are sent in dollars (or coins) themselves, and these are what we count.
    """
    return read_each(_instruments(body).result, lambda raw: _instrument(market, _listed(raw))), None


def _instrument(market: str, row: _Listed) -> Instrument | None:
    if not row.is_active or row.kind not in _KINDS:
        return None
    found = guess(market, row.instrument_name)
    if found.settle is not None and row.settlement_currency not in {None, found.settle}:
        raise FrameError(f"{row.instrument_name} settles in {row.settlement_currency}", field="settlement_currency")
    return replace(found, contract_size=_DOLLAR) if found.sized_in_contracts else found


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for a book as deep as is asked for anywhere else."""
    return RestCall(f"{_PATH}/get_order_book", {"instrument_name": instrument.venue_symbol, "depth": "1000"})


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book; its `change_id` is of the same chain as the socket's."""
    depth = _depth(body).result
    bids, asks = numbers.levels(depth.bids, "result.bids"), numbers.levels(depth.asks, "result.asks")
    bids, asks, unit = sizes.book(instrument, bids, asks)
    return make_book(
        instrument,
        f"rest-{depth.change_id}",
        ts_event=depth.timestamp * wire.MS,
        ts_recv=ts_recv,
        sim=sim,
        bids=bids,
        asks=asks,
        seq=depth.change_id,
        unit=unit,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer: errors are HTTP 400 (429 where too much was asked) with a JSON-RPC error as the body."""
    try:
        error = _envelope(body).error
    except msgspec.DecodeError as fault:
        error = _Error(0, f"HTTP {status}, and no answer of the venue: {fault}")
    if status == _OK and error is None:
        return None
    code = error.code if error is not None else 0
    pause = _PAUSES.get(code)
    if status == _TOO_MANY:
        pause = named_pause(headers, pause or _PAUSES[10028])
    reason = error.message if error is not None and error.message else f"HTTP {status}"
    return RestFailure(reason, str(code) if code else None, pause)


REST: Final = RestFace(
    base_url="https://www.deribit.com",
    budget=RestBudget(weight=20, seconds=1.0),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    audit_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
