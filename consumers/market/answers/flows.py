"""`market.whale` and `market.liq`: recent whale trades, recent liquidations and their totals. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.answers.coverage import rests_of_liquidations
from consumers.market.documents import LiquidationItem, Liquidations, Totals, Whale
from consumers.market.state import Found, Reader
from contracts.arithmetic.exact import EXACT
from contracts.schema.literals import Age, decimal_number, iso, number
from contracts.services.market import LiquidationsQuery, WhaleQuery

WINDOWS: Final = ("1h", "4h", "24h")


def compose_whales(reader: Reader, query: WhaleQuery) -> Composed:
    """The recent whale trades of a base, or of one pair where the symbol names one."""
    found = reader.state.find(query.symbol)
    whales = list_whales(reader, found, query)
    return Composed({"whales": whales, **received_fields(reader, found)}, found.name)


def compose_liquidations(reader: Reader, query: LiquidationsQuery) -> Composed:
    """The recent liquidations of a base over every venue and contract, and their totals."""
    found = reader.state.find(query.symbol)
    document, received = reader.find_liquidations(found.base), received_fields(reader, found)
    recent = list_liquidations(document, query)[: query.limit]
    data = {
        "base": found.base,
        "recent": [liquidation_fields(item) for item in recent],
        **decide_totals(document),
        "coverage": rests_of_liquidations(reader, found.base),
        **received,
    }
    return Composed(data, found.name, received)


def list_whales(reader: Reader, found: Found, query: WhaleQuery) -> list[dict[str, Any]]:
    """List the whale trades that a request is about, newest first."""
    document = reader.find_whales(found.base)
    whales: list[Whale] = [] if document is None else document.whales
    least = None if query.min_usd is None else Decimal(query.min_usd)
    chosen = [
        whale
        for whale in whales
        if (found.bare or whale.symbol in found.symbols)
        and (least is None or Decimal(whale.usd_value) >= least)
        and query.side in {None, whale.side}
    ]
    return [whale_fields(whale) for whale in chosen[: query.limit]]


def list_liquidations(document: Liquidations | None, query: LiquidationsQuery) -> list[LiquidationItem]:
    """List the liquidations that a request is about, newest first; one of unknown value is worth no amount."""
    recent: list[LiquidationItem] = [] if document is None else document.recent
    least = None if query.min_usd is None else Decimal(query.min_usd)
    return [
        item
        for item in recent
        if (least is None or (item.usd_value is not None and Decimal(item.usd_value) >= least))
        and query.side in {None, item.position_side, item.order_side}
    ]


def whale_fields(whale: Whale) -> dict[str, Any]:
    """One whale trade as it is answered; a simulated or a late one says so."""
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
    return fields | {name: True for name in ("sim", "late") if getattr(whale, name)}


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
    """Sums in USD by side of the position; null where nothing was ever received, a lower bound where `sampled`."""
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


def received_fields(reader: Reader, found: Found) -> dict[str, Any]:
    """How fresh the market is that these were received on: the newest ticker of the base and the best quality."""
    quoted = reader.list_quoted(found.instruments)
    if not quoted:
        return {"age": None, "quality": "stale", "stale_exchanges": []}
    newest = max(quoted, key=lambda item: item.ticker.ts_recv)
    stale = [item.ticker.venue for item in quoted if item.quality == "stale"]
    return {"age": Age(newest.ticker.ts_recv), "quality": newest.quality, "stale_exchanges": stale}
