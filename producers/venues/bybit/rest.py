"""Bybit over REST: instruments, order books, and what its failures mean.

Pages: https://bybit-exchange.github.io/docs/v5/market/instrument, /market/orderbook, /rate-limit and /error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.connection.frames import read_each
from producers.normalize import numbers, sizes
from producers.normalize.numbers import Row
from producers.rest.answers import make_book, named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.bybit.history import HISTORY
from producers.venues.bybit.plan import BOOK_DEPTH, INVERSE, LINEAR, SPOT, VENUE_ID, market_of

_MS: Final = 1_000_000
_INSTRUMENTS: Final = "/v5/market/instruments-info"
_ORDERBOOK: Final = "/v5/market/orderbook"
_FUTURES: Final = frozenset({"LinearFutures", "InverseFutures"})
_INVERSE_CONTRACT_USD: Final = "1"
_OK: Final = 200
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_BAN: Final = 600.0  # seconds: after "access too frequent" the venue wants ten minutes without any call
_RATE_CODES: Final = frozenset({10006, 10018})
_RATE_PAUSE: Final = 5.0


class _Listed(msgspec.Struct):
    """`{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC",…}`."""

    symbol: str
    status: str
    baseCoin: str
    quoteCoin: str
    settleCoin: str | None = None
    contractType: str | None = None
    deliveryTime: str | None = None


class _Page(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")
    nextPageCursor: str = ""


class _Depth(msgspec.Struct):
    """`{"s":"BTCUSDT","b":[["91000","0.5"]],"a":[["91001","0.2"]],"ts":1763700000000,"u":177,"seq":9000}`."""

    b: list[Row]
    a: list[Row]
    ts: int
    u: int


class _Instruments(msgspec.Struct):
    result: _Page


class _OrderBook(msgspec.Struct):
    result: _Depth


class _Envelope(msgspec.Struct):
    """`{"retCode":10006,"retMsg":"Too many visits!","result":{},"time":1763700000000}`; HTTP says 200."""

    retCode: int
    retMsg: str = ""
    time: int | None = None


_listed: Final = msgspec.json.Decoder(_Listed).decode
_instruments: Final = msgspec.json.Decoder(_Instruments).decode
_order_book: Final = msgspec.json.Decoder(_OrderBook).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Return the first call of each market's list; spot has no pages."""
    return (
        (SPOT, RestCall(_INSTRUMENTS, {"category": SPOT})),
        (LINEAR, RestCall(_INSTRUMENTS, {"category": LINEAR, "limit": "1000"})),
        (INVERSE, RestCall(_INSTRUMENTS, {"category": INVERSE, "limit": "1000"})),
    )


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read one page of a market: what trades, and the call for the next page."""
    page = _instruments(body).result
    found = read_each(page.rows, lambda raw: _instrument(market, _listed(raw)))
    if not page.nextPageCursor:
        return found, None
    return found, RestCall(_INSTRUMENTS, {"category": market, "limit": "1000", "cursor": page.nextPageCursor})


def _instrument(market: str, row: _Listed) -> Instrument | None:
    if row.status != "Trading":
        return None
    if market == SPOT:
        return make_instrument(VENUE_ID, f"{row.baseCoin}/{row.quoteCoin}", row.symbol)
    if not row.settleCoin:
        raise FrameError(f"{row.symbol} has no settleCoin", field="result.list.settleCoin")
    symbol = f"{row.baseCoin}/{row.quoteCoin}:{row.settleCoin}"
    if row.contractType in _FUTURES:
        if not row.deliveryTime or not row.deliveryTime.isdigit():
            raise FrameError(f"{row.symbol} has no deliveryTime", field="result.list.deliveryTime")
        symbol += f"-{datetime.fromtimestamp(int(row.deliveryTime) // 1000, UTC):%y%m%d}"
    size = _INVERSE_CONTRACT_USD if market == INVERSE else None
    return make_instrument(VENUE_ID, symbol, row.symbol, contract_size=size)


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for a book as deep as the one that is kept."""
    params = {"category": market_of(instrument), "symbol": instrument.venue_symbol, "limit": str(BOOK_DEPTH)}
    return RestCall(_ORDERBOOK, params)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book. Its `u` is that of the 1000 level stream, and joins no other."""
    depth = _order_book(body).result
    bids, asks = numbers.whole_levels(depth.b, "result.b"), numbers.whole_levels(depth.a, "result.a")
    bids, asks, unit = sizes.book(instrument, bids, asks)
    return make_book(
        instrument,
        f"rest-{depth.u}-{depth.ts}",
        ts_event=depth.ts * _MS,
        ts_recv=ts_recv,
        sim=sim,
        bids=bids,
        asks=asks,
        seq=depth.u,
        unit=unit,
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer: 403 is a ban of the address (or of its country), 429 the venue's own protection."""
    if status == _FORBIDDEN:
        return RestFailure("access too frequent, or not allowed from here", "403", _BAN)
    if status == _TOO_MANY:
        return RestFailure("the venue protects itself", "429", named_pause(headers, _RATE_PAUSE))
    try:
        envelope = _envelope(body)
    except msgspec.DecodeError as error:
        reason = "the body is no answer of the venue" if status == _OK else f"HTTP {status}"
        return RestFailure(f"{reason}: {error}", str(status))
    if envelope.retCode == 0 and status == _OK:
        return None
    pause = _reset(headers, envelope.time) if envelope.retCode in _RATE_CODES else None
    return RestFailure(envelope.retMsg or f"HTTP {status}", str(envelope.retCode), pause)


def _reset(headers: Mapping[str, str], now_ms: int | None) -> float:
    """Return the seconds until the limit is reset, by the venue's own clock."""
    reset = headers.get("x-bapi-limit-reset-timestamp", "")
    if now_ms is None or not reset.isdigit():
        return _RATE_PAUSE
    return max(0.1, (int(reset) - now_ms) / 1000)


REST: Final = RestFace(
    base_url="https://api.bybit.com",
    # 600 calls in 5 s an address, and a ban beyond: stay well below, as others may share the address.
    budget=RestBudget(weight=400, seconds=5.0),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
    audit_call=depth_call,
)
