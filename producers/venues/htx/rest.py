"""HTX over REST, two hosts: instruments, order books, and what its failures mean.

Pages: https://www.htx.com/en-us/opend/newApiPages/?id=7ec4ff6d-7773-11ed-9966-0242ac110003 (spot) and
https://www.htx.com/en-us/opend/newApiPages/?id=8cb81024-77b5-11ed-9966-0242ac110003 (contracts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from contracts.errors import FrameError
from contracts.instrument import SPOT, Instrument, make_instrument
from producers.connection.frames import read_each
from producers.normalize import sizes
from producers.normalize.events import Makers
from producers.rest.answers import named_pause
from producers.venue import Decoded, RestBudget, RestCall, RestFace, RestFailure, Unreadable
from producers.venues.htx import wire
from producers.venues.htx.events_book import whole_book
from producers.venues.htx.history import HISTORY
from producers.venues.htx.plan import LINEAR, SPOT_MARKET, SWAP_REST, VENUE_ID, guess
from producers.venues.htx.topics import Topic
from producers.venues.htx.wire_numbers import price

_SYMBOLS: Final = "/v1/common/symbols"
_CONTRACTS: Final = "/linear-swap-api/v1/swap_contract_info"
_SPOT_DEPTH: Final = "/market/depth"
_SWAP_DEPTH: Final = "/linear-swap-ex/market/depth"
_LISTED: Final = 1
_OK: Final = 200
_TOO_MANY: Final = 429
_WINDOW: Final = 3.0  # s of the contracts' limit
_PAUSES: Final = {"system-maintenance": 30.0, "gateway-internal-error": 5.0, "timeout": 2.0}
_FINE: Final = frozenset({"ok", ""})


class _Pair(Struct):
    """`{"base-currency":"btc","quote-currency":"usdt","symbol":"btcusdt","state":"online",…}`."""

    symbol: str
    state: str
    base: str = msgspec.field(name="base-currency")
    quote: str = msgspec.field(name="quote-currency")


class _Contract(Struct):
    """`{"symbol":"BTC","contract_code":"BTC-USDT","contract_size":0.001,"contract_status":1,…}`; 1 is listed."""

    contract_code: str
    contract_size: Raw
    contract_status: int


class _Rows(Struct):
    data: list[Raw]


class _Depth(Struct):
    """`{"status":"ok","ch":"market.btcusdt.depth.step0","ts":17637…,"tick":{"bids":[…],"asks":[…],"version":1}}`."""

    ts: int
    tick: wire.Depth


class _Envelope(Struct):
    """`{"status":"error","err-code":"invalid-parameter","err-msg":"invalid symbol"}`, of v2 and v5 `{"code":200,…}`.

    Errors mostly come with HTTP 200; contracts spell the fields with an underscore.
    """

    status: str = ""
    code: int | None = None
    message: str = ""
    error: str | int | None = msgspec.field(default=None, name="err-code")
    reason: str = msgspec.field(default="", name="err-msg")
    contract_error: str | int | None = msgspec.field(default=None, name="err_code")
    contract_reason: str = msgspec.field(default="", name="err_msg")


_rows: Final = msgspec.json.Decoder(_Rows).decode
_pair_row: Final = msgspec.json.Decoder(_Pair).decode
_contract_row: Final = msgspec.json.Decoder(_Contract).decode
_depth: Final = msgspec.json.Decoder(_Depth).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def list_calls() -> tuple[tuple[str, RestCall], ...]:
    """Return one call for each market, each on its host."""
    return (
        (SPOT_MARKET, RestCall(_SYMBOLS)),
        (LINEAR, RestCall(_CONTRACTS, {"business_type": "all"}, base_url=SWAP_REST)),
    )


def decode_instruments(market: str, body: bytes) -> tuple[list[Instrument | Unreadable], RestCall | None]:
    """Read one market's instruments, which come in one page: pairs that are online, contracts that are listed."""
    return read_each(_rows(body).data, _pair if market == SPOT_MARKET else _contract), None


def _pair(raw: Raw) -> Instrument | None:
    row = _pair_row(raw)
    if row.state != "online":
        return None
    return make_instrument(VENUE_ID, f"{row.base}/{row.quote}".upper(), row.symbol)


def _contract(raw: Raw) -> Instrument | None:
    row = _contract_row(raw)
    if row.contract_status != _LISTED:
        return None
    symbol = guess(LINEAR, row.contract_code).symbol
    size = sizes.contract_size(price(row.contract_size, f"data.contract_size of {row.contract_code}"), "1")
    return make_instrument(VENUE_ID, symbol, row.contract_code, contract_size=size, sized_in_contracts=True)


def depth_call(instrument: Instrument) -> RestCall:
    """Ask for a book of 150 levels."""
    if instrument.contract == SPOT:
        return RestCall(_SPOT_DEPTH, {"symbol": instrument.venue_symbol, "type": "step0"})
    return RestCall(_SWAP_DEPTH, {"contract_code": instrument.venue_symbol, "type": "step0"}, base_url=SWAP_REST)


def decode_depth(body: bytes, instrument: Instrument, ts_recv: int, *, sim: bool) -> Decoded:
    """Read a book. It has no sequence of the sockets' chains: it cannot be continued by their changes."""
    answer = _depth(body)
    if not answer.tick.bids and not answer.tick.asks:
        raise FrameError(f"no book of {instrument.venue_symbol}", field="tick.bids, tick.asks")
    return whole_book(
        Topic(instrument, Makers(sim=sim)), (answer.tick, f"rest-{answer.tick.version}-{answer.ts}"), answer.ts, ts_recv
    )


def failure(status: int, headers: Mapping[str, str], body: bytes) -> RestFailure | None:
    """Judge an answer: two envelopes, errors with HTTP 200; calls that came too fast pause for a window of 3 s."""
    try:
        envelope = _envelope(body)
    except msgspec.DecodeError as error:
        envelope = _Envelope("error", reason=f"HTTP {status}, and no answer of the venue: {error}")
    if status == _OK and envelope.status in _FINE and envelope.code in {None, _OK}:
        return None
    code = next((c for c in (envelope.error, envelope.contract_error, envelope.code) if c is not None), None)
    pause = _PAUSES.get(str(code))
    if status == _TOO_MANY:
        pause = named_pause(headers, _WINDOW)
    reason = envelope.reason or envelope.contract_reason or envelope.message or f"HTTP {status}"
    return RestFailure(reason, None if code is None else str(code), pause)


REST: Final = RestFace(
    base_url="https://api.huobi.pro",
    budget=RestBudget(weight=10, seconds=1.0),
    instrument_calls=list_calls,
    decode_instruments=decode_instruments,
    depth_call=depth_call,
    decode_depth=decode_depth,
    failure=failure,
    history=HISTORY,
    audit_call=depth_call,
)
