"""`market.raw` and `market.price`: the full snapshot of a symbol, and its price alone. Pure."""

from __future__ import annotations

from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.answers.coverage import rests_of_liquidations, rests_of_trades
from consumers.market.answers.flows import decide_totals, list_whales
from consumers.market.documents import Funding, Interest
from consumers.market.price import SPOT, Consolidated, Quoted
from consumers.market.state import Reader
from contracts.instrument import Instrument
from contracts.schema.literals import Age, decimal_number, iso, number
from contracts.services.market import PriceQuery, RawQuery, WhaleQuery

RECENT_WHALES: Final = 5


def compose_raw(reader: Reader, query: RawQuery) -> Composed:
    """The snapshot: consolidated price, each venue's, derivatives, whales, liquidations."""
    found = reader.state.find(query.symbol)
    price, quoted = reader.price(found)
    contracts = [item for item in reader.state.list_of_base(found.base) if item.contract != SPOT]
    data: dict[str, Any] = {
        **price_fields(price),
        "exchanges": [_venue_price(item, price) for item in quoted],
        "funding": [entry for item in contracts if (entry := _funding(reader, item)) is not None],
        "open_interest": [entry for item in contracts if (entry := _interest(reader, item)) is not None],
        "whales": list_whales(reader, found, WhaleQuery(symbol=query.symbol, limit=RECENT_WHALES)),
        "liquidations": {
            **decide_totals(reader.find_liquidations(found.base)),
            "coverage": rests_of_liquidations(reader, found.base),
        },
        "coverage": rests_of_trades(reader, found.instruments),
        "age": Age(price.ts_recv),
        "data_age": Age(price.ts_recv),
        "quality": price.quality,
        "sim": price.sim,
    }
    return Composed(data, found.name, {"age": Age(price.ts_recv), "quality": price.quality})


def compose_price(reader: Reader, query: PriceQuery) -> Composed:
    """The price of a symbol as a plain object; `timestamp` is the data's own time of arrival."""
    found = reader.state.find(query.symbol)
    price, _ = reader.price(found)
    document = {"symbol": found.name, **price_summary(price), "timestamp": iso(price.ts_recv)}
    return Composed(document, found.name)


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


def quoted_fields(item: Quoted) -> dict[str, Any]:
    """What one venue says of its price."""
    ticker = item.ticker
    return {
        "exchange": ticker.venue,
        "symbol": ticker.symbol,
        "quote": item.quote,
        "market": item.market,
        "price": number(ticker.last),
        "bid": number(ticker.bid),
        "ask": number(ticker.ask),
    }


def _venue_price(item: Quoted, price: Consolidated) -> dict[str, Any]:
    ticker = item.ticker
    return {
        **quoted_fields(item),
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
    figures = {
        "rate": number(funding.rate),
        "next_time": None if funding.next_ts is None else iso(funding.next_ts),
        "mark_price": number(funding.mark_price),
        "index_price": number(funding.index_price),
    }
    return _of_contract(reader, item, ("funding", funding), figures)


def _interest(reader: Reader, item: Instrument) -> dict[str, Any] | None:
    interest = reader.find_interest(item)
    if interest is None:
        return None
    figures = {name: number(getattr(interest, name)) for name in ("amount", "value", "contracts")}
    return _of_contract(reader, item, ("interest", interest), figures)


def _of_contract(
    reader: Reader, item: Instrument, said: tuple[str, Funding | Interest], figures: dict[str, Any]
) -> dict[str, Any]:
    """The figures of an event of a channel between whose they are and how far they can be trusted."""
    channel, event = said
    return {
        "exchange": event.venue,
        "symbol": event.symbol,
        **figures,
        "age": Age(event.ts_recv),
        "quality": reader.quality(event, item, channel),
        "sim": event.sim,
    }
