"""An account at an exchange through CCXT, by command on a real bus: linked, traded with, and its key never seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from consumers.execution.handlers import ExecutionPlan, run
from contracts import streams
from contracts.errors import InvalidParameterError
from contracts.services.trading import accounts, orders
from contracts.services.trading.sealed import SealedText
from producers.simulator.config import SimulatorConfig
from producers.simulator.private.money import Permission
from producers.simulator.server import Simulator
from runtime.credentials import Credential, belonging_of, make_vault, seal_credential
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from tests.consumers.execution.conftest import CALLER, User, until
from tests.consumers.execution.test_on_the_bus import database
from tests.running import running

D = Decimal
NAME = "real"
KEY, SECRET = "planted-key-of-an-exchange", "planted-secret-of-an-exchange"
SEALING = "a secret of more than thirty-two characters"


@pytest_asyncio.fixture
async def simulator() -> AsyncGenerator[Simulator]:
    async with Simulator(SimulatorConfig(venues=("binance",), bases=("BTC",))) as one:
        yield one


@pytest_asyncio.fixture
async def serving(
    execution_nats: NatsServer, own: Bus, documents_url: str, simulator: Simulator
) -> AsyncGenerator[None]:
    """The consumer, serving, with the simulated exchange in place of the real one."""
    bus = await Bus(BusOptions(servers=(execution_nats.url,), name="execution")).connect()
    plan = ExecutionPlan(
        documents=database(documents_url),
        venues={"binance": simulator.rest_url("binance")},
        secrets=lambda: (SEALING,),
    )
    async with running(bus, "execution", partial(run, plan=plan)):
        yield
    await bus.close()


def sealed(owner: str) -> SealedText:
    vault = make_vault((SEALING,))
    assert vault is not None
    return seal_credential(vault, Credential(KEY, SECRET), belonging_of(owner, NAME, "binance"))


async def link(user: User, simulator: Simulator, *permissions: Permission) -> accounts.AccountInfo:
    simulator.private("binance").exchange.add_account(KEY, SECRET, permissions, {"USDT": D(1000)})
    request = accounts.CreateAccount(
        caller=CALLER, owner=user.owner, name=NAME, venue="binance", credential=sealed(user.owner)
    )
    return await user.ask("create_account", request, accounts.AccountInfo)


def terms(user: User, **fields: Any) -> dict[str, Any]:
    return user.terms(account=NAME, amount=D("0.001"), price=D(50_000), **fields)


@pytest.mark.usefixtures("serving")
async def test_orders_reach_the_exchange_and_what_becomes_of_them_comes_back(user: User, simulator: Simulator) -> None:
    opened = await link(user, simulator, "view", "trade")
    assert [(one.currency, one.free) for one in opened.balances] == [("USDT", D(1000))]
    await user.show([("84000", "1")], [("84100", "3")])
    resting = await user.order(**terms(user))
    exchange = simulator.private("binance").exchange
    [there] = exchange.orders.values()
    assert (resting.status, there.client_id, there.amount) == ("open", resting.client_id, D("0.001"))
    assert (await user.cancel(resting.id)).status == "cancelled"
    assert there.status == "cancelled"
    bought = await user.order(**{**terms(user), "type": "market", "price": None})

    async def named() -> orders.OrderInfo | None:
        order = await user.find(bought.id)
        return order if order.average_price is not None else None

    order = await until(named)
    assert (order.status, order.filled, order.fee_currency) == ("filled", D("0.001"), "BTC")
    assert exchange.imbalance() == {}


@pytest.mark.usefixtures("serving")
async def test_a_key_that_can_withdraw_is_refused_and_keys_are_nowhere_on_the_bus(
    user: User, simulator: Simulator
) -> None:
    with pytest.raises(InvalidParameterError, match="this key can withdraw"):
        await link(user, simulator, "view", "trade", "withdraw")
    await link(user, simulator, "view", "trade")
    await user.show([("84000", "1")], [("84100", "3")])
    await user.order(**terms(user))
    rows = [
        row for stream in (streams.TRADING, streams.AUDIT) for row in await read_past(user.bus, stream, (">",), ALL)
    ]
    assert rows
    for row in rows:
        assert KEY.encode() not in row.payload
        assert SECRET.encode() not in row.payload
