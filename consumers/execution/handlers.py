"""Serves `cmd.v1.trading.*` and acts for every account while it holds the lease; other processes stand by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any, Final

from faststream.nats import NatsRouter

from consumers.execution.account import describe, describe_fills
from consumers.execution.commands import reachable, trading_command
from consumers.execution.documents import accounts as account_documents
from consumers.execution.documents import journal
from consumers.execution.links import store as token_documents
from consumers.execution.links.core import Times
from consumers.execution.links.handlers import Links, add_links
from consumers.execution.links.rotation import Rotation
from consumers.execution.links.store import TokenStore
from consumers.execution.links.tokens import Sealing, UserTokens
from consumers.execution.markets import LiveMarkets
from consumers.execution.opened import Acting, OpenedAccounts
from consumers.execution.rounds import Pace, Rounds
from consumers.execution.safety import store as trip_documents
from consumers.execution.safety.core import LOST_AFTER_SECONDS
from consumers.execution.safety.heartbeat import DeadMansSwitch
from consumers.execution.safety.permits import Permits
from consumers.execution.safety.stopping import Stopping
from consumers.execution.trading import Trading
from consumers.execution.venues.making import Exchanges, Means
from contracts.services.trading import accounts as words
from contracts.services.trading import orders
from runtime.app.leased import hold_documents
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.credentials import make_vault
from runtime.nats.announce import Announcer
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.reader import Watchers

INDEXES: Final = (*journal.INDEXES, *account_documents.INDEXES, *token_documents.INDEXES, *trip_documents.INDEXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPlan:
    """Where the documents are; seconds between looks at the venues, between rounds over orders, and comparisons.

    `secrets()` reads what keys of exchanges are sealed with, the newest first, at the start and every so often while
    it serves; `pepper()` what tokens are hashed with. `venues` are addresses in place of the exchanges' own.
    """

    documents: str
    venues: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Callable[[], tuple[str, ...]] = tuple[str, ...]  # none
    pepper: Callable[[], bytes] = token_bytes  # tokens end with the process
    times: Times = field(default_factory=Times)
    lease: str = "execution"
    lease_seconds: float = 15.0
    tick_seconds: float = 0.02
    settle_seconds: float = 0.5
    reconcile_seconds: float = 30.0
    secrets_seconds: float = 10.0
    lost_seconds: float = LOST_AFTER_SECONDS

    @property
    def pace(self) -> Pace:
        """How often what is done."""
        return Pace(tick=self.tick_seconds, settle=self.settle_seconds, reconcile=self.reconcile_seconds)


async def run(service: Service, plan: ExecutionPlan) -> None:
    """Serve until the service is stopped."""
    async with AsyncExitStack() as stack:
        begun = await hold_documents(service, stack, plan, INDEXES)
        if begun is None:
            return
        held, store = begun
        letters, announcer = DeadLetters(service.bus, service.name), Announcer(service.bus, service.name)
        for end in (letters.flush, announcer.flush):
            stack.push_async_callback(end)
        markets = LiveMarkets(service.bus, Watchers(letters.keep, lambda missed: announcer.on_missed("books", missed)))
        stack.push_async_callback(markets.close)
        vault = make_vault(await asyncio.to_thread(plan.secrets))
        permits, exchanges = Permits(store), Exchanges(Means(urls=plan.venues))
        acting = Acting(service.bus, store, markets, permits, lambda: held.lease.token, vault, exchanges)
        opened = OpenedAccounts(acting)
        stack.push_async_callback(opened.close)
        sealing = Sealing(vault, await asyncio.to_thread(plan.pepper), plan.times)
        tokens = UserTokens(TokenStore(store), sealing)
        trading = Trading(store, opened, permits, tokens)
        switch = DeadMansSwitch(store, permits.breaker, opened.list, plan.lost_seconds)
        failing = [held.lost, markets.failed, _beside(stack, switch.run(service.stop))]
        if vault is not None:
            rotation = Rotation(vault, trading.accounts, plan.secrets)
            failing.append(_beside(stack, rotation.run(service.stop, plan.secrets_seconds)))
        await _open_those_at_work(trading, opened)
        try:
            await _serve(
                service,
                make_router(trading, tokens, Stopping(trading, switch, opened.list)),
                Rounds(service, plan.pace, trading),
                failing,
            )
        except Exception:  # whatever ended it: without the bus it would be the lease, or what was read
            await switch.outlive(service, plan.lease)
            raise


def _beside(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Do some work while the stack is open."""
    task = asyncio.create_task(work)
    stack.callback(task.cancel)
    return task


async def _open_those_at_work(trading: Trading, opened: OpenedAccounts) -> None:
    """Take over every account with orders that are not finished."""
    for account_id in await trading.queries.list_accounts_at_work():
        account = await trading.accounts.find_id(account_id)
        if account is not None:
            await opened.open(account)


async def _serve(service: Service, router: NatsRouter, rounds: Rounds, failing: Sequence[asyncio.Future[None]]) -> None:
    serving = Serving(service.bus, service.broker, router)
    try:
        await serving.open()
        service.ready()
        await rounds.run(serving.failed, *failing)
    finally:
        await serving.close()


def make_router(trading: Trading, tokens: UserTokens, stopping: Stopping) -> NatsRouter:
    """Return the handlers of every command."""
    router = NatsRouter()
    _add_accounts(router, trading)
    _add_stopping(router, trading, stopping)
    _add_orders(router, trading)
    _add_lists(router, trading)
    add_links(router, Links(trading, tokens))
    return router


def _add_accounts(router: NatsRouter, trading: Trading) -> None:
    @router.subscriber(**trading_command("create_account"))
    async def on_create(request: words.CreateAccount) -> words.AccountInfo:
        async with reachable():
            return await trading.create_account(request)

    @router.subscriber(**trading_command("list_accounts"))
    async def on_list(request: words.ListAccounts) -> words.AccountList:
        async with reachable():
            return await trading.list_accounts(request)

    @router.subscriber(**trading_command("delete_account"))
    async def on_delete(request: words.DeleteAccount) -> words.AccountInfo:
        async with reachable():
            return await trading.delete_account(request)


def _add_stopping(router: NatsRouter, trading: Trading, stopping: Stopping) -> None:
    @router.subscriber(**trading_command("kill"))
    async def on_kill(request: words.Kill) -> words.Killed:
        async with reachable():
            return await stopping.kill(request)

    @router.subscriber(**trading_command("cancel_order"))
    async def on_cancel(request: orders.CancelOrder) -> orders.OrderInfo:
        async with reachable():
            return await stopping.cancel_order(request)

    @router.subscriber(**trading_command("resume"))
    async def on_resume(request: words.Resume) -> words.Resumed:
        async with reachable():
            return await trading.resume(request)


def _add_orders(router: NatsRouter, trading: Trading) -> None:
    @router.subscriber(**trading_command("preview"))
    async def on_preview(request: orders.PreviewOrder) -> orders.Preview:
        async with reachable():
            return await trading.preview(request)

    @router.subscriber(**trading_command("create_order"))
    async def on_create(request: orders.CreateOrder) -> orders.OrderInfo:
        async with reachable():
            return await trading.create_order(request)


def _add_lists(router: NatsRouter, trading: Trading) -> None:
    @router.subscriber(**trading_command("find_order"))
    async def on_find(request: orders.FindOrder) -> orders.OrderInfo:
        async with reachable():
            order = await trading.find_order(request)
            return describe(order, (await trading.accounts.names([order.account]))[order.account])

    @router.subscriber(**trading_command("list_orders"))
    async def on_list(query: orders.ListOrders) -> orders.OrderPage:
        async with reachable():
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

    @router.subscriber(**trading_command("list_fills"))
    async def on_fills(query: orders.ListFills) -> orders.FillPage:
        async with reachable():
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


def _pages(total: int, size: int) -> int:
    return -(-total // size)
