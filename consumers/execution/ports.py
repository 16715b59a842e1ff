"""What an executor needs from outside: the venue, the journal of its orders, permission to act, the bus, the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable

from contracts.services.trading.refusals import RefusalCode, refusal
from runtime.trading.figures import Fees, Levels, Print, Taken
from runtime.trading.order import Order, Report
from runtime.trading.rules import TradingRules


class UnclearError(Exception):
    """It is unknown whether the venue did it: no answer in time, a broken connection, an answer that makes no sense."""


class NotAllowedError(Exception):
    """New orders are not allowed now: switched off by the owner, a limit of risk, or it cannot be read.

    `refusal` has the code, the field and the rule at fault.
    """

    def __init__(
        self, message: str, code: RefusalCode, *, parameter: str | None = None, **figures: Decimal | str | int
    ) -> None:
        super().__init__(message)
        self.refusal = refusal(code, message, parameter=parameter, **figures)


class ChangedElsewhereError(Exception):
    """Another process has changed the order since it was read: this one must not go on with it."""


class Venue(Protocol):
    """One account on one venue. Whatever is not known for certain is an UnclearError, never a guess."""

    async def place(self, order: Order) -> Report:
        """Send an order that is not there yet; raises OrderRefusedError or UnclearError."""
        ...

    async def find(self, order: Order) -> Report | None:
        """Look among open and ended orders and trades; None where the venue says that it has none of that client id.

        Raises UnclearError.
        """
        ...

    async def cancel(self, order: Order) -> Report | None:
        """Cancel it; None where the answer lacks what became of it. Raises OrderRefusedError or UnclearError."""
        ...

    async def list_open(self) -> Sequence[Report]:
        """Return what is open, whoever placed it; raises UnclearError."""
        ...


class AccountVenue(Venue, Protocol):
    """What an account needs of its venue beside orders. Books and trades come in from the bus at any time."""

    @property
    def fees(self) -> Fees:
        """What the venue takes, as far as it is known."""
        ...

    async def open(self) -> frozenset[str]:
        """Read the account; returns the symbols of its open orders. StoreError or UnclearError where that cannot be."""
        ...

    async def close(self) -> None:
        """Let go of what it holds open."""
        ...

    async def rules(self, symbol: str) -> TradingRules:
        """Return what the venue takes of a symbol; InvalidParameterError where it does not trade that."""
        ...

    async def flush(self) -> Sequence[Report]:
        """Return what changed at the venue since the last call without having been asked for."""
        ...

    async def balances(self) -> Sequence[tuple[str, Decimal, Decimal]]:
        """Return each currency with what is free and what is held; StoreError or UnclearError."""
        ...

    async def look(self, order: Order) -> Sequence[Taken]:
        """Return what an order would take of the live book now, without placing it."""
        ...

    def price(self, symbol: str) -> Decimal | None:
        """Return the middle of the live book; None where there is none."""
        ...

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Take a live book as it is shown now."""
        ...

    def on_trade(self, symbol: str, trade: Print) -> None:
        """Take a trade of others."""
        ...


@runtime_checkable
class CountsDown(Protocol):
    """A venue that cancels what is open by itself where it receives no request of ours in time."""

    async def count_down(self, symbols: Sequence[str], seconds: float) -> None:
        """Have it cancel all orders of some symbols after so long, unless called again; raises UnclearError."""
        ...


class Journal(Protocol):
    """The orders of one account, on disk before the call returns."""

    async def insert(self, order: Order) -> Order:
        """Keep a new intent; returns the one that has its `client_id` already."""
        ...

    async def save(self, order: Order, before: Order) -> None:
        """Keep an order in place of the version before; raises ChangedElsewhereError where that is not the kept one."""
        ...

    async def find(self, order_id: str) -> Order | None:
        """Return an order."""
        ...

    async def find_client_id(self, client_id: str) -> Order | None:
        """Return the order of a client id."""
        ...

    async def list_unfinished(self) -> Sequence[Order]:
        """Return the orders that are not finished (`Order.is_finished`)."""
        ...


class Gate(Protocol):
    """Who may send orders now."""

    async def check(self, order: Order) -> None:
        """Return where it may be sent; raises NotAllowedError. Read again for each order."""
        ...

    def holds(self) -> bool:
        """Return whether this process still is the one that acts for the account."""
        ...


class Publisher(Protocol):
    """Where changes go."""

    async def publish(self, order: Order) -> None:
        """Publish an order as it is, once however often it is published."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of it; `now` gives ns UTC."""

    venue: Venue
    journal: Journal
    gate: Gate
    publisher: Publisher
    now: Callable[[], int]
