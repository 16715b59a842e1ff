"""What is pushed to stream clients: events of the bus as messages with exact numbers and ISO times. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from contracts.arithmetic.book import book_figures
from contracts.instrument import unescape_token
from contracts.schema.literals import Age, SentAt, iso, number
from runtime.clients.market_reply import CachedReply

_TAIL_TOKENS: Final = 4
BOOK_DEPTH: Final = 20  # levels of each side
_ORIGIN: Final = "id symbol exchange sim timestamp"
_ALERT: Final = "id base usd_value count exchanges tier rule sim timestamp"
_HEADS: Final = {
    "cluster": {"type": "alert", "kind": "whale_cluster"},
    "storm": {"type": "alert", "kind": "liquidation_storm"},
}
_NAMES: Final = {  # the fields of each kind of event, in their order
    "trade": f"{_ORIGIN} price amount contracts side backfilled",
    "whale": "id symbol side amount price usd_value exchange timestamp sim tier late",
    "liquidation": f"{_ORIGIN} price price_kind amount contracts position_side order_side sampled",
    "candle": f"{_ORIGIN} timeframe start open high low close volume closed",
    "cluster": f"{_ALERT} side pattern",
    "storm": f"{_ALERT} long_usd short_usd sampled",
    "alert": "id kind base symbol exchange side price previous_price usd_value condition threshold rule rule_id tier "
    "stands_for late note sim fired_at timestamp",
}
_FIELDS: Final = {kind: names.split() for kind, names in _NAMES.items()}
_IF_SO: Final = {"trade": ("backfilled",), "whale": ("sim", "late")}
_NUMBERS: Final = frozenset(
    [
        "price",
        "amount",
        "contracts",
        "usd_value",
        "long_usd",
        "short_usd",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "previous_price",
        "threshold",
    ]
)


def _time(event: Any) -> str:
    ts_event: int | None = getattr(event, "ts_event", None)
    return iso(event.ts_recv if ts_event is None else ts_event)


def _base(event: Any) -> str:
    base: str | None = getattr(event, "base", None)
    return base or event.symbol.partition("/")[0]


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "base": _base,
    "exchange": lambda event: event.venue,
    "exchanges": lambda event: event.venues,
    "start": lambda event: iso(event.start_ts),
    "timestamp": _time,
    "fired_at": lambda event: iso(event.fired_at),
    "kind": lambda event: event.alert,
}


def event_message(kind: str, event: Any) -> dict[str, Any]:
    """Return the message of any event but a book; what is said only where it is so (`_IF_SO`) is left out else."""
    fields = {name: _read(event, name) for name in _FIELDS[kind]}
    for name in _IF_SO.get(kind, ()):
        if not fields[name]:
            del fields[name]
    return {**_HEADS.get(kind, {"type": kind}), **fields}


def _read(event: Any, name: str) -> Any:
    if name in _NUMBERS:
        return number(getattr(event, name))
    return _READ[name](event) if name in _READ else getattr(event, name)


def book_message(subject: str, event: Any) -> dict[str, Any]:
    """Return the message of one venue's book: its best levels."""
    _, _, quote, market = subject.split(".")[-_TAIL_TOKENS:]
    return {
        "type": "book",
        "exchange": event.venue,
        "symbol": event.symbol,
        "quote": unescape_token(quote),
        "market": market,
        "unit": event.unit,
        **book_figures(event.bids[:BOOK_DEPTH], event.asks[:BOOK_DEPTH], event.unit),
        "seq": event.seq,
        "age": Age(event.ts_recv),
        "quality": "sim" if event.sim and event.quality == "live" else event.quality,
        "sim": event.sim,
        "timestamp": _time(event),
    }


def book_state(reply: CachedReply) -> bytes:
    """Return the market core's book as a message."""
    return b'{"type":"book",%b,"timestamp":\x00}' % reply.body[1:-1]


def gap_message(reason: str) -> dict[str, Any]:
    """Return the message that events may be missing from here on back."""
    return {"type": "gap", "reason": reason, "timestamp": SentAt()}
