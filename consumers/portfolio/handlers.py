"""Keeps every execution of the stream of trading, and serves `cmd.v1.portfolio.*`; any number of processes may."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from faststream.nats import NatsRouter

from consumers.portfolio import core
from consumers.portfolio.prices import Prices
from consumers.portfolio.store import INDEXES, PortfolioStore
from contracts import subjects
from contracts.arithmetic.moments import as_datetime
from contracts.errors import NotFoundError, NotReadyError, SymbolSyntaxError
from contracts.instrument import split_symbol
from contracts.services.responses import pages_of
from contracts.services.trading.accounts import AccountInfo, AccountList, ListAccounts
from contracts.services.trading.events import OrderFilled
from contracts.services.trading.portfolio import QUEUE, FindPortfolio, LedgerPage, ListLedger, Portfolio
from contracts.streams import DURABLES, DurableSpec
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.documents import open_store
from runtime.app.intervals import ticks
from runtime.app.service import Consumer, Service
from runtime.app.serving import Serving
from runtime.app.settling import BadMessageError, durable
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus
from runtime.nats.durable import find_durable
from runtime.store import StoreError

_log = structlog.get_logger("portfolio")
DURABLE: Final[DurableSpec] = next(spec for spec in DURABLES if spec.name == "portfolio")


def make_consumer(documents: str, spec: DurableSpec = DURABLE) -> Consumer:
    """Return the consumer that keeps its documents at a URL."""

    async def run(service: Service) -> None:
        async with open_store(service, documents, INDEXES) as store:
            if store is None:
                return
            serving = Serving(service.bus, service.broker, make_router(Books(service.bus, PortfolioStore(store), spec)))
            try:
                await serving.open()
                service.ready()
                async for _ in ticks(service.stop, 1.0, serving.failed):
                    service.report("serving", 1)
            finally:
                await serving.close()

    return Consumer(run)


@dataclass(frozen=True, slots=True)
class Books:
    """Executions that are kept, and what else is asked for an answer: accounts and prices."""

    bus: Bus
    store: PortfolioStore
    durable: DurableSpec

    async def take(self, fill: OrderFilled) -> None:
        """Keep an execution, once however often it comes; BadMessageError for one of no symbol."""
        try:
            split_symbol(fill.symbol)
        except SymbolSyntaxError as error:
            raise BadMessageError(f"{fill.symbol} is no symbol") from error
        await self.store.save(fill)

    async def find(self, query: FindPortfolio) -> Portfolio:
        """Return what an owner has at the prices of now; NotFoundError where there is no such account."""
        accounts = await self._accounts(query.owner)
        if query.account is not None:
            accounts = [account for account in accounts if account.name == query.account]
            if not accounts:
                raise NotFoundError(f"There is no account {query.account}", name=query.account)
        executions = await self.store.list_executions(query.owner, [account.id for account in accounts])
        books = core.Books.of(executions)
        held = {
            balance.currency for account in accounts for balance in account.balances if balance.free or balance.held
        }
        wanted = held | books.currencies() | {balance.currency for account in accounts for balance in account.balances}
        rates = await Prices(CommandClient(self.bus)).rates(wanted, query.currency)
        items = core.holdings(accounts, books, rates)
        return Portfolio(
            currency=query.currency,
            items=items,
            strategies=core.strategy_profits(accounts, books, rates),
            totals=core.totals(items),
            unpriced=sorted(name for name in held | books.currencies() if rates[name] is None),
            pending=await self._is_behind(),
            time=as_datetime(clock.now_ns()),
        )

    async def ledger(self, query: ListLedger) -> LedgerPage:
        """Return a page of the ledger; NotFoundError where there is and was no such account."""
        await self._accounts(query.owner)
        names = await self.store.names(query.owner)
        ids = None
        if query.account is not None:
            ids = [account for account, name in names.items() if name == query.account]
            if not ids:
                raise NotFoundError(f"There is no account {query.account}", name=query.account)
        executions = await self.store.list_executions(query.owner, ids)
        rows = core.ledger_rows(executions, query.method, names)
        first = (query.page - 1) * query.page_size
        return LedgerPage(
            items=rows[first : first + query.page_size],
            total=len(rows),
            page=query.page,
            page_size=query.page_size,
            pages=pages_of(len(rows), query.page_size),
            method=query.method,
            pending=await self._is_behind(),
        )

    async def _accounts(self, owner: str) -> list[AccountInfo]:
        """Return an owner's accounts, after keeping their names."""
        query = ListAccounts(owner=owner)
        accounts = (await CommandClient(self.bus).request("trading.list_accounts", query, AccountList)).items
        await self.store.save_names(owner, {account.id: account.name for account in accounts})
        return accounts

    async def _is_behind(self) -> bool:
        """Return whether the stream has executions that are not kept yet."""
        info = await find_durable(self.bus, self.durable)
        return info is None or int(info["num_pending"]) + int(info["num_ack_pending"]) > 0


def make_router(books: Books) -> NatsRouter:
    """Return the handlers of the stream and of both commands."""
    router = NatsRouter()

    @router.subscriber(**durable(books.durable))
    async def on_fill(event: OrderFilled) -> None:
        await books.take(event)

    @router.subscriber(**_command("find"))
    async def on_find(query: FindPortfolio) -> Portfolio:
        async with _reachable():
            return await books.find(query)

    @router.subscriber(**_command("ledger"))
    async def on_ledger(query: ListLedger) -> LedgerPage:
        async with _reachable():
            return await books.ledger(query)

    return router


def _command(verb: str) -> CommandArguments:
    return command(subjects.PORTFOLIO_COMMAND + verb, QUEUE)


@asynccontextmanager
async def _reachable() -> AsyncGenerator[None]:
    """Raise NotReadyError where the document store fails."""
    try:
        yield
    except StoreError as error:
        _log.warning("portfolio.store_failed", error=str(error))
        raise NotReadyError("The document store is not available", waiting_for=["document store"]) from None
