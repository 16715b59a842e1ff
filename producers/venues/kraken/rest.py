"""Kraken over REST: pairs, order books, and what its failures mean (https://docs.kraken.com/exchange/api-reference).

Every answer is `{"error":[],"result":{…}}`; errors are texts of that list, HTTP mostly says 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

import msgspec

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.connection.frames import read_each
from producers.normalize.numbers import text_levels
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.kraken.history import HISTORY
from producers.venues.kraken.plan import BOOK_DEPTH, MARKET, VENUE_ID, guess, rest_name, socket_name

_PAIRS: Final = RestCall("/0/public/AssetPairs")
_OK: Final = range(200, 300)
_TOO_MANY: Final = 429
_BLOCKED: Final = frozenset({403, _TOO_MANY})
# Seconds; the venue names none. A lockout is for having gone on after a refusal for the rate.
_PAUSES: Final = {
    "EGeneral:Too many requests": 5.0,
    "EAPI:Rate limit exceeded": 5.0,
    "EGeneral:Temporary lockout": 60.0,
    "EService:Unavailable": 10.0,
    "EService:Busy": 5.0,
}


class _Pair(msgspec.Struct):
    """`{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","status":"online",…}`."""

    wsname: str | None = None
    status: str = "online"


class _Pairs(msgspec.Struct):
    result: dict[str, msgspec.Raw]


class _Depth(msgspec.Struct):
    """`{"asks":[["91000.0","0.8",1763700000]],"bids":[["90999.9","1.2",1763700000]]}`: price, amount, its time in s."""

    asks: list[tuple[str, str, msgspec.Raw]]
    bids: list[tuple[str, str, msgspec.Raw]]


class _Depths(msgspec.Struct):
    result: dict[str, _Depth]


class _Envelope(msgspec.Struct):
    """`{"error":["EGeneral:Too many requests"]}`; warnings begin with W."""

    error: list[str]


_pairs: Final = msgspec.json.Decoder(_Pairs).decode
_pair: Final = msgspec.json.Decoder(_Pair).decode
_depths: Final = msgspec.json.Decoder(_Depths).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read `AssetPairs`, which comes in one page: the pairs that are online and that sockets know (`wsname`)."""
    return read_each(_pairs(body).result.values(), lambda raw: _instrument(market, _pair(raw))), None


def _instrument(market: str, row: _Pair) -> Instrument | None:
    if not row.wsname or row.status != "online":
        return None
    return make_instrument(VENUE_ID, guess(market, row.wsname).symbol, socket_name(row.wsname))


def depth_call(instrument: Instrument) -> RestCall:
    """Return the call for a book as deep as the sockets' (at most 500 levels can be had)."""
    return RestCall("/0/public/Depth", {"pair": rest_name(instrument.venue_symbol), "count": str(BOOK_DEPTH)})


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book; the answer calls the pair by a name of its own, it has no sequence and no time."""
    depth = next(iter(_depths(body).result.values()), None)
    if depth is None:
        raise FrameError(f"no book of {instrument.venue_symbol}", field="result")
    return make_book(
        instrument,
        f"rest-{crc32(body):08x}",
        ts_recv=ts_recv,
        sim=sim,
        bids=text_levels([(price, amount) for price, amount, _ in depth.bids], "result.bids"),
        asks=text_levels([(price, amount) for price, amount, _ in depth.asks], "result.asks"),
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; what the venue's own list does not explain comes from the gateway before it."""
    try:
        errors = [text for text in _envelope(body).error if not text.startswith("W")]
    except msgspec.DecodeError:  # a page of the gateway: the status says
        errors = []
        if status in _OK:
            return RestFailure(f"HTTP {status} without an answer of the venue")
    if status in _OK and not errors:
        return None
    pause = named_pause(headers)
    code = errors[0] if errors else None
    if pause is None:
        pause = _PAUSES.get(code or "") or (60.0 if status in _BLOCKED else None)
    return RestFailure(", ".join(errors) or f"HTTP {status}", code, pause)


REST: Final = RestFace(
    base_url="https://api.kraken.com",
    budget=RestBudget(weight=1, seconds=1.0),
    instrument_calls=lambda: ((MARKET, _PAIRS),),
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
