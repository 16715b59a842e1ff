"""`market.orderbook`: one venue's book, by default the deepest live one, with spread and imbalance. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from consumers.market.answering import Composed
from consumers.market.consolidated import Offered
from consumers.market.price import SPOT
from consumers.market.quality import STALE
from consumers.market.state import Found, Reader
from contracts.arithmetic.book import amount_within, book_figures
from contracts.arithmetic.exact import EXACT
from contracts.errors import NoDataError
from contracts.instrument import Instrument
from contracts.schema.literals import Age
from contracts.services.market import OrderbookQuery


def compose_orderbook(reader: Reader, query: OrderbookQuery) -> Composed:
    """The book of a symbol on the venue that was asked for, or on the deepest live one."""
    found = reader.state.find(query.symbol, query.exchange)
    offered = list_offered(reader, found)
    wide = [offer for offer in offered if query.min_spread is None or has_spread(offer, Decimal(query.min_spread))]
    chosen = decide_book(wide, query.depth)
    if chosen is None and offered:
        raise NoDataError(
            f"No order book of {found.name} has a spread of at least {query.min_spread}",
            parameter="min_spread",
            exchanges=sorted({offer.item.venue for offer in offered}),
        )
    if chosen is None:
        raise NoDataError(
            f"No order book of {found.name} has been received",
            parameter="symbol",
            exchanges=sorted({item.venue for item in found.instruments}),
        )
    data = book_fields(chosen, query.depth)
    return Composed(data, found.name, {"age": Age(chosen.book.ts_recv), "quality": chosen.quality})


def has_spread(offer: Offered, least: Decimal) -> bool:
    """Whether a book has two sides at least so far apart."""
    bids, asks = offer.book.bids, offer.book.asks
    return bool(bids and asks) and EXACT.subtract(Decimal(asks[0][0]), Decimal(bids[0][0])) >= least


def decide_book(offered: Sequence[Offered], depth: int) -> Offered | None:
    """Choose what is not stale before what is, spot before contracts, then what holds most within the depth."""
    return max(
        offered,
        key=lambda offer: (
            offer.quality != STALE,
            offer.item.contract == SPOT,
            amount_within(offer.book.bids, depth) + amount_within(offer.book.asks, depth),
        ),
        default=None,
    )


def book_fields(offer: Offered, depth: int) -> dict[str, Any]:
    """A book as it is answered."""
    book = offer.book
    return {
        "exchange": book.venue,
        "symbol": book.symbol,
        "quote": offer.item.quote,
        "market": offer.item.contract,
        "unit": book.unit,
        **book_figures(book.bids[:depth], book.asks[:depth], book.unit),
        "seq": book.seq,
        "age": Age(book.ts_recv),
        "quality": offer.quality,
        "sim": book.sim,
    }


def list_offered(reader: Reader, found: Found) -> list[Offered]:
    """List the books of the instruments that a symbol means."""
    return offer_books(reader, found.instruments)


def offer_books(reader: Reader, instruments: Iterable[Instrument]) -> list[Offered]:
    """List the books that some instruments have."""
    offered: list[Offered] = []
    for item in instruments:
        book = reader.find_book(item)
        if book is not None:
            offered.append(Offered(item, book, reader.quality(book, item, "book")))
    return offered
