"""Gate over REST: pairs, contracts, order books, and what its failures mean.

Pages: https://www.gate.com/docs/developers/apiv4/en/#list-all-currency-pairs-supported,
https://www.gate.com/docs/developers/apiv4/en/#list-all-futures-contracts,
https://www.gate.com/docs/developers/apiv4/en/#frequency-limit-rule
"""

from __future__ import annotations

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
from producers.venues.gate import wire, wire_book
from producers.venues.gate.history import HISTORY
from producers.venues.gate.plan import DECIMAL_SIZES, LINEAR, SPOT, VENUE_ID, market_of

_Sides = tuple[list[wire.Row], list[wire.Row]]

_DEPTH: Final = "100"  # levels, as many as the socket keeps up to date
_OK_BELOW: Final = 400
_TOO_MANY: Final = 429
_WINDOW: Final = 10.0  # seconds in which calls are counted
_TRADING: Final = frozenset({"trading", ""})  # a contract of before 2024 has no status


class _Pair(msgspec.Struct):
    """`{"id":"BTC_USDT","base":"BTC","quote":"USDT","trade_status":"tradable",…}`."""

    id: str
    base: str
    quote: str
    trade_status: str


class _Contract(msgspec.Struct):
    """`{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","in_delisting":false,"status":"trading",…}`."""

    name: str
    type: str
    quanto_multiplier: str
    in_delisting: bool = False
    status: str = ""


class _SpotDepth(msgspec.Struct):
    """`{"id":123,"current":1623898993123,"update":1623898993121,"asks":[["1.52","1.15"]],"bids":[]}`: times in ms."""

    id: int
    asks: list[wire.Row] | None = None
    bids: list[wire.Row] | None = None
    update: wire.Number | None = None


class _FuturesDepth(msgspec.Struct):
    """`{"id":123,"current":1623898993.123,"update":1623898993.121,"asks":[{"p":"1.52","s":100}],"bids":[]}`."""

    id: int
    asks: list[wire_book.Level] | None = None
    bids: list[wire_book.Level] | None = None
    update: wire.Number | None = None


class _Error(msgspec.Struct):
    """`{"label":"INVALID_CURRENCY_PAIR","message":"Invalid currency pair FOO_USDT"}`."""

    label: str | None = None
    message: str = ""


_rows: Final = msgspec.json.Decoder(list[Raw]).decode
_pair_row: Final = msgspec.json.Decoder(_Pair).decode
_contract_row: Final = msgspec.json.Decoder(_Contract).decode
_error: Final = msgspec.json.Decoder(_Error).decode
_spot_depth: Final = wire.reader(_SpotDepth)
_futures_depth: Final = wire.reader(_FuturesDepth)


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Return one call a market; each list comes in one page."""
    return (
        (SPOT, RestCall("/api/v4/spot/currency_pairs")),
        (LINEAR, RestCall("/api/v4/futures/usdt/contracts", headers=DECIMAL_SIZES)),
    )


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read what can be traded now; one contract is worth `quanto_multiplier` of the base coin."""
    return read_each(_rows(body), _pair if market == SPOT else _contract), None


def _pair(raw: Raw) -> Instrument | None:
    row = _pair_row(raw)
    return make_instrument(VENUE_ID, f"{row.base}/{row.quote}", row.id) if row.trade_status == "tradable" else None


def _contract(raw: Raw) -> Instrument | None:
    row = _contract_row(raw)
    base, _, quote = row.name.rpartition("_")
    if row.in_delisting or row.status not in _TRADING or row.type != "direct" or not base:
        return None
    size = sizes.contract_size(numbers.price_text(row.quanto_multiplier, f"quanto_multiplier of {row.name}"), "1")
    return make_instrument(VENUE_ID, f"{base}/{quote}:{quote}", row.name, contract_size=size, sized_in_contracts=True)


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for a book with the id of its last update, which joins it to the socket's updates."""
    params = {"limit": _DEPTH, "with_id": "true"}
    if market_of(instrument) == SPOT:
        return RestCall("/api/v4/spot/order_book", {"currency_pair": instrument.venue_symbol, **params})
    call = {"contract": instrument.venue_symbol, **params}
    return RestCall("/api/v4/futures/usdt/order_book", call, headers=DECIMAL_SIZES)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book; its `id` is of the same count as the socket's `u`. Times are in ms on spot, in seconds elsewhere."""
    try:
        depth, sides, time = _read_spot(body) if market_of(instrument) == SPOT else _read_futures(body)
    except msgspec.DecodeError as error:
        raise FrameError(f"order book of {instrument.venue_symbol}: {error}") from error
    bids, asks, unit = sizes.book(instrument, *sides)
    return make_book(
        instrument,
        f"rest-{depth.id}",
        ts_event=time,
        ts_recv=ts_recv,
        sim=sim,
        bids=bids,
        asks=asks,
        seq=depth.id,
        unit=unit,
    )


def _read_spot(body: bytes) -> tuple[_SpotDepth, _Sides, int | None]:
    depth = _spot_depth(body)
    sides = numbers.whole_levels(depth.bids or [], "bids"), numbers.whole_levels(depth.asks or [], "asks")
    return depth, sides, None if depth.update is None else wire.ms_time(depth.update, "update")


def _read_futures(body: bytes) -> tuple[_FuturesDepth, _Sides, int | None]:
    depth = _futures_depth(body)
    bids, asks = ([row.pair for row in rows or ()] for rows in (depth.bids, depth.asks))
    sides = numbers.whole_levels(bids, "bids"), numbers.whole_levels(asks, "asks")
    return depth, sides, None if depth.update is None else wire.seconds_time(depth.update, "update")


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer; too many calls pause for the window of 10 s unless the answer names a time."""
    if status < _OK_BELOW:
        return None
    try:
        error = _error(body)
    except msgspec.DecodeError:  # gateways answer in HTML
        error = _Error()
    pause = None
    if status == _TOO_MANY or error.label == "TOO_MANY_REQUESTS":
        pause = named_pause(headers, _WINDOW)
    return RestFailure(error.message or f"HTTP {status}", error.label, pause)


REST: Final = RestFace(
    base_url="https://api.gateio.ws",
    budget=RestBudget(weight=200, seconds=10.0),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    audit_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
)
