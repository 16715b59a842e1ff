"""`GET /gpt/whale` and `GET /gpt/liq`: recent whale trades, recent liquidations and their totals. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from api.answers import Age, decimal_number, envelope, iso, number
from api.market.answering import Params, amount, refuse_unknown, text, whole
from api.market.documents import LiquidationItem, Liquidations, Totals, Whale
from api.market.state import Found, Reader
from contracts.figures import EXACT

DEFAULT_WHALES: Final = 10
DEFAULT_LIQUIDATIONS: Final = 20
WINDOWS: Final = ("1h", "4h", "24h")


def compose_whales(reader: Reader, params: Params) -> dict[str, Any]:
    """The recent whale trades of a base, or of one pair where the symbol names one."""
    refuse_unknown(params, ("symbol", "limit", "min_usd"))
    limit, least = whole(params, "limit", DEFAULT_WHALES), amount(params, "min_usd")
    found = reader.state.find(text(params, "symbol"))
    return envelope(found.name, list_whales(reader, found, limit, least), _heard(reader, found))


def compose_liquidations(reader: Reader, params: Params) -> dict[str, Any]:
    """The recent liquidations of a base over every venue and contract, and their totals."""
    refuse_unknown(params, ("symbol", "limit"))
    limit = whole(params, "limit", DEFAULT_LIQUIDATIONS)
    found = reader.state.find(text(params, "symbol"))
    document, heard = reader.find_liquidations(found.base), _heard(reader, found)
    recent = [] if document is None else document.recent[:limit]
    data = {
        "base": found.base,
        "recent": [liquidation_fields(item) for item in recent],
        **decide_totals(document),
        **heard,
    }
    return envelope(found.name, data, heard)


def list_whales(reader: Reader, found: Found, limit: int, least: Decimal | None) -> list[dict[str, Any]]:
    """List at most `limit` whale trades worth at least so many USD, newest first."""
    document = reader.find_whales(found.base)
    whales = [] if document is None else document.whales
    chosen = [
        whale
        for whale in whales
        if (found.bare or whale.symbol in found.symbols) and (least is None or Decimal(whale.usd_value) >= least)
    ]
    return [whale_fields(whale) for whale in chosen[:limit]]


def whale_fields(whale: Whale) -> dict[str, Any]:
    """One whale trade as it is answered; a simulated one says so."""
    fields: dict[str, Any] = {
        "id": whale.id,
        "symbol": whale.symbol,
        "side": whale.side,
        "amount": number(whale.amount),
        "price": number(whale.price),
        "usd_value": number(whale.usd_value),
        "exchange": whale.venue,
        "timestamp": iso(whale.ts_recv if whale.ts_event is None else whale.ts_event),
    }
    return {**fields, "sim": True} if whale.sim else fields


def liquidation_fields(item: LiquidationItem) -> dict[str, Any]:
    """One liquidation as it is answered: `position_side` was closed by force, with an order of `order_side`."""
    return {
        "id": item.id,
        "symbol": item.symbol,
        "exchange": item.venue,
        "position_side": item.position_side,
        "order_side": item.order_side,
        "price": number(item.price),
        "amount": number(item.amount),
        "usd_value": number(item.usd_value),
        "sampled": item.sampled,
        "sim": item.sim,
        "timestamp": iso(item.ts),
    }


def decide_totals(document: Liquidations | None) -> dict[str, Any]:
    """Sums in USD by side of the position; null where nothing was ever heard, a lower bound where `sampled`."""
    if document is None:
        return {"totals": None, "sampled": None, "as_of": None}
    totals = {window: _sums(document.totals[window]) for window in WINDOWS if window in document.totals}
    return {"totals": totals, "sampled": document.sampled, "as_of": iso(document.as_of)}


def _sums(totals: Totals) -> dict[str, Any]:
    total = EXACT.add(EXACT.add(Decimal(totals.long_usd), Decimal(totals.short_usd)), Decimal(totals.unknown_usd))
    return {
        "long_usd": number(totals.long_usd),
        "short_usd": number(totals.short_usd),
        "unknown_usd": number(totals.unknown_usd),
        "total_usd": decimal_number(total),
        "count": totals.count,
        "unvalued": totals.unvalued,
    }


def _heard(reader: Reader, found: Found) -> dict[str, Any]:
    """How fresh the market is that these were heard on: the newest ticker of the base and the best quality."""
    quoted = reader.list_quoted(found.instruments)
    if not quoted:
        return {"age": None, "quality": "stale", "stale_exchanges": []}
    newest = max(quoted, key=lambda item: item.ticker.ts_recv)
    stale = [item.ticker.venue for item in quoted if item.quality == "stale"]
    return {"age": Age(newest.ticker.ts_recv), "quality": newest.quality, "stale_exchanges": stale}
