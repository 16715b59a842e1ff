"""Dated prices taken from dollar tickers as they are read, live and over the past. Pure."""

from __future__ import annotations

from typing import Any, Final

from contracts import subjects
from contracts.arithmetic.usd import DatedRates

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
DOLLAR_TICKERS: Final = subjects.TICKER + "*.*.USD.spot"
_DOLLARS: Final = ".USD.spot"
_TICKER, _DOLLARS_END = subjects.TICKER.encode(), _DOLLARS.encode()


def is_dollar_ticker(subject: bytes) -> bool:
    """Return whether a message is the ticker of a dollar price."""
    return subject.startswith(_TICKER) and subject.endswith(_DOLLARS_END)


class PriceTaker:
    """Keeps the prices that tickers tell; `rates` values by them."""

    def __init__(self, rates: DatedRates) -> None:
        self.rates = rates

    def take(self, subject: str, event: FastEvent) -> bool:
        """Take the price of a spot ticker and return True; False for every other event."""
        if not subject.startswith(subjects.TICKER):
            return False
        if event.last is not None and not subject.startswith(subjects.CONSOLIDATED_TICKER):
            base, _, quote = event.symbol.partition("/")
            self.rates.on_price(base, quote, event.last, event.ts_recv)
        return True
