"""OKX over REST: instruments, order books, and what its failures mean.

Pages: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments,
https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-order-book, https://www.okx.com/docs-v5/en/#error-code
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.connection.frames import read_each
from producers.normalize import numbers, sizes
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.okx import wire
from producers.venues.okx.history import HISTORY
from producers.venues.okx.plan import MARKET, VENUE_ID

_INSTRUMENTS: Final = "/api/v5/public/instruments"
_BOOKS: Final = "/api/v5/market/books"
_SPOT: Final = "SPOT"
_KINDS: Final = (_SPOT, "SWAP", "FUTURES")
_TAIL: Final = re.compile(r"SWAP|\d{6}")
_LISTED_WEIGHT: Final = 2  # 20 calls in 2 s against the books' 40
_OK: Final = 200
_TOO_MANY: Final = 429
_PAUSES: Final = {"50011": 2.0, "50061": 2.0, "50013": 5.0, "50001": 30.0}  # too frequent (two), busy, maintenance


class _Listed(msgspec.Struct):
    """`{"instId":"BTC-USDT-SWAP","instType":"SWAP","ctVal":"0.01","ctMult":"1","ctValCcy":"BTC","state":"live",…}`."""

    instId: str
    instType: str
    state: str
    baseCcy: str = ""
    quoteCcy: str = ""
    settleCcy: str = ""
    ctType: str = ""
    ctVal: str = ""
    ctMult: str = ""
    ctValCcy: str = ""


class _Instruments(msgspec.Struct):
    data: list[Raw]


class _Depths(msgspec.Struct):
    """`{"code":"0","data":[{"asks":[…],"bids":[…],"ts":"1763700000000","seqId":12}]}`."""

    data: list[wire.Book]


class _Envelope(msgspec.Struct):
    """`{"code":"50011","msg":"Too Many Requests","data":[]}`: the code is text, HTTP mostly says 200."""

    code: str
    msg: str = ""


_listed: Final = msgspec.json.Decoder(_Listed).decode
_instruments: Final = msgspec.json.Decoder(_Instruments).decode
_depths: Final = msgspec.json.Decoder(_Depths, strict=False).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Return one call for each kind of instrument that is followed."""
    return tuple((MARKET, RestCall(_INSTRUMENTS, {"instType": kind}, _LISTED_WEIGHT)) for kind in _KINDS)


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:  # noqa: ARG001
    """Read one kind's instruments, which come in one page: what trades, and is a pair, a swap or a future.

    Other products whose ids look alike (settled in neither of their coins, or with a longer id) are left out.
    """
    return read_each(_instruments(body).data, _instrument), None


def _instrument(raw: Raw) -> Instrument | None:
    row = _listed(raw)
    if row.state != "live" or row.instType not in _KINDS:
        return None
    if row.instType == _SPOT:
        if not (row.baseCcy and row.quoteCcy):
            raise FrameError(f"{row.instId} has no baseCcy or quoteCcy", field="data.baseCcy, data.quoteCcy")
        return make_instrument(VENUE_ID, f"{row.baseCcy}/{row.quoteCcy}", row.instId)
    base, quote, *rest = row.instId.split("-")
    is_plain = row.ctType in {"linear", "inverse"} and len(rest) == 1 and _TAIL.fullmatch(rest[0])
    if not is_plain or row.settleCcy != (quote if row.ctType == "linear" else base):
        return None
    worth_in = base if row.ctType == "linear" else quote
    size = numbers.positive(sizes.contract_size(row.ctVal, row.ctMult)) if row.ctValCcy == worth_in else None
    expiry = "" if rest[0] == "SWAP" else f"-{rest[0]}"
    symbol = f"{base}/{quote}:{row.settleCcy}{expiry}"
    return make_instrument(VENUE_ID, symbol, row.instId, contract_size=size, sized_in_contracts=True)


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for a book as deep as the socket's."""
    return RestCall(_BOOKS, {"instId": instrument.venue_symbol, "sz": "400"})


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book; its `seqId` is of the same chain as the socket's."""
    rows = _depths(body).data
    if not rows:
        raise FrameError(f"no book of {instrument.venue_symbol}", field="data")
    depth = rows[0]
    bids, asks = wire.read_levels(depth.bids, "data.bids"), wire.read_levels(depth.asks, "data.asks")
    bids, asks, unit = sizes.book(instrument, bids, asks)
    return make_book(
        instrument,
        f"rest-{depth.seqId}-{depth.ts}",
        ts_event=wire.time(depth.ts, "data.ts"),
        ts_recv=ts_recv,
        sim=sim,
        bids=bids,
        asks=asks,
        seq=depth.seqId,
        unit=unit,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; without a hint of the venue's, calls that came too fast pause for its window of 2 s."""
    try:
        envelope = _envelope(body)
    except msgspec.DecodeError as error:
        envelope = _Envelope(str(status), f"HTTP {status}, and no answer of the venue: {error}")
    if status == _OK and envelope.code == "0":
        return None
    pause = _PAUSES.get(envelope.code)
    if status == _TOO_MANY:
        pause = named_pause(headers, pause or _PAUSES["50011"])
    return RestFailure(envelope.msg or f"HTTP {status}", envelope.code, pause)


REST: Final = RestFace(
    base_url="https://www.okx.com",
    budget=RestBudget(weight=40, seconds=2.0),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    audit_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
