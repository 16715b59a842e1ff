"""Accounts that this process acts for: each with its venue, its journal and its executor.

The key of an account at an exchange is opened here, in memory only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import structlog
from nats.errors import Error as NatsError

from consumers.execution.account import Account
from consumers.execution.documents.accounts import AccountStore
from consumers.execution.documents.journal import DocumentJournal
from consumers.execution.executor import Executor
from consumers.execution.gate import AccountGate
from consumers.execution.markets import LiveMarkets
from consumers.execution.paper.store import PaperStore
from consumers.execution.paper.venue import PaperVenue
from consumers.execution.ports import AccountVenue, ChangedElsewhereError, Ports, UnclearError
from consumers.execution.publishing import BusPublisher
from consumers.execution.safety.permits import Permits
from consumers.execution.safety.watched import WatchedVenue
from consumers.execution.venues.making import Exchanges, ExchangeVenue
from consumers.execution.venues.unusable import UnusableVenue
from contracts.errors import ConflictError, DisabledError, InvalidParameterError
from contracts.services.trading.accounts import PAPER
from contracts.services.trading.events import ForeignOrder
from contracts.services.trading.sealed import SealedText
from runtime import clock
from runtime.credentials import belonging_of, open_credential
from runtime.nats.bus import Bus
from runtime.store import Store, StoreError
from runtime.trading.figures import Fees
from runtime.trading.order import Order, Report
from runtime.vault import SealBrokenError, Vault

_log = structlog.get_logger("execution")
PAPER_FEES: Final = Fees(maker=Decimal("0.003"), taker=Decimal("0.003"))  # the highest of the exchanges: Indodax's
BEHIND: Final = (NatsError, StoreError, UnclearError, ChangedElsewhereError)


@dataclass(frozen=True, slots=True)
class Acting:
    """What every account needs; `token` is that of who acts now, 0 where that is nobody here.

    `vault` opens keys of exchanges, None where no secret is set.
    """

    bus: Bus
    store: Store
    markets: LiveMarkets
    permits: Permits
    token: Callable[[], int]
    vault: Vault | None = None
    exchanges: Exchanges = field(default_factory=Exchanges)


@dataclass(slots=True)
class Work:
    """Orders that are on their way into the journal, and whether no more are taken as the account goes away."""

    submitting: int = 0
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """One account at work; its executor meets the venue as it is `watched`."""

    account: Account
    venue: AccountVenue
    watched: WatchedVenue
    journal: DocumentJournal
    executor: Executor
    publisher: BusPublisher
    work: Work = field(default_factory=Work)

    async def submit(self, order: Order) -> Order:
        """Submit an order; what the bus does not take is published later. ConflictError as the account goes away."""
        if self.work.closing:
            raise ConflictError("The account is being taken away", name=self.account.name)
        self.work.submitting += 1
        try:
            return await self.executor.submit(order)
        except NatsError as error:
            self._behind(error)
            return await self.journal.find_client_id(order.client_id) or order
        finally:
            self.work.submitting -= 1

    @asynccontextmanager
    async def closing(self) -> AsyncGenerator[None]:
        """Take no more orders, for good where the block succeeds; ConflictError where some are not finished."""
        refusal = ConflictError("Orders of this account are not finished: cancel them first", name=self.account.name)
        if self.work.submitting or self.work.closing:
            raise refusal
        self.work.closing = True
        try:
            if await self.journal.list_unfinished():
                raise refusal
            yield
        except BaseException:
            self.work.closing = False
            raise

    async def cancel(self, order: Order) -> Order:
        """Cancel an order; what the bus does not take yet is published later."""
        try:
            return await self.executor.cancel(order.id) or order
        except NatsError as error:
            self._behind(error)
            return await self.journal.find(order.id) or order

    async def flush(self) -> None:
        """Bring what the venue did by itself into the journal; what fails is asked for later."""
        try:
            for report in await self.venue.flush():
                await self.executor.take(report)
        except BEHIND as error:
            self._behind(error)

    async def settle(self) -> None:
        """Go on with what is not finished; what fails is tried again."""
        try:
            await self.executor.settle()
        except BEHIND as error:
            self._behind(error)

    async def reconcile(self) -> None:
        """Compare with the venue; what is nobody's there is published."""
        try:
            found = await self.executor.reconcile()
            for report in found.foreign:
                await self.publisher.publish_foreign(self._foreign(report))
        except BEHIND as error:
            self._behind(error)

    def _foreign(self, report: Report) -> ForeignOrder:
        account = self.account
        return ForeignOrder(
            id=f"{account.id}.foreign.{report.venue_order_id}",
            ts=clock.now_ns(),
            account=account.id,
            owner=account.owner,
            venue=account.venue,
            symbol=report.symbol or "unknown",
            venue_order_id=report.venue_order_id,
            client_id=report.client_id,
        )

    def _behind(self, error: Exception) -> None:
        _log.warning("execution.behind", account=self.account.id, error=str(error) or type(error).__name__)


class OpenedAccounts:
    """Opens accounts when they are first needed, each once."""

    def __init__(self, acting: Acting) -> None:
        self._acting = acting
        self._opened: dict[str, Opened] = {}
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._opened)

    def list(self) -> list[Opened]:
        """Return those that are open."""
        return list(self._opened.values())

    async def open(self, account: Account) -> Opened:
        """Return an account at work: claimed, its venue read, its symbols watched. StoreError where that fails.

        One at an exchange whose key cannot be used any more says so where its venue is needed.
        """
        async with self._lock:
            opened = self._opened.get(account.id)
            if opened is None:
                opened = self._make(account, await self._venue(account))
                await opened.journal.claim()
                for symbol in await opened.venue.open():
                    await self._acting.markets.watch(account.exchange, symbol, opened.venue)
                self._opened[account.id] = opened
            return opened

    async def watch(self, opened: Opened, symbol: str) -> None:
        """Hand a symbol's book and trades to an account's venue."""
        async with self._lock:
            await self._acting.markets.watch(opened.account.exchange, symbol, opened.venue)

    async def forget(self, account_id: str) -> None:
        """Act for an account no more."""
        opened = self._opened.pop(account_id, None)
        if opened is not None:
            self._acting.markets.forget(opened.venue)
            await opened.venue.close()

    async def close(self) -> None:
        """Let go of every account."""
        for account_id in list(self._opened):
            await self.forget(account_id)
        await self._acting.exchanges.close()

    async def check(self, account: Account, sealed: SealedText) -> None:
        """Return where an account can trade with a key; InvalidParameterError says what is wrong with it.

        DisabledError without a secret to open it with, UnclearError where the exchange gives no clear answer.
        """
        venue = self._exchange(account, sealed)
        try:
            await venue.check()
        finally:
            await venue.close()

    async def _venue(self, account: Account) -> AccountVenue:
        acting = self._acting
        if account.venue == PAPER:
            return PaperVenue(PaperStore(acting.store, account.id, PAPER_FEES, acting.token), account.balance)
        sealed = await AccountStore(acting.store).find_credential(account.id)
        if sealed is None:
            return UnusableVenue(f"the key of account {account.name} is destroyed")
        try:
            return self._exchange(account, sealed)
        except (InvalidParameterError, DisabledError) as error:
            return UnusableVenue(error.message)

    def _exchange(self, account: Account, sealed: SealedText) -> ExchangeVenue:
        """Return an account's venue with its key; InvalidParameterError, DisabledError where it cannot be used."""
        if self._acting.vault is None:
            raise DisabledError("Accounts at exchanges are off: APP_SECRET_KEY is not set")
        whose = belonging_of(account.owner, account.name, account.venue)
        try:
            credential = open_credential(self._acting.vault, sealed, whose)
        except SealBrokenError:
            message = f"The key of account {account.name} does not open: link it again"
            raise InvalidParameterError(message, parameter="credential") from None
        return self._acting.exchanges.make(account.venue, credential)

    def _make(self, account: Account, venue: AccountVenue) -> Opened:
        acting = self._acting
        journal = DocumentJournal(acting.store, account.id, acting.token)
        watched = WatchedVenue(venue, account, acting.permits.breaker)
        gate = AccountGate(account, journal, acting.permits, lambda: acting.token() > 0, venue.price, clock.now_ns)
        publisher = BusPublisher(acting.bus)
        executor = Executor(Ports(watched, journal, gate, publisher, clock.now_ns))
        return Opened(account, venue, watched, journal, executor, publisher)
