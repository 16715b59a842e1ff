"""Indodax's private side beside its public one: which request is which, and the book that its orders meet."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from producers.simulator.hub import Answer, Request
from producers.simulator.market.listing import Listing
from producers.simulator.private import Exchange, PrivateSide, Refusals, Spot
from producers.simulator.venues.indodax.histories import Histories
from producers.simulator.venues.indodax.tapi import EXCESS, Tapi

LEAST_VALUE: Final = Decimal(10_000)
LEAST_AMOUNT: Final = Decimal("0.0001")
EIGHT_DECIMALS: Final = Decimal("0.00000001")
LEVELS: Final = 100
MAINTENANCE: Final = Answer(503, "<html><body>Service Temporarily Unavailable</body></html>")
REFUSALS: Final = Refusals(lambda: MAINTENANCE, lambda: EXCESS)


class Accounts:
    """Answers of `/tapi`, `/tapi/countdownCancelAll` and `/api/v2/…`; fees are 0.3 % of the value, in the quote."""

    def __init__(self, listings: Mapping[str, Listing], *, enforce_limits: bool) -> None:
        self._listings = {f"{item.instrument.base}/{item.instrument.quote}": item for item in listings.values()}
        self.side = PrivateSide(Exchange(map(_spot, self._listings.values())))
        self._tapi = Tapi(self.side.exchange, enforce_limits=enforce_limits)
        self._histories = Histories(self.side.exchange)

    def accepts(self, path: str) -> bool:
        """Return whether a request is for this side."""
        return path.startswith(("/tapi", "/api/v2/"))

    def answer(self, request: Request, now_us: int) -> Answer:
        """Answer a private request, or break its connection."""
        self.move(now_us)
        serve = self._histories if request.path.startswith("/api/v2/") else self._tapi
        method = serve.method_of(request)
        self._show({symbol for symbol in self._listings if _pair(symbol) in request.body}, now_us)
        return self.side.answer(method, lambda at: serve.answer(request, at), REFUSALS, now_us)

    def move(self, now_us: int) -> None:
        """Let the books of now meet what is open, and carry out what is due."""
        self._show(self.side.exchange.open_symbols, now_us)
        self.side.tick(now_us)

    def _show(self, symbols: set[str], now_us: int) -> None:
        for symbol in sorted(symbols):
            listing = self._listings[symbol]
            bids, asks = listing.book.list_bids(LEVELS), listing.book.list_asks(LEVELS)
            self.side.exchange.on_book(symbol, _levels(listing, bids), _levels(listing, asks), now_us)


def _spot(listing: Listing) -> Spot:
    terms = listing.instrument
    return Spot(
        symbol=f"{terms.base}/{terms.quote}",
        base=terms.base,
        quote=terms.quote,
        price_step=Decimal(terms.tick),
        amount_step=EIGHT_DECIMALS,
        least_amount=LEAST_AMOUNT,
        least_value=LEAST_VALUE,
    )


def _pair(symbol: str) -> str:
    return symbol.replace("/", "_").lower()


def _levels(listing: Listing, levels: list[tuple[int, int]]) -> list[tuple[Decimal, Decimal]]:
    terms = listing.instrument
    return [(Decimal(p).scaleb(-terms.price_scale), Decimal(a).scaleb(-terms.amount_scale)) for p, a in levels]
