"""Bitfinex over REST: pairs and perpetuals, order books, and what its failures mean.

Pages: https://docs.bitfinex.com/reference/rest-public-conf, https://docs.bitfinex.com/reference/rest-public-book
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import Instrument
from producers.connection.frames import read_each
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.bitfinex.events_book import read_whole
from producers.venues.bitfinex.history import HISTORY
from producers.venues.bitfinex.naming import MARKET, guess

_LISTS: Final = ("/v2/conf/pub:list:pair:exchange", "/v2/conf/pub:list:pair:futures")
_LENGTHS: Final = "100"
_OK: Final = 200
_TOO_MANY: Final = 429
_MINUTE: Final = 60.0
_PAUSES: Final = {"11010": _MINUTE, "20060": 30.0}  # rate limit, maintenance

_lists: Final = msgspec.json.Decoder(list[list[Raw]]).decode
_pair: Final = msgspec.json.Decoder(str).decode
_rows: Final = msgspec.json.Decoder(list[Raw]).decode
_fault: Final = msgspec.json.Decoder(tuple[str, int | str | None, str | None]).decode


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Return a call for the pairs and one for the perpetuals."""
    return tuple((MARKET, RestCall(path)) for path in _LISTS)


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read `[["BTCUSD","BTCUST","DOGE:USD"]]` or `[["BTCF0:USTF0"]]`."""
    lists = _lists(body)
    if not lists:
        raise FrameError("the list of pairs is missing", field="[0]")
    return read_each(lists[0], lambda raw: guess(market, f"t{_pair(raw)}")), None


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for a book as deep as the socket's."""
    return RestCall(f"/v2/book/{instrument.venue_symbol}/P0", {"len": _LENGTHS})


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book, which has neither time nor number."""
    bids, asks = read_whole(_rows(body))
    return make_book(
        instrument,
        f"rest-{crc32(body):08x}",
        ts_recv=ts_recv,
        sim=sim,
        bids=bids,
        asks=asks,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; an error is `["error",11010,"ratelimit: error"]`, whatever the HTTP status is."""
    if status == _OK and not body.startswith(b'["error"'):
        return None
    try:
        _, number, text = _fault(body)
    except msgspec.MsgspecError as error:
        number, text = None, f"HTTP {status}, and no answer of the venue: {error}"
    code = None if number is None else str(number)
    pause = _PAUSES.get(code or "")
    if status == _TOO_MANY:
        pause = named_pause(headers, pause or _MINUTE)
    return RestFailure(text or f"HTTP {status}", code, pause)


REST: Final = RestFace(
    base_url="https://api-pub.bitfinex.com",
    # 10 to 90 calls a minute, by path: the strictest of those that are asked.
    budget=RestBudget(weight=30, seconds=_MINUTE),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
