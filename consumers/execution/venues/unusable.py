"""An account at an exchange whose key cannot be used: every question is answered with why, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NoReturn

from consumers.execution.ports import UnclearError
from runtime.trading.figures import Fees, Levels, OrderRefusedError, Print, Taken
from runtime.trading.order import Order, Report
from runtime.trading.rules import TradingRules

_NOTHING: Final = Fees(Decimal(0), Decimal(0))


class UnusableVenue:
    """Refuses orders with the reason; what became of those sent before is unknown."""

    fees = _NOTHING

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def open(self) -> frozenset[str]:
        """Return nothing to watch."""
        return frozenset()

    async def close(self) -> None:
        """Do nothing."""

    async def rules(self, symbol: str) -> TradingRules:
        """Raise UnclearError."""
        del symbol
        self._fail()

    async def flush(self) -> Sequence[Report]:
        """Return nothing."""
        return ()

    async def balances(self) -> Sequence[tuple[str, Decimal, Decimal]]:
        """Raise UnclearError."""
        self._fail()

    async def look(self, order: Order) -> Sequence[Taken]:
        """Raise UnclearError."""
        del order
        self._fail()

    def price(self, symbol: str) -> Decimal | None:
        """Return None."""
        del symbol

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Do nothing."""

    def on_trade(self, symbol: str, trade: Print) -> None:
        """Do nothing."""

    async def place(self, order: Order) -> Report:
        """Raise OrderRefusedError."""
        del order
        raise OrderRefusedError(f"it was not sent: {self._reason}", "KEY_REFUSED")

    async def find(self, order: Order) -> Report | None:
        """Raise UnclearError."""
        del order
        self._fail()

    async def cancel(self, order: Order) -> Report | None:
        """Raise UnclearError."""
        del order
        self._fail()

    async def list_open(self) -> Sequence[Report]:
        """Raise UnclearError."""
        self._fail()

    def _fail(self) -> NoReturn:
        raise UnclearError(self._reason)
