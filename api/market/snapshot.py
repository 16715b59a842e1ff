"""`GET /gpt/raw` and `GET /api/market/price`: the full snapshot of a symbol, and its price alone. Pure."""

from __future__ import annotations

from typing import Any, Final

from api.answers import Age, SentAt, decimal_number, envelope, iso, number
from api.market.answering import Params, refuse_unknown, text
from api.market.flows import decide_totals, list_whales
from api.market.price import SPOT, Consolidated, Quoted
from api.market.state import Found, Reader
from contracts.instrument import Instrument

RECENT_WHALES: Final = 5


def compose_raw(reader: Reader, params: Params) -> dict[str, Any]:
    """The snapshot: consolidated price, each venue's, derivatives, whales, liquidations."""
    refuse_unknown(params, ("symbol",))
    found = reader.state.find(text(params, "symbol"))
    price, quoted = reader.price(found)
    contracts = [item for item in reader.state.list_of_base(found.base) if item.contract != SPOT]
    data: dict[str, Any] = {
        **price_fields(price),
        "exchanges": [_venue_price(item, price) for item in quoted],
        "funding": [entry for item in contracts if (entry := _funding(reader, item)) is not None],
        "open_interest": [entry for item in contracts if (entry := _interest(reader, item)) is not None],
        "whales": list_whales(reader, found, RECENT_WHALES, None),
        "liquidations": decide_totals(reader.find_liquidations(found.base)),
        "age": Age(price.ts_recv),
        "data_age": Age(price.ts_recv),
        "quality": price.quality,
        "sim": price.sim,
    }
    return envelope(found.name, data, {"age": Age(price.ts_recv), "quality": price.quality})


def compose_price(reader: Reader, params: Params) -> dict[str, Any]:
    """The price of a symbol as a plain object; `timestamp` is the data's own time of arrival."""
    refuse_unknown(params, ("symbol",))
    found = reader.state.find(text(params, "symbol"))
    price, _ = reader.price(found)
    return {"symbol": found.name, **price_summary(price), "timestamp": iso(price.ts_recv)}


def price_summary(price: Consolidated) -> dict[str, Any]:
    """The price and where it is from."""
    return {
        "price": decimal_number(price.price),
        "quote": price.quote,
        "market": price.market,
        "source": price.source,
        "exchanges": [item.ticker.venue for item in price.used],
        "stale_exchanges": list(price.stale),
        "age": Age(price.ts_recv),
        "quality": price.quality,
        "sim": price.sim,
    }


def price_update(found: Found, price: Consolidated) -> dict[str, Any]:
    """The message that a stream sends when the price of a symbol has changed."""
    return {
        "type": "price_update",
        "symbol": found.name,
        **price_summary(price),
        "change_24h": decimal_number(price.change_24h),
        "volume_24h": decimal_number(price.volume_24h),
        "high": decimal_number(price.high),
        "low": decimal_number(price.low),
        "bid": decimal_number(price.bid),
        "ask": decimal_number(price.ask),
        "timestamp": SentAt(),
    }


def price_fields(price: Consolidated) -> dict[str, Any]:
    """The consolidated figures of a snapshot, as exact numbers."""
    return {
        "price": decimal_number(price.price),
        "quote": price.quote,
        "market": price.market,
        "source": price.source,
        "change_24h": decimal_number(price.change_24h),
        "volume_24h": decimal_number(price.volume_24h),
        "high": decimal_number(price.high),
        "low": decimal_number(price.low),
        "bid": decimal_number(price.bid),
        "ask": decimal_number(price.ask),
        "spread": decimal_number(price.spread),
        "bid_ask_exchange": price.bid_ask_exchange,
        "stale_exchanges": list(price.stale),
        "outlier_exchanges": list(price.outliers),
    }


def _venue_price(item: Quoted, price: Consolidated) -> dict[str, Any]:
    ticker = item.ticker
    return {
        "exchange": ticker.venue,
        "symbol": ticker.symbol,
        "quote": item.quote,
        "market": item.market,
        "price": number(ticker.last),
        "bid": number(ticker.bid),
        "ask": number(ticker.ask),
        "change_24h": number(ticker.change_24h),
        "volume_24h": number(ticker.volume_24h),
        "used": item in price.used,
        "age": Age(ticker.ts_recv),
        "quality": item.quality,
        "sim": ticker.sim,
    }


def _funding(reader: Reader, item: Instrument) -> dict[str, Any] | None:
    funding = reader.find_funding(item)
    if funding is None:
        return None
    return {
        "exchange": funding.venue,
        "symbol": funding.symbol,
        "rate": number(funding.rate),
        "next_time": None if funding.next_ts is None else iso(funding.next_ts),
        "mark_price": number(funding.mark_price),
        "index_price": number(funding.index_price),
        "age": Age(funding.ts_recv),
        "quality": reader.quality(funding, item.venue),
        "sim": funding.sim,
    }


def _interest(reader: Reader, item: Instrument) -> dict[str, Any] | None:
    interest = reader.find_interest(item)
    if interest is None:
        return None
    return {
        "exchange": interest.venue,
        "symbol": interest.symbol,
        "amount": number(interest.amount),
        "value": number(interest.value),
        "contracts": number(interest.contracts),
        "age": Age(interest.ts_recv),
        "quality": reader.quality(interest, item.venue),
        "sim": interest.sim,
    }
