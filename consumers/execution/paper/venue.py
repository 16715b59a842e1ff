"""The paper venue as an executor meets it: nothing is reported before it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

from consumers.execution.paper.store import PaperStore, write_account
from consumers.execution.ports import ChangedElsewhereError, UnclearError
from contracts.arithmetic.book import add_up
from contracts.arithmetic.exact import EXACT, FINE, rounded
from runtime import clock
from runtime.store import StoreError
from runtime.trading.figures import Fees, Levels, OrderRefusedError, Print, Taken
from runtime.trading.order import SECOND, Order, Report
from runtime.trading.paper.account import PaperAccount, PaperOrder
from runtime.trading.rules import TradingRules, paper_rules

LATENCY_SECONDS: Final = 0.1  # from here to an exchange, as paper orders take it
FRESH_NS: Final = 60 * SECOND  # how old a book may be for an order to be placed on it
_ZERO: Final = Decimal(0)


class PaperVenue:
    """One paper account. Books and trades come in at any time, and fill what is open; `flush` says what they did.

    What could not be written is forgotten: the account is read again, as if the exchange had not done it.
    """

    def __init__(
        self,
        store: PaperStore,
        balance: Mapping[str, Decimal],
        now: Callable[[], int] = clock.now_ns,
        latency: float = LATENCY_SECONDS,
    ) -> None:
        self._store, self._balance, self._now, self._latency = store, balance, now, latency
        self._account: PaperAccount | None = None
        self._books: dict[str, tuple[Levels, Levels]] = {}
        self._book_ns: dict[str, int] = {}
        self._unsaved: dict[str, PaperOrder] = {}
        self._unsaid: dict[str, Report] = {}
        self._ended: frozenset[str] = frozenset()  # stand in what was written last as ended
        self._lock = asyncio.Lock()

    @property
    def fees(self) -> Fees:
        """What every execution costs."""
        return self._store.fees

    async def close(self) -> None:
        """Do nothing: everything is written."""

    async def rules(self, symbol: str) -> TradingRules:
        """Return the rules of a spot pair, the same for each; InvalidParameterError where it names none."""
        return paper_rules(symbol)

    async def open(self) -> frozenset[str]:
        """Read the account; returns the symbols of its open orders. StoreError where that cannot be."""
        async with self._saved() as account:
            return frozenset(order.symbol for order in account.orders.values())

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Take a live book as it is shown now."""
        self._books[symbol], self._book_ns[symbol] = (tuple(bids), tuple(asks)), self._now()
        if self._account is not None:
            self._note(self._account.on_book(symbol, self._books[symbol], self._now()))

    def on_trade(self, symbol: str, trade: Print) -> None:
        """Take a trade of others."""
        if self._account is not None:
            self._note(self._account.on_trade(symbol, trade, self._now()))

    async def flush(self) -> list[Report]:
        """Write what books and trades have filled; return what is to be said. StoreError, ChangedElsewhereError."""
        if self._unsaved:
            async with self._saved():
                pass
        said, self._unsaid = self._unsaid, {}
        return list(said.values())

    async def balances(self) -> list[tuple[str, Decimal, Decimal]]:
        """Return each currency with what is free and what is held; StoreError where that cannot be read."""
        async with self._saved() as account:
            held = account.held()
            return [
                (name, EXACT.subtract(amount, held.get(name, _ZERO)), held.get(name, _ZERO))
                for name, amount in sorted(account.balances.items())
            ]

    async def look(self, order: Order) -> list[Taken]:
        """Return what an order would take now, without placing it; StoreError where that cannot be read."""
        async with self._saved() as account:
            return account.market(order.symbol).look(order.side, order.amount, order.price)

    def price(self, symbol: str) -> Decimal | None:
        """Return the middle of the live book; None where there is none."""
        bids, asks = self._books.get(symbol, ((), ()))
        best = [levels[0][0] for levels in (tuple(bids), tuple(asks)) if levels]
        if not best or not self._is_fresh(symbol):
            return None
        return rounded(FINE.divide(add_up(best), Decimal(len(best))))

    async def place(self, order: Order) -> Report:
        """Take an order; one that is there already is that one."""
        await clock.sleep(self._latency)
        async with _unclear(), self._saved() as account:
            known = await self._known(account, order.client_id)
            if known is not None:
                return known.report()
            if not self._is_fresh(order.symbol):
                raise OrderRefusedError(f"there is no live book of {order.symbol} now", "NO_LIVE_BOOK")
            placed = account.place(order, self._now())
            self._note([placed])
            return placed.report()

    async def find(self, order: Order) -> Report | None:
        """Return what became of an order; None where there is none."""
        async with _unclear(), self._saved() as account:
            found = await self._known(account, order.client_id)
            return None if found is None else found.report()

    async def cancel(self, order: Order) -> Report | None:
        """Cancel an open order."""
        await clock.sleep(self._latency)
        async with _unclear(), self._saved() as account:
            cancelled = account.cancel(order.client_id)
            if cancelled is None:
                raise OrderRefusedError("there is no such open order")
            self._note([cancelled])
            return cancelled.report()

    async def list_open(self) -> Sequence[Report]:
        """Return what is open."""
        async with _unclear(), self._saved() as account:
            return [order.report() for order in account.orders.values()]

    def _is_fresh(self, symbol: str) -> bool:
        return self._now() - self._book_ns.get(symbol, 0) <= FRESH_NS

    def _note(self, orders: Iterable[PaperOrder]) -> None:
        self._unsaved.update((order.client_id, order) for order in orders)

    async def _known(self, account: PaperAccount, client_id: str) -> PaperOrder | None:
        there = account.orders.get(client_id) or account.ended.get(client_id)
        return there or await self._store.find_ended(client_id)

    @asynccontextmanager
    async def _saved(self) -> AsyncGenerator[PaperAccount]:
        """Give the account to one at a time, and write what was done to it."""
        async with self._lock:
            account = self._account or await self._load()
            yield account
            await self._save(account)

    async def _load(self) -> PaperAccount:
        account = await self._store.load(self._balance)
        self._account, self._ended = account, frozenset(account.ended)
        for symbol, book in self._books.items():
            self._note(account.on_book(symbol, book, self._now()))
        return account

    async def _save(self, account: PaperAccount) -> None:
        if not self._unsaved:
            return
        unsaved, self._unsaved = self._unsaved, {}
        moved = [account.ended[name] for name in self._ended]
        reports = {name: order.report() for name, order in unsaved.items()}
        ended = frozenset(account.ended) - self._ended
        try:
            await self._store.save(write_account(account, self._ended), moved)
        except BaseException:  # what is on disk is the truth, also where the write was cancelled
            self._account, self._unsaved = None, {}
            raise
        for order in moved:
            del account.ended[order.client_id]
        self._ended = ended
        self._unsaid.update(reports)


@asynccontextmanager
async def _unclear() -> AsyncGenerator[None]:
    """Raise UnclearError where the documents fail: it is unknown whether it was written."""
    try:
        yield
    except (StoreError, ChangedElsewhereError) as error:
        raise UnclearError(f"the paper account could not be read or written: {type(error).__name__}") from error
