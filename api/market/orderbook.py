"""`GET /gpt/orderbook`: one venue's book, by default the deepest live one, with spread and imbalance. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from api.answers import Age, decimal_number, envelope, number
from api.market.answering import Params, refuse_unknown, text, whole
from api.market.consolidated import Offered, add_up, decide_imbalance
from api.market.price import SPOT
from api.market.quality import STALE
from api.market.state import Found, Reader
from api.refusals import NoDataError
from contracts.figures import EXACT

DEFAULT_DEPTH: Final = 20
Level = tuple[str, str]


def compose_orderbook(reader: Reader, params: Params) -> dict[str, Any]:
    """The book of a symbol on the venue that was asked for, or on the deepest live one."""
    refuse_unknown(params, ("symbol", "depth", "exchange"))
    depth = whole(params, "depth", DEFAULT_DEPTH)
    found = reader.state.find(text(params, "symbol"), params.get("exchange"))
    chosen = decide_book(list_offered(reader, found), depth)
    if chosen is None:
        raise NoDataError(
            f"No order book of {found.name} has been heard",
            parameter="symbol",
            exchanges=sorted({item.venue for item in found.instruments}),
        )
    data = book_fields(chosen, depth)
    return envelope(found.name, data, {"age": Age(chosen.book.ts_recv), "quality": chosen.quality})


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
    """A book as it is answered. `total` is price times amount in the quote; null where amounts are contracts."""
    book = offer.book
    bids, asks = book.bids[:depth], book.asks[:depth]
    return {
        "exchange": book.venue,
        "symbol": book.symbol,
        "quote": offer.item.quote,
        "market": offer.item.contract,
        "unit": book.unit,
        "bids": [_level(level, book.unit) for level in bids],
        "asks": [_level(level, book.unit) for level in asks],
        "spread": decimal_number(spread(bids, asks)),
        "imbalance": decimal_number(imbalance(bids, asks)),
        "seq": book.seq,
        "age": Age(book.ts_recv),
        "quality": offer.quality,
        "sim": book.sim,
    }


def spread(bids: Sequence[Level], asks: Sequence[Level]) -> Decimal | None:
    """Best ask less best bid; None where a side is empty."""
    return EXACT.subtract(Decimal(asks[0][0]), Decimal(bids[0][0])) if bids and asks else None


def imbalance(bids: Sequence[Level], asks: Sequence[Level]) -> Decimal | None:
    """Which side holds more, from -1 (all asks) to 1 (all bids); None where the book is empty."""
    return decide_imbalance(amount_within(bids, len(bids)), amount_within(asks, len(asks)))


def amount_within(levels: Sequence[Level], depth: int) -> Decimal:
    """The sum of the amounts of the best levels."""
    return add_up(Decimal(amount) for _, amount in levels[:depth])


def list_offered(reader: Reader, found: Found) -> list[Offered]:
    """List the books of the instruments that a symbol means."""
    offered: list[Offered] = []
    for item in found.instruments:
        book = reader.find_book(item)
        if book is not None:
            offered.append(Offered(item, book, reader.quality(book, item.venue)))
    return offered


def _level(level: Level, unit: str) -> dict[str, Any]:
    price, amount = level
    total = EXACT.multiply(Decimal(price), Decimal(amount)) if unit == "base" else None
    return {"price": number(price), "amount": number(amount), "total": decimal_number(total)}
