"""Blank events: what never changes of an instrument's events, made once and filled for each frame.

A copy of a blank (`msgspec.structs.replace`) with the frame's own values costs less than an event made from nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from contracts.codec import fast
from contracts.instrument import Instrument
from contracts.market import MARKET_EVENTS

_PRICES: Final = {"open": "0", "high": "0", "low": "0", "close": "0"}
# What each kind requires beside what every event has. Functions, so that no two blanks share a list.
_REQUIRED: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "trade": lambda: {"trade_id": "", "price": "0", "amount": None, "side": None},
    "ticker": dict,
    "book": lambda: {"bids": [], "asks": [], "seq": None, "quality": "live"},
    "delta": lambda: {"bids": [], "asks": [], "seq": None, "is_snapshot": False},
    "liquidation": lambda: {
        "price": "0",
        "price_kind": "fill",
        "amount": None,
        "sampled": False,
        "position_side": None,
        "order_side": None,
    },
    "funding": lambda: {"rate": None, "next_ts": None, "mark_price": None, "index_price": None},
    "interest": lambda: {"amount": None, "value": None},
    "candle": lambda: {
        "timeframe": "1m",
        "volume": "0",
        "quote_volume": None,
        "trades": None,
        "closed": False,
        "start_ts": 0,
        **_PRICES,
    },
}
_TYPES: Final[dict[str, type[Any]]] = {model.kind: fast(model) for model in MARKET_EVENTS if model.kind in _REQUIRED}


def blank(kind: str, instrument: Instrument, *, sim: bool, **known: Any) -> Any:
    """Return the event of a kind that says nothing yet; `known` are fields that are the same in every frame.

    It is no valid event before its id, its times and what its kind requires are filled in.
    """
    required = _REQUIRED[kind]() | {"id": "", "ts_event": None, "ts_recv": 0} | known
    return _TYPES[kind](
        venue=instrument.venue, symbol=instrument.symbol, venue_symbol=instrument.venue_symbol, sim=sim, **required
    )
