"""Without documents nothing new is sent, and cancels work; without what is needed to act, what is open is cancelled."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from json import dumps
from pathlib import Path
from secrets import token_hex

import pytest
import pytest_asyncio

from consumers.execution.documents.accounts import AccountStore
from consumers.execution.handlers import ExecutionPlan, run
from consumers.execution.links.store import TokenStore
from consumers.execution.links.tokens import Sealing, UserTokens
from consumers.execution.opened import Opened, OpenedAccounts
from consumers.execution.paper.store import ACCOUNTS
from consumers.execution.safety.heartbeat import DeadMansSwitch
from consumers.execution.safety.permits import Permits
from consumers.execution.safety.stopping import Stopping
from consumers.execution.trading import Trading
from contracts.errors import NotReadyError
from contracts.services.access import Caller
from contracts.services.trading.accounts import Kill
from contracts.services.trading.orders import CancelOrder
from runtime import provision
from runtime.app.leased import LeaseLostError
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import DocumentServer, document_server, nats_server
from runtime.store import Store, StoreError
from tests.consumers.conftest import PLAN
from tests.consumers.execution.conftest import User, until
from tests.consumers.execution.links.test_tokens import LINKED
from tests.consumers.execution.safety.test_trips import order
from tests.consumers.execution.safety.venue import Exchange, Heard, at_work
from tests.consumers.execution.test_on_the_bus import database
from tests.running import running

ID = "9" * 16


@dataclass
class World:
    """An account at work, with a document server that can be stopped."""

    server: DocumentServer
    store: Store
    exchange: Exchange
    permits: Permits
    one: Opened
    switch: DeadMansSwitch
    stopping: Stopping

    async def kill(self) -> tuple[list[str], list[str]]:
        done = await self.stopping.kill(Kill(caller=Caller(actor="test"), owner=LINKED.owner))
        return done.cancelled, done.waiting


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[DocumentServer]:
    """A document server of these tests' own, which they stop."""
    async with document_server(tmp_path_factory.mktemp("away")) as running:
        yield running


@pytest_asyncio.fixture
async def world(server: DocumentServer) -> AsyncGenerator[World]:
    store = Store(server.url, f"away_{token_hex(4)}", timeout=0.3)
    await until(partial(answers, store))
    exchange, permits = Exchange(), Permits(store)
    one = at_work(store, LINKED, exchange, permits)
    await AccountStore(store).create(LINKED)
    switch = DeadMansSwitch(store, permits.breaker, lambda: [one], 0.3)
    trading = Trading(store, Opening(one), permits, UserTokens(TokenStore(store), Sealing(None, b"pepper")))
    yield World(server, store, exchange, permits, one, switch, Stopping(trading, switch, lambda: [one]))
    os.kill(server.pid, signal.SIGCONT)
    await store.close()


async def answers(store: Store) -> bool:
    try:
        await store.ping()
    except StoreError:
        return False
    return True


class Opening(OpenedAccounts):
    """Has one account open."""

    def __init__(self, one: Opened) -> None:
        self._opened = {one.account.id: one}
        self._lock = asyncio.Lock()


async def stop(world: World) -> None:
    """Make the documents answer no more."""
    os.kill(world.server.pid, signal.SIGSTOP)

    async def stands_still() -> bool:
        return not await answers(world.store)

    await until(stands_still)


async def test_without_documents_nothing_new_is_sent_and_a_kill_cancels(world: World) -> None:
    resting = await world.one.submit(order(id=ID))
    silent = await world.one.submit(order())
    await stop(world)
    with pytest.raises(StoreError):
        await world.one.submit(order())
    assert list(world.exchange.orders) == [resting.client_id, silent.client_id]
    cancelled, waiting = await world.kill()
    assert (sorted(cancelled), waiting) == (sorted([resting.id, silent.id]), [])
    assert set(world.exchange.orders.values()) == {"cancelled"}
    assert await world.permits.switches.is_halted(LINKED.owner)
    assert await world.kill() == ([], [])


async def test_what_the_venue_does_not_confirm_is_said_and_cancelled_when_asked_again(world: World) -> None:
    resting = await world.one.submit(order())
    await stop(world)
    world.exchange.answer = "is silent"
    assert await world.kill() == ([], [resting.id])
    world.exchange.answer = "accepts"
    assert await world.kill() == ([resting.id], [])


async def test_without_documents_an_order_is_cancelled_by_its_id(world: World) -> None:
    resting = await world.one.submit(order(id=ID))
    await stop(world)
    shown = await world.stopping.cancel_order(CancelOrder(owner=LINKED.owner, id=ID))
    assert (shown.id, shown.status) == (resting.id, "cancelled")
    for request in (CancelOrder(owner=LINKED.owner, id=ID), CancelOrder(owner="telegram:8", id=ID)):
        with pytest.raises(NotReadyError):
            await world.stopping.cancel_order(request)


async def test_a_heartbeat_that_is_lost_cancels_what_is_open_and_is_an_event(world: World) -> None:
    resting = await world.one.submit(order())
    stopped, received = asyncio.Event(), Heard()
    watching = asyncio.create_task(world.switch.run(stopped))

    async def counted() -> bool:
        return bool(world.exchange.countdowns)

    await until(counted)
    assert world.exchange.countdowns[0] == (("BTC/USDT",), 0.6)
    assert world.exchange.orders == {resting.client_id: "open"}
    await stop(world)

    async def cancelled() -> bool:
        return world.exchange.orders == {resting.client_id: "cancelled"}

    await until(cancelled)
    assert not world.switch.reached
    os.kill(world.server.pid, signal.SIGCONT)

    async def reached() -> bool:
        return world.switch.reached

    await until(reached)
    stopped.set()
    await watching
    await world.permits.flush(received)
    (trip,) = received.trips
    assert (trip.what, trip.account, trip.reason) == ("heartbeat", LINKED.id, "documents were not reached for 0.3 s")
    await world.one.settle()
    assert (await world.one.submit(order())).status == "open"  # it stops nothing by itself


async def test_a_countdown_is_stopped_where_nothing_is_open_any_more(world: World) -> None:
    resting = await world.one.submit(order())
    stopped = asyncio.Event()
    watching = asyncio.create_task(world.switch.run(stopped))

    async def counted(seconds: float) -> bool:
        return (("BTC/USDT",), seconds) in world.exchange.countdowns

    await until(partial(counted, 0.6))
    assert not await counted(0)
    await world.one.cancel(resting)
    await until(partial(counted, 0))
    at = len(world.exchange.countdowns)
    await asyncio.sleep(0.3)
    stopped.set()
    await watching
    assert len(world.exchange.countdowns) == at


async def test_a_lost_bus_cancels_what_is_open_only_where_it_stays_lost(world: World, tmp_path: Path) -> None:
    resting = await world.one.submit(order())
    async with nats_server(tmp_path / "nats") as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        service = Service(name="execution", bus=bus)
        await provision.apply(bus, PLAN)
        await world.switch.outlive(service, "execution")
        assert world.exchange.orders == {resting.client_id: "open"}
        await server.child.stop()
        await world.switch.outlive(service, "execution")
        assert world.exchange.orders == {resting.client_id: "cancelled"}
        await bus.close()


async def test_execution_without_a_bus_cancels_what_is_open(tmp_path: Path, documents_url: str) -> None:
    with pytest.raises(LeaseLostError):
        await lose_the_bus(tmp_path, database(documents_url))


async def lose_the_bus(path: Path, url: str) -> None:
    """Run execution with an open order, stop its bus, and wait until the order is cancelled."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(nats_server(path))
        bus = await Bus(BusOptions(servers=(server.url,), name="execution")).connect()
        stack.push_async_callback(bus.close)
        await provision.apply(bus, PLAN)
        store = Store(url)
        stack.push_async_callback(store.close)
        plan = ExecutionPlan(documents=url, lost_seconds=0.5)
        await stack.enter_async_context(running(bus, "execution", partial(run, plan=plan)))
        user = User(bus, "alice")
        await user.open()
        await user.show([("100", "1")], [("101", "3")])
        assert (await user.order(price=Decimal(99))).status == "open"
        await server.stop()

        async def ended() -> bool:
            return '"cancelled"' in dumps(await store.collection(ACCOUNTS).find_one({}), default=str)

        await until(ended)
