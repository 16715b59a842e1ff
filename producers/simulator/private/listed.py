"""A venue's listings as its private side trades them: markets with their steps, and the books that they show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from producers.simulator.market.listing import Listing
from producers.simulator.private.exchange import Exchange
from producers.simulator.private.money import Account
from producers.simulator.private.orders import Spot
from producers.simulator.private.shown import Levels

FEE: Final = Decimal("0.001")
LEAST_VALUE: Final = Decimal(5)
DEEPEST: Final = 50  # levels of a book that orders meet


def spot_of(listing: Listing) -> Spot:
    """Return a pair that takes its fees of what an order receives."""
    terms = listing.instrument
    return Spot(
        symbol=terms.symbol,
        base=terms.base,
        quote=terms.quote,
        price_step=Decimal(terms.tick),
        amount_step=Decimal(terms.lot),
        least_amount=Decimal(terms.lot),
        least_value=LEAST_VALUE,
        maker=FEE,
        taker=FEE,
        fee_in="received",
    )


def show_book(exchange: Exchange, listing: Listing, now_us: int) -> None:
    """Hand an exchange the book that a listing has now."""
    bids, asks = (_levels(listing, rows) for rows in (listing.book.list_bids(), listing.book.list_asks()))
    exchange.on_book(listing.instrument.symbol, bids, asks, now_us)


def show_open(exchange: Exchange, listings: Mapping[str, Listing], now_us: int) -> None:
    """Hand an exchange the books in which orders wait."""
    for symbol in sorted(exchange.open_symbols):
        show_book(exchange, listings[symbol], now_us)


def count_within(account: Account, name: str, window_us: int, now_us: int) -> int:
    """Count a request of an account; return how many came within the window that this moment is in."""
    window = now_us // window_us
    if account.memory.get(f"{name} window") != window:
        account.memory[f"{name} window"], account.memory[name] = window, 0
    account.memory[name] += 1
    return account.memory[name]


def _levels(listing: Listing, rows: list[tuple[int, int]]) -> Levels:
    terms = listing.instrument
    return [(Decimal(terms.price_text(price)), Decimal(terms.amount_text(amount))) for price, amount in rows[:DEEPEST]]
