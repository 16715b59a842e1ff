"""`market.ticker`, `.multi_orderbook`, `.trades`, `.symbols`: one market of all exchanges. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.answers.feeds import feeds_by_venue
from consumers.market.answers.orderbook import list_offered
from consumers.market.answers.snapshot import quoted_fields
from consumers.market.consolidated import MergedBook, MergedLevel, Offered, merge_books
from consumers.market.conversion import convert_quotes
from consumers.market.documents import Trade
from consumers.market.price import SPOT, Best, Consolidated, Quoted, decide_price, find_kind
from consumers.market.quality import SIM, worst
from consumers.market.state import Found, MarketState, Reader
from contracts.arithmetic.book import add_up, decide_imbalance
from contracts.arithmetic.exact import EXACT
from contracts.errors import NoDataError, NotReadyError
from contracts.instrument import Instrument
from contracts.schema.literals import Age, decimal_number, iso, number
from contracts.services.market import MultiOrderbookQuery, SymbolsQuery, TickerQuery, TradesQuery

SYMBOLS_HOLD_NS: Final = 10_000_000_000


def compose_ticker(reader: Reader, query: TickerQuery) -> Composed:
    """The consolidated ticker of a symbol; with `convert` other quotes of the coin's spot pairs are brought in."""
    found = reader.state.find(query.symbol)
    quoted = _list_converted(reader, found) if query.convert else reader.list_quoted(found.instruments)
    price = decide_price(quoted)
    if price is None:
        raise NotReadyError(f"No price of {found.name} has arrived yet", waiting_for=["price"], symbol=found.name)
    document = {
        "symbol": found.name,
        "exchange": "aggregated",
        **ticker_fields(price),
        "converted": any(item.converted is not None for item in price.used),
        "exchanges": [_venue_ticker(item, price) for item in quoted],
    }
    return Composed(document, found.name)


def ticker_fields(price: Consolidated) -> dict[str, Any]:
    """The consolidated figures with the best bid and offer of all venues, and who was left out."""
    bid, ask = price.best_bid, price.best_ask
    return {
        "price": decimal_number(price.price),
        "bid": _best_price(bid),
        "ask": _best_price(ask),
        "bid_exchange": None if bid is None else bid.exchange,
        "ask_exchange": None if ask is None else ask.exchange,
        "spread": decimal_number(price.best_spread),
        "crossed": price.best_spread is not None and price.best_spread < 0,
        "volume_24h": decimal_number(price.volume_24h),
        "change_24h": decimal_number(price.change_24h),
        "high_24h": decimal_number(price.high),
        "low_24h": decimal_number(price.low),
        "quote": price.quote,
        "market": price.market,
        "source": price.source,
        "stale_exchanges": list(dict.fromkeys(price.stale)),
        "outlier_exchanges": list(dict.fromkeys(price.outliers)),
        "age": Age(price.ts_recv),
        "quality": price.quality,
        "sim": price.sim,
    }


def compose_book(reader: Reader, query: MultiOrderbookQuery) -> Composed:
    """The consolidated book of a symbol."""
    found = reader.state.find(query.symbol)
    offered = list_offered(reader, found)
    book = merge_books(offered, query.depth, find_kind(reader.list_quoted(found.instruments)))
    if book is None:
        raise NoDataError(
            f"No order book of {found.name} has been received",
            parameter="symbol",
            exchanges=sorted({item.venue for item in found.instruments}),
        )
    return Composed(book_fields(book), found.name, {"age": Age(book.ts_recv), "quality": book.quality})


def book_fields(book: MergedBook) -> dict[str, Any]:
    """A merged book as it is answered; `total` of a level is price times amount in the quote."""
    bought, sold = (add_up(level.amount for level in side) for side in (book.bids, book.asks))
    return {
        "exchange": "aggregated",
        "quote": book.quote,
        "market": book.market,
        "bids": [_merged_level(level) for level in book.bids],
        "asks": [_merged_level(level) for level in book.asks],
        "depth": {"bids": len(book.bids), "asks": len(book.asks)},
        "bid_amount": decimal_number(bought),
        "ask_amount": decimal_number(sold),
        "spread": decimal_number(book.spread),
        "crossed": book.crossed,
        "imbalance": decimal_number(decide_imbalance(bought, sold)),
        "whole_to": {"bids": decimal_number(book.whole_bids), "asks": decimal_number(book.whole_asks)},
        "exchanges": [_venue_book(offer) for offer in book.used],
        "stale_exchanges": list(book.stale),
        "contracts_exchanges": list(book.in_contracts),
        "age": Age(book.ts_recv),
        "quality": book.quality,
        "sim": book.sim,
    }


def compose_trades(reader: Reader, query: TradesQuery) -> Composed:
    """The recent trades of a symbol over every exchange that it means, or of one, newest first."""
    found = reader.state.find(query.symbol, query.exchange)
    rows: list[tuple[int, Instrument, Trade]] = []
    newest_of: list[dict[str, Any]] = []
    ages: list[int] = []
    for item in found.instruments:
        document = reader.find_trades(item)
        if document is None or not document.trades:
            continue
        newest = max((trade.ts_recv for trade in document.trades if not trade.backfilled), default=0)
        own = worst((document.quality, *([SIM] if document.sim else [])))
        quality = reader.quality_of(own, newest, item, "trade")
        newest_of.append({"exchange": item.venue, "symbol": item.symbol, "age": Age(newest), "quality": quality})
        ages.append(newest)
        rows += [(_time_of(trade), item, trade) for trade in document.trades]
    rows.sort(key=lambda row: row[0], reverse=True)
    document = {
        "trades": [_trade(item, trade) for _, item, trade in rows[: query.limit]],
        "age": Age(max(ages)) if ages else None,
        "quality": worst(entry["quality"] for entry in newest_of),
        "exchanges": newest_of,
    }
    return Composed(document, found.name)


def compose_symbols(reader: Reader, query: SymbolsQuery) -> Composed:
    """The symbols that data is received of, with their exchanges; everything that exchanges list with `listed`."""
    state, reader.holds_until = reader.state, reader.now_ns + SYMBOLS_HOLD_NS
    if not state.symbols.instruments:
        raise NotReadyError("No exchange has listed its instruments yet", waiting_for=["instruments"])
    venue = None if query.exchange is None else state.find_venue(query.exchange)
    found = None if query.symbol is None else state.find_listed(query.symbol, query.exchange)
    wanted = _list_wanted(state, query, found)
    by_symbol: dict[str, dict[str, Any]] = {}
    for item in wanted:
        if venue in {None, item.venue}:
            entry = by_symbol.setdefault(item.symbol, _symbol(item))
            entry["exchanges"].append(item.venue)
            entry["names"][item.venue] = entry["exchange_symbols"][item.venue] = item.venue_symbol
    shown = ("quality", "last_message_age", "sim")
    held = feeds_by_venue(Reader(state, reader.now_ns))  # read aside: the answer holds though feeds move on
    feeds = {name: {key: feed[key] for key in shown} for name, feed in held.items()}
    counts = {
        name: {"symbols": count, **feeds.get(name, dict.fromkeys(shown))}
        for name, count in sorted(_count(by_symbol.values()).items())
    }
    document = {"symbols": [by_symbol[symbol] for symbol in sorted(by_symbol)], "exchanges": counts}
    return Composed(document, None if found is None else found.name)


def _list_wanted(state: MarketState, query: SymbolsQuery, found: Found | None) -> Iterable[Instrument]:
    if found is not None:
        return [item for item in found.instruments if query.listed or state.has_data(item)]
    if query.listed:
        return state.symbols.instruments
    return [item for item in state.list_received() if state.has_data(item)]  # of the past: what was there then


def _list_converted(reader: Reader, found: Found) -> list[Quoted]:
    """What is quoted in any coin: the spot pairs of the base, beside the instruments that the symbol itself means."""
    known = {item.tail for item in found.instruments}
    spot = any(item.contract == SPOT for item in found.instruments)
    others = [
        item
        for item in reader.state.list_of_base(found.base)
        if spot and item.contract == SPOT and item.tail not in known
    ]
    quoted = reader.list_quoted((*found.instruments, *others))
    return convert_quotes(reader, quoted, None if found.bare else found.instruments[0].quote)


def _best_price(best: Best | None) -> Any:
    return None if best is None else decimal_number(best.price)


def _venue_ticker(item: Quoted, price: Consolidated) -> dict[str, Any]:
    ticker, rate = item.ticker, item.converted
    return {
        **quoted_fields(item),
        "volume_24h": number(ticker.volume_24h),
        "change_24h": number(ticker.change_24h),
        "converted": None
        if rate is None
        else {"from": rate.quote, "rate": decimal_number(rate.rate), "source": rate.source},
        "used": any(item is used for used in price.used),
        "age": Age(ticker.ts_recv),
        "quality": item.quality,
        "sim": ticker.sim,
    }


def _merged_level(level: MergedLevel) -> dict[str, Any]:
    return {
        "price": decimal_number(level.price),
        "amount": decimal_number(level.amount),
        "total": decimal_number(EXACT.multiply(level.price, level.amount)),
        "exchanges": {venue: decimal_number(amount) for venue, amount in level.by_venue},
    }


def _venue_book(offer: Offered) -> dict[str, Any]:
    book = offer.book
    return {
        "exchange": book.venue,
        "symbol": book.symbol,
        "bid": number(book.bids[0][0]) if book.bids else None,
        "ask": number(book.asks[0][0]) if book.asks else None,
        "seq": book.seq,
        "age": Age(book.ts_recv),
        "quality": offer.quality,
        "sim": book.sim,
    }


def _trade(item: Instrument, trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "exchange": item.venue,
        "symbol": item.symbol,
        "price": number(trade.price),
        "amount": number(trade.amount),
        "contracts": number(trade.contracts),
        "side": trade.side,
        "age": Age(trade.ts_recv),
        "sim": trade.sim,
        "timestamp": iso(_time_of(trade)),
    }


def _time_of(trade: Trade) -> int:
    return trade.ts_recv if trade.ts_event is None else trade.ts_event


def _symbol(item: Instrument) -> dict[str, Any]:
    return {
        "symbol": item.symbol,
        "base": item.base,
        "quote": item.quote,
        "contract": item.contract,
        "market": item.contract,
        "exchanges": [],
        "names": {},
        "exchange_symbols": {},
    }


def _count(entries: Iterable[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        for venue in entry["exchanges"]:
            counts[venue] = counts.get(venue, 0) + 1
    return counts
