"""Trading by command on a real bus with documents: place, fill, cancel, limits, kill, and a process that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from decimal import Decimal
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.execution.handlers import ExecutionPlan, run
from contracts import streams, subjects
from contracts.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidParameterError,
    NoDataError,
    NotFoundError,
)
from contracts.services.trading import accounts, orders
from contracts.services.trading.accounts import Limits
from contracts.services.trading.refusals import refusal
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from tests.consumers.execution.conftest import CALLER, User, until
from tests.running import running

PROCESS = Path(__file__).with_name("process.py")
ROOT = Path(__file__).parents[3]
D = Decimal


def database(documents_url: str) -> str:
    """The URL of a database of the test's own."""
    address, _, options = documents_url.partition("?")
    return f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"


@pytest_asyncio.fixture
async def serving(execution_nats: NatsServer, own: Bus, documents_url: str) -> AsyncGenerator[None]:
    """The consumer, serving."""
    bus = await Bus(BusOptions(servers=(execution_nats.url,), name="execution")).connect()
    plan = ExecutionPlan(documents=database(documents_url))
    async with running(bus, "execution", partial(run, plan=plan)):
        yield
    await bus.close()


@pytest.mark.usefixtures("serving")
async def test_orders_are_placed_filled_cancelled_and_reported(user: User) -> None:
    await user.open()
    with pytest.raises(AlreadyExistsError):
        await user.open()
    with pytest.raises(NoDataError, match="no live book"):
        await user.order()
    await user.show([("100", "1")], [("101", "3"), ("102", "5")])
    market = await user.order(type="market", price=None, amount=D(4))
    assert (market.status, market.filled, market.average_price) == ("filled", 4, D("101.25"))
    resting = await user.order(client_id="c-1")
    assert (resting.status, resting.filled) == ("open", 0)
    assert (await user.order(client_id="c-1")).id == resting.id
    with pytest.raises(ConflictError):
        await user.order(client_id="c-1", amount=D(3))
    await user.trade(1, "100", "2")
    assert (await user.filled(resting.id, 1)).filled == 1
    cancelled = await user.cancel(resting.id)
    assert (cancelled.status, cancelled.filled) == ("cancelled", 1)
    fills = await user.fills()
    assert sorted((fill.price, fill.amount) for fill in fills) == [(100, 1), (101, 3), (102, 1)]
    paid = sum((fill.price * fill.amount + fill.fee for fill in fills), D(0))
    assert await user.balances() == {"USDT": (D(10_000) - paid, D(0)), "BTC": (D(5), D(0))}

    async def reported() -> bool:
        changed, filled = await user.events()
        newest = {event.order_id: event.status for event in changed}
        return newest == {market.id: "filled", resting.id: "cancelled"} and len(filled) == len(fills)

    await until(reported)


@pytest.mark.usefixtures("serving")
async def test_a_preview_says_what_an_order_would_come_to_and_places_nothing(user: User) -> None:
    await user.open()
    await user.show([("100", "1")], [("101", "3"), ("102", "5")])

    async def preview(**fields: Any) -> orders.Preview:
        return await user.ask("preview", orders.PreviewOrder(**user.terms(**fields)), orders.Preview)

    market = await preview(type="market", price=None, amount=D(4))
    assert (market.price, market.fee, market.total) == (D("101.25"), D("1.215"), D("406.215"))
    assert (await preview(type="market", price=None, amount=D(9))).total is None
    limit = await preview(side="sell", price=D("100.000000001"), amount=D("1.123456789"))
    assert (limit.amount, limit.price) == (D("1.12345678"), D("100.00000001"))
    assert (await user.balances())["USDT"] == (D(10_000), D(0))


@pytest.mark.usefixtures("serving")
async def test_what_cannot_be_placed_is_refused_in_words(user: User) -> None:
    await user.open(limits=Limits(order_value={"USDT": D(150)}))
    await user.show([("100", "1")], [("101", "3")])
    with pytest.raises(InvalidParameterError, match=r"The smallest amount is 0.00000001 BTC"):
        await user.order(amount=D("0.000000001"))
    with pytest.raises(InvalidParameterError, match="spot only"):
        await user.order(symbol="BTC/USDT:USDT")
    with pytest.raises(InvalidParameterError, match="no unified symbol"):
        await user.order(symbol="BTC")
    with pytest.raises(NotFoundError, match="no account other"):
        await user.order(account="other")
    refused = await user.order()
    words = "the order is worth 200 USDT; this account's limit is 150"
    assert (refused.status, refused.reason) == ("rejected", words)
    assert refused.error == refusal("ORDER_VALUE_LIMIT", words, value="200", limit="150", currency="USDT")
    poor = await user.order(side="sell", amount=D(1))
    assert (poor.status, poor.reason) == ("rejected", "it needs 1 BTC; 0 BTC are free")
    assert poor.error == refusal("INSUFFICIENT_BALANCE", poor.reason or "", needed="1", free="0", currency="BTC")
    assert (await user.find(poor.id)).error == poor.error

    async def published() -> bool:
        errors = [event.error for event in (await user.events())[0]]
        return refused.error in errors and poor.error in errors

    await until(published)


@pytest.mark.usefixtures("serving")
async def test_orders_of_others_are_not_found(user: User) -> None:
    await user.open()
    await user.show([("100", "1")], [("101", "3")])
    order = await user.order()
    other = User(user.bus, "somebody-else")
    for verb in ("find_order", "cancel_order"):
        with pytest.raises(NotFoundError):
            await other.ask(verb, orders.FindOrder(owner=other.owner, id=order.id), orders.OrderInfo)
    assert await other.fills() == []
    page = await other.ask("list_orders", orders.ListOrders(owner=other.owner), orders.OrderPage)
    assert page.items == []
    assert (await user.find(order.id)).status == "open"


@pytest.mark.usefixtures("serving")
async def test_a_kill_cancels_what_is_open_and_takes_nothing_new_until_it_is_resumed(user: User) -> None:
    await user.open()
    await user.show([("100", "1")], [("101", "3")])
    placed = [await user.order(price=D(price)) for price in (97, 98, 99)]
    request = accounts.DeleteAccount(caller=CALLER, owner=user.owner, name="paper")
    with pytest.raises(ConflictError):
        await user.ask("delete_account", request, accounts.AccountInfo)
    killed = await user.ask("kill", accounts.Kill(caller=CALLER, owner=user.owner), accounts.Killed)
    assert (sorted(killed.cancelled), killed.waiting) == (sorted(order.id for order in placed), [])
    refused = await user.order()
    assert (refused.status, refused.reason) == ("rejected", "trading is stopped: resume it first")
    assert refused.error is not None
    assert (refused.error.code, refused.error.rule) == ("TRADING_STOPPED", "kill")
    resumed = await user.ask("resume", accounts.Resume(caller=CALLER, owner=user.owner), accounts.Resumed)
    assert not resumed.halted
    again = await user.order()
    assert again.status == "open"
    page = await user.ask("list_orders", orders.ListOrders(owner=user.owner, status="open"), orders.OrderPage)
    assert [order.id for order in page.items] == [again.id]

    async def audited() -> bool:
        rows = await read_past(user.bus, streams.AUDIT, (subjects.ALL_AUDIT,), ALL)
        return [row.subject.decode().rsplit(".", 1)[1] for row in rows] == ["create_account", "kill", "resume"]

    await until(audited)


class Process:
    """Execution in a process of its own."""

    def __init__(self, bus: str, documents: str) -> None:
        self._arguments = (sys.executable, str(PROCESS), bus, documents)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        made = await asyncio.create_subprocess_exec(*self._arguments, env=environ, stdout=asyncio.subprocess.PIPE)
        self._process = made
        assert made.stdout is not None
        async with asyncio.timeout(60):
            while (line := await made.stdout.readline()) != b"ready\n":
                assert line, "execution ended before it served"

    async def end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        await asyncio.wait_for(self._process.wait(), 30)


async def test_a_killed_process_leaves_one_order_each_and_loses_no_fill(
    user: User, execution_nats: NatsServer, documents_url: str
) -> None:
    process = Process(execution_nats.url, database(documents_url))
    await process.start()
    await user.open()
    await user.show([("100", "1")], [("101", "3")])
    resting = await user.order(client_id="rests")
    await user.trade(1, "99", "1")
    await user.filled(resting.id, 1)
    asking = asyncio.create_task(user.order(client_id="cut", price=D(99)))
    await asyncio.sleep(0.05)  # within the way to the venue
    await process.end(signal.SIGKILL)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await process.start()
    try:
        await user.show([("100", "1")], [("101", "3")])
        await user.trade(2, "99", "1")
        assert (await user.filled(resting.id, 2)).status == "filled"
        again = await user.order(client_id="cut", price=D(99))
        page = await user.ask("list_orders", orders.ListOrders(owner=user.owner), orders.OrderPage)
        assert sorted(order.client_id for order in page.items) == ["cut", "rests"]
        assert again.status in {"pending", "open"}
        ended = (await user.cancel(again.id)).status
        assert ended in {"cancelled", "pending"}
        fills = await user.fills()
        assert [(fill.price, fill.amount) for fill in fills] == [(100, 1), (100, 1)]

        async def reported() -> bool:
            return len((await user.events())[1]) == len(fills)

        await until(reported)
        assert (await user.balances())["BTC"] == (D(2), D(0))
    finally:
        await process.end(signal.SIGTERM)
