"""What is pushed to stream clients: events of the bus as messages with exact numbers and ISO times. Pure."""

from __future__ import annotations

from typing import Any, Final

from api.market.formats import CachedReply
from contracts.arithmetic.book import book_figures
from contracts.instrument import unescape_token
from contracts.schema.literals import Age, SentAt, iso, number

_TAIL_TOKENS: Final = 4
BOOK_DEPTH: Final = 20  # levels of each side


def book_message(subject: str, event: Any) -> dict[str, Any]:
    """The best levels of one venue's book."""
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
        "timestamp": iso(_time(event)),
    }


def book_state(known: CachedReply) -> bytes:
    """The market core's book as a message."""
    return b'{"type":"book",%b,"timestamp":\x00}' % known.body[1:-1]


def event_message(kind: str, event: Any) -> dict[str, Any]:
    """Any other event."""
    return _BUILDERS[kind](event)


def _time(event: Any) -> int:
    ts_event: int | None = getattr(event, "ts_event", None)
    return event.ts_recv if ts_event is None else ts_event


def _origin(event: Any) -> dict[str, Any]:
    return {
        "id": event.id,
        "symbol": event.symbol,
        "exchange": event.venue,
        "sim": event.sim,
        "timestamp": iso(_time(event)),
    }


def _trade(event: Any) -> dict[str, Any]:
    return {
        "type": "trade",
        **_origin(event),
        "price": number(event.price),
        "amount": number(event.amount),
        "contracts": number(event.contracts),
        "side": event.side,
    }


def _whale(event: Any) -> dict[str, Any]:
    fields = {
        "type": "whale",
        "id": event.id,
        "symbol": event.symbol,
        "side": event.side,
        "amount": number(event.amount),
        "price": number(event.price),
        "usd_value": number(event.usd_value),
        "exchange": event.venue,
        "timestamp": iso(_time(event)),
    }
    return {**fields, **({"sim": True} if event.sim else {}), "tier": event.tier}


def _liquidation(event: Any) -> dict[str, Any]:
    return {
        "type": "liquidation",
        **_origin(event),
        "price": number(event.price),
        "price_kind": event.price_kind,
        "amount": number(event.amount),
        "contracts": number(event.contracts),
        "position_side": event.position_side,
        "order_side": event.order_side,
        "sampled": event.sampled,
    }


def _candle(event: Any) -> dict[str, Any]:
    return {
        "type": "candle",
        **_origin(event),
        "timeframe": event.timeframe,
        "start": iso(event.start_ts),
        "open": number(event.open),
        "high": number(event.high),
        "low": number(event.low),
        "close": number(event.close),
        "volume": number(event.volume),
        "closed": event.closed,
    }


def _alert(kind: str, event: Any) -> dict[str, Any]:
    return {
        "type": "alert",
        "kind": kind,
        "id": event.id,
        "base": event.base,
        "usd_value": number(event.usd_value),
        "count": event.count,
        "exchanges": event.venues,
        "tier": event.tier,
        "rule": event.rule,
        "sim": event.sim,
        "timestamp": iso(_time(event)),
    }


def _cluster(event: Any) -> dict[str, Any]:
    return {**_alert("whale_cluster", event), "side": event.side, "pattern": event.pattern}


def _storm(event: Any) -> dict[str, Any]:
    sides = {"long_usd": number(event.long_usd), "short_usd": number(event.short_usd)}
    return {**_alert("liquidation_storm", event), **sides, "sampled": event.sampled}


_BUILDERS: Final = {
    "trade": _trade,
    "whale": _whale,
    "liquidation": _liquidation,
    "candle": _candle,
    "cluster": _cluster,
    "storm": _storm,
}


def gap_message(reason: str) -> dict[str, Any]:
    """Tell that events may be missing from here on back."""
    return {"type": "gap", "reason": reason, "timestamp": SentAt()}
