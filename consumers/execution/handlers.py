"""Serves `cmd.v1.trading.*` and acts for every account while it holds the lease; other processes stand by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from faststream.nats import NatsRouter
from nats.errors import Error as NatsError

from consumers.execution.account import describe, describe_fills
from consumers.execution.documents import accounts as account_documents
from consumers.execution.documents import journal
from consumers.execution.markets import LiveMarkets
from consumers.execution.opened import Acting, OpenedAccounts
from consumers.execution.ports import ChangedElsewhereError
from consumers.execution.trading import Trading
from contracts import subjects
from contracts.errors import NotReadyError
from contracts.services.trading import accounts as words
from contracts.services.trading import orders
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.documents import open_store
from runtime.app.intervals import ticks
from runtime.app.leased import hold
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.nats.announce import Announcer
from runtime.nats.audit import publish_audit
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.reader import Watchers
from runtime.store import StoreError

_log = structlog.get_logger("execution")
INDEXES: Final = (*journal.INDEXES, *account_documents.INDEXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPlan:
    """Where the documents are; seconds between looks at the venues, between rounds over orders, and comparisons."""

    documents: str
    lease: str = "execution"
    lease_seconds: float = 15.0
    tick_seconds: float = 0.02
    settle_seconds: float = 0.5
    reconcile_seconds: float = 30.0


async def run(service: Service, plan: ExecutionPlan) -> None:
    """Serve until the service is stopped."""
    async with AsyncExitStack() as stack:
        held = await hold(service, stack, plan.lease, plan.lease_seconds)
        if held is None:
            return
        store = await stack.enter_async_context(open_store(service, plan.documents, INDEXES))
        if store is None:
            return
        letters, announcer = DeadLetters(service.bus, service.name), Announcer(service.bus, service.name)
        for end in (letters.flush, announcer.flush):
            stack.push_async_callback(end)
        markets = LiveMarkets(service.bus, Watchers(letters.keep, lambda missed: announcer.on_missed("books", missed)))
        stack.push_async_callback(markets.close)
        opened = OpenedAccounts(Acting(service.bus, store, markets, lambda: held.lease.token))
        trading = Trading(store, opened)
        await _open_those_at_work(trading, opened)
        await _serve(service, plan, _Parts(trading, opened), (held.lost, markets.failed))


@dataclass(frozen=True, slots=True)
class _Parts:
    trading: Trading
    opened: OpenedAccounts


async def _open_those_at_work(trading: Trading, opened: OpenedAccounts) -> None:
    """Take over every account with orders that are not finished."""
    for account_id in await trading.queries.list_accounts_at_work():
        account = await trading.accounts.find_id(account_id)
        if account is not None:
            await opened.open(account)


async def _serve(
    service: Service, plan: ExecutionPlan, parts: _Parts, failing: tuple[asyncio.Future[None], ...]
) -> None:
    serving = Serving(service.bus, service.broker, make_router(parts.trading))
    settled = reconciled = clock.monotonic() - plan.reconcile_seconds  # at once
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(service.stop, plan.tick_seconds, serving.failed, *failing):
            at_work = parts.opened.list()
            for one in at_work:
                await one.flush()
            if clock.monotonic() - settled >= plan.settle_seconds:
                settled = clock.monotonic()
                service.report("accounts", len(parts.opened))
                await asyncio.gather(*(one.settle() for one in at_work), _publish_audit(service, parts.trading))
            if clock.monotonic() - reconciled >= plan.reconcile_seconds:
                reconciled = clock.monotonic()
                await asyncio.gather(*(one.reconcile() for one in at_work))
    finally:
        await serving.close()


async def _publish_audit(service: Service, trading: Trading) -> None:
    try:
        for event in await trading.accounts.list_audit():
            await publish_audit(service.bus, event)
            await trading.accounts.published(event)
    except (NatsError, StoreError) as error:
        _log.warning("execution.audit_behind", error=str(error) or type(error).__name__)


@asynccontextmanager
async def _reachable() -> AsyncGenerator[None]:
    """Raise NotReadyError where documents or the bus fail: what is written down is gone on with."""
    try:
        yield
    except (StoreError, NatsError, ChangedElsewhereError) as error:
        _log.warning("execution.failed", error=str(error) or type(error).__name__)
        raise NotReadyError("It is not known how far it went: look at the orders", waiting_for=["trading"]) from None


def make_router(trading: Trading) -> NatsRouter:
    """Return the handlers of every command."""
    router = NatsRouter()
    _add_accounts(router, trading)
    _add_orders(router, trading)
    _add_lists(router, trading)
    return router


def _add_accounts(router: NatsRouter, trading: Trading) -> None:
    @router.subscriber(**_command("create_account"))
    async def on_create(request: words.CreateAccount) -> words.AccountInfo:
        async with _reachable():
            return await trading.create_account(request)

    @router.subscriber(**_command("list_accounts"))
    async def on_list(request: words.ListAccounts) -> words.AccountList:
        async with _reachable():
            return await trading.list_accounts(request)

    @router.subscriber(**_command("delete_account"))
    async def on_delete(request: words.DeleteAccount) -> words.AccountInfo:
        async with _reachable():
            return await trading.delete_account(request)

    @router.subscriber(**_command("kill"))
    async def on_kill(request: words.Kill) -> words.Killed:
        async with _reachable():
            return await trading.kill(request)

    @router.subscriber(**_command("resume"))
    async def on_resume(request: words.Resume) -> words.Resumed:
        async with _reachable():
            return await trading.resume(request)


def _add_orders(router: NatsRouter, trading: Trading) -> None:
    @router.subscriber(**_command("preview"))
    async def on_preview(request: orders.PreviewOrder) -> orders.Preview:
        async with _reachable():
            return await trading.preview(request)

    @router.subscriber(**_command("create_order"))
    async def on_create(request: orders.CreateOrder) -> orders.OrderInfo:
        async with _reachable():
            return await trading.create_order(request)

    @router.subscriber(**_command("cancel_order"))
    async def on_cancel(request: orders.CancelOrder) -> orders.OrderInfo:
        async with _reachable():
            return await trading.cancel_order(request)


def _add_lists(router: NatsRouter, trading: Trading) -> None:
    @router.subscriber(**_command("find_order"))
    async def on_find(request: orders.FindOrder) -> orders.OrderInfo:
        async with _reachable():
            order = await trading.find_order(request)
            return describe(order, (await trading.accounts.names([order.account]))[order.account])

    @router.subscriber(**_command("list_orders"))
    async def on_list(query: orders.ListOrders) -> orders.OrderPage:
        async with _reachable():
            account = await trading.account_id(query.owner, query.account)
            found, total = await trading.queries.list_orders(query, account)
            names = await trading.accounts.names([order.account for order in found])
        return orders.OrderPage(
            items=[describe(order, names[order.account]) for order in found],
            total=total,
            page=query.page,
            page_size=query.page_size,
            pages=_pages(total, query.page_size),
        )

    @router.subscriber(**_command("list_fills"))
    async def on_fills(query: orders.ListFills) -> orders.FillPage:
        async with _reachable():
            account = await trading.account_id(query.owner, query.account)
            found, total = await trading.queries.list_filled(query, account)
            names = await trading.accounts.names([order.account for order in found])
        return orders.FillPage(
            items=[fill for order in found for fill in describe_fills(order, names[order.account])],
            total=total,
            page=query.page,
            page_size=query.page_size,
            pages=_pages(total, query.page_size),
        )


def _command(verb: str) -> CommandArguments:
    return command(subjects.TRADING_COMMAND + verb, orders.QUEUE)


def _pages(total: int, size: int) -> int:
    return -(-total // size)
