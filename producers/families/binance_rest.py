"""Binance's REST, spot and USD-M: envelope of the listing, depth snapshots, and what its failures mean.

Pages: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information and
https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info (limits, errors).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct, field

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.normalize.numbers import Milliseconds, Whole, text_levels
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestCall, RestFailure, Unreadable

_OK_BELOW: Final = 400
# Seconds to wait where `Retry-After` is missing: weights count per minute, bans last 2 minutes at least, and the
# firewall's block (403) is as long as its window of 5 minutes.
_PAUSES: Final[Mapping[int, float]] = {429: 60.0, 418: 120.0, 403: 300.0}


class Snapshot(Struct, gc=False):
    """A depth answer: `{"lastUpdateId":160,"bids":[["90999.9","1"]],"asks":[["91000.0","2"]]}`; USD-M's has `T`, ms."""

    last_update_id: Whole = field(name="lastUpdateId")
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    T: Milliseconds | None = None


class _Listing(Struct, gc=False):
    """`{"symbols":[{"symbol":"BTCUSDT","status":"TRADING",…}]}`."""

    symbols: list[Raw]


class _Error(Struct, gc=False):
    """`{"code":-1121,"msg":"Invalid symbol."}`."""

    code: int | None = None
    msg: str | None = None


read_snapshot: Final = msgspec.json.Decoder(Snapshot).decode
_read_listing: Final = msgspec.json.Decoder(_Listing).decode
_read_error: Final = msgspec.json.Decoder(_Error).decode


def decode_listing(
    market: str, body: bytes, read: Callable[[Raw], Instrument | None]
) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Return what `read` makes of each symbol of `exchangeInfo`, which comes in one page.

    Raises FrameError naming the field at fault.
    """
    try:
        return read_each(_read_listing(body).symbols, read), None
    except msgspec.DecodeError as error:
        raise FrameError(f"{market} exchangeInfo: {error}") from error


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Return the `book` of a depth answer; spot's has no time."""
    try:
        depth = read_snapshot(body)
    except msgspec.DecodeError as error:
        raise FrameError(f"depth of {instrument.venue_symbol}: {error}") from error
    return make_book(
        instrument,
        depth.last_update_id,
        ts_event=None if depth.T is None else depth.T * 1_000_000,
        ts_recv=ts_recv,
        sim=sim,
        bids=text_levels(depth.bids, "bids"),
        asks=text_levels(depth.asks, "asks"),
        seq=depth.last_update_id,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Return what an answer that is no success means; 429, 418 (ban) and 403 (firewall) pause all calls."""
    if status < _OK_BELOW:
        return None
    try:
        error = _read_error(body)
    except msgspec.DecodeError:  # the firewall and gateways answer in HTML
        error = _Error()
    pause = named_pause(headers)
    return RestFailure(
        reason=error.msg or f"HTTP {status}",
        code=None if error.code is None else str(error.code),
        retry_after=_PAUSES.get(status) if pause is None else pause,
    )
