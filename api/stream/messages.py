"""What is pushed to stream clients: events of the bus as messages with exact numbers and ISO times. Pure."""

from __future__ import annotations

from typing import Any, Final

from api.answers import SentAt, iso, number
from api.market.documents import Book, Ticker
from api.market.flows import whale_fields
from api.market.orderbook import DEFAULT_DEPTH, Offered, book_fields
from api.market.snapshot import price_update
from api.market.state import Found, Reader
from contracts.instrument import Instrument

_TICKER_PARTS: Final = ("last", "bid", "ask", "high_24h", "low_24h", "volume_24h", "change_24h")


def price_message(reader: Reader, found: Found) -> dict[str, Any]:
    """The consolidated price of a symbol now; refusals where there is none."""
    price, _ = reader.price(found)
    return price_update(found, price)


def book_message(reader: Reader, item: Instrument, book: Book) -> dict[str, Any]:
    """The best levels of one venue's book."""
    fields = book_fields(Offered(item, book, reader.quality(book, item.venue)), DEFAULT_DEPTH)
    return {"type": "book", **fields, "timestamp": iso(_time(book))}


def event_message(kind: str, event: Any) -> dict[str, Any]:
    """Any other event."""
    return _BUILDERS[kind](event)


def fold_ticker(held: Ticker | None, event: Any) -> Ticker:
    """A ticker with the parts that a new frame says; an older frame than is held changes nothing."""
    if held is not None and held.ts_recv > event.ts_recv:
        return held
    parts = {name: _newest(name, held, event) for name in _TICKER_PARTS}
    quality = "sim" if event.sim else "live"
    return Ticker(
        venue=event.venue, symbol=event.symbol, ts_recv=event.ts_recv, quality=quality, sim=event.sim, **parts
    )


def book_of(event: Any) -> Book:
    """The view of a snapshot event."""
    return Book(
        venue=event.venue,
        symbol=event.symbol,
        ts_recv=event.ts_recv,
        quality=event.quality,
        sim=event.sim,
        bids=event.bids,
        asks=event.asks,
        seq=event.seq,
        unit=event.unit,
    )


def _newest(name: str, held: Ticker | None, event: Any) -> str | None:
    said: str | None = getattr(event, name)
    return said if said is not None or held is None else getattr(held, name)


def _time(event: Any) -> int:
    told: int | None = getattr(event, "ts_event", None)
    return event.ts_recv if told is None else told


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
    return {"type": "whale", **whale_fields(event), "tier": event.tier}


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
