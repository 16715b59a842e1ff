"""An account at Indodax by command: linked, traded, taken away; its key is nowhere but where it is sealed."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.execution.handlers import ExecutionPlan, run
from contracts import codec, streams, subjects
from contracts.errors import InvalidParameterError, NotReadyError
from contracts.market import BookSnapshot
from contracts.services.trading import accounts
from contracts.services.trading.refusals import refusal
from producers.simulator.config import SimulatorConfig
from producers.simulator.private import PrivateFault
from producers.simulator.server import Simulator
from runtime import clock
from runtime.credentials import Credential, belonging_of, make_vault, seal_credential
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from runtime.store import Store
from runtime.vault import Vault
from tests.consumers.execution.conftest import CALLER, User, until
from tests.running import running

D = Decimal
APP_SECRET = "an-application-secret-of-32-characters"
KEY, SECRET = "PLANTED-KEY-1", "PLANTED-SECRET-1"
BTC = "BTC/IDR"
TAIL = "indodax.BTC.IDR.spot"
EVERY = ("trading_accounts", "trading_orders", "trading_audit", "trading_tokens", "trading_trips", "trading_paper")


@pytest_asyncio.fixture
async def exchange() -> AsyncGenerator[Simulator]:
    """Indodax, standing still, with one account."""
    async with Simulator(SimulatorConfig(venues=("indodax",), bases=("BTC",), seed=3)) as simulator:
        simulator.pause()
        money = {"IDR": D(1_000_000_000), "BTC": D(1)}
        simulator.private("indodax").exchange.add_account(KEY, SECRET, {"view", "trade"}, money)
        yield simulator


@pytest_asyncio.fixture
async def kept(exchange: Simulator, execution_nats: NatsServer, own: Bus, documents_url: str) -> AsyncGenerator[Store]:
    """The consumer, serving; its documents."""
    address, _, options = documents_url.partition("?")
    name = f"test_{token_hex(4)}"
    bus = await Bus(BusOptions(servers=(execution_nats.url,), name="execution")).connect()
    plan = ExecutionPlan(
        documents=f"{address.rstrip('/')}/{name}?authSource=admin&{options}",
        secrets=lambda: (APP_SECRET,),
        venues={"indodax": exchange.rest_url("indodax")},
    )
    store = Store(documents_url, name)
    async with running(bus, "execution", partial(run, plan=plan)):
        yield store
    await store.drop_database()
    await store.close()
    await bus.close()


class Linker(User):
    """An owner who links an account at Indodax."""

    async def link(self, key: str = KEY, secret: str = SECRET, **fields: Any) -> accounts.AccountInfo:
        venue, name = fields.get("venue", "indodax"), "real"
        vault = make_vault((APP_SECRET,))
        assert isinstance(vault, Vault)
        whose = belonging_of(fields.pop("sealed_for", self.owner), name, venue)
        sealed = seal_credential(vault, Credential(key, secret), whose)
        request = accounts.CreateAccount(
            caller=CALLER, owner=self.owner, name=name, **({"venue": venue} | fields), credential=sealed
        )
        return await self.ask("create_account", request, accounts.AccountInfo)

    def terms(self, **fields: Any) -> dict[str, Any]:
        return super().terms(**({"account": "real", "symbol": BTC, "amount": D("0.01")} | fields))

    async def show_book(self, exchange: Simulator) -> Decimal:
        """Publish the exchange's book as it is; returns its best ask."""
        truth, now = exchange.book("indodax", "spot", "btcidr"), clock.now_ns()
        values: dict[str, Any] = dict.fromkeys(BookSnapshot.model_fields)
        values |= {"id": f"{TAIL}.book.{now}", "venue": "indodax", "symbol": BTC, "ts_recv": now, "sim": True}
        values |= {"bids": truth["bids"][:20], "asks": truth["asks"][:20], "quality": "sim", "unit": "base"}
        await self.bus.client.publish(f"{subjects.BOOK}{TAIL}", codec.encode(codec.fast(BookSnapshot)(**values)))
        await self.bus.client.flush()
        return D(truth["asks"][0][0])


@pytest.fixture
def linker(own: Bus) -> Linker:
    return Linker(own, f"owner-{token_hex(4)}")


@dataclass
class Shown:
    """What a process shows: its log, with every request of httpx, and what it prints."""

    log: pytest.LogCaptureFixture
    printed: pytest.CaptureFixture[str]

    def text(self) -> str:
        return self.log.text + "".join(self.printed.readouterr())


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Shown:
    caplog.set_level(logging.INFO)
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, name)
    return Shown(caplog, capfd)


async def everything(store: Store, bus: Bus) -> str:
    """All documents, all events and audit events, as one text."""
    texts = [repr(document) for name in EVERY async for document in store.collection(name).find({})]
    for stream, wanted in ((streams.TRADING, subjects.ALL_ORDERS), (streams.AUDIT, f"{subjects.AUDIT}>")):
        texts += [row.payload.decode() for row in await read_past(bus, stream, (wanted,), ALL)]
    return "\n".join(texts)


async def finished(store: Store) -> bool:
    return not [one async for one in store.collection("trading_orders").find({"finished": False})]


async def test_an_account_is_linked_traded_and_taken_away(
    linker: Linker, exchange: Simulator, kept: Store, shown: Shown
) -> None:
    linked = await linker.link()
    assert (linked.venue, linked.exchange, linked.problem) == ("indodax", "indodax", None)
    assert {one.currency: one.free for one in linked.balances} == {"IDR": 1_000_000_000, "BTC": 1}
    ask = await linker.show_book(exchange)
    taken = await linker.order(price=ask)
    assert (taken.status, taken.filled, taken.fee_currency) == ("filled", D("0.01"), "IDR")
    market = await linker.order(type="market", price=None)
    assert market.status == "filled"
    assert D("0.0099") < market.filled < D("0.01")  # what it may cost has its fee in it
    resting = await linker.order(price=ask - 50_000, client_id="c-1")
    assert resting.status == "open"
    exchange.private("indodax").faults.order(PrivateFault("lost_after", "trade"), exchange.now_us)
    lost = await linker.order(price=ask - 60_000)
    assert lost.status == "pending"
    poor = await linker.order(price=ask, amount=D(5))
    assert (poor.status, poor.reason) == ("rejected", "there is not enough money for it")
    assert poor.error == refusal("INSUFFICIENT_BALANCE", "there is not enough money for it")

    async def found() -> bool:
        return (await linker.find(lost.id)).status == "open"

    await until(found)
    assert (await linker.cancel(resting.id)).status == "cancelled"
    assert (await linker.cancel(lost.id)).status == "cancelled"
    there = exchange.private("indodax").exchange
    account = there.accounts[KEY]
    assert await linker.balances() == {name: (account.free[name], account.held[name]) for name in ("BTC", "IDR")}
    assert there.imbalance() == {}
    assert len(there.orders) == 4
    fills = await linker.fills()
    assert sum(fill.amount for fill in fills) == account.has("BTC") - 1
    text = await everything(kept, linker.bus)
    assert taken.id in text
    await until(partial(finished, kept))
    gone = accounts.DeleteAccount(caller=CALLER, owner=linker.owner, name="real")
    await linker.ask("delete_account", gone, accounts.AccountInfo)
    written = text + await everything(kept, linker.bus) + shown.text()
    assert not [secret for secret in (KEY, SECRET, APP_SECRET) if secret in written]


@pytest.mark.usefixtures("kept")
async def test_a_key_that_is_not_right_is_refused_with_the_way_to_a_right_one(
    linker: Linker, exchange: Simulator
) -> None:
    there = exchange.private("indodax").exchange
    there.add_account("PLANTED-OWNER", SECRET, {"view", "trade", "withdraw"}, {})
    there.add_account("PLANTED-LOOKER", SECRET, {"view"}, {})
    refused: dict[str, dict[str, Any]] = {
        "without withdraw": {"key": "PLANTED-OWNER"},
        "may not trade": {"key": "PLANTED-LOOKER"},
        "does not accept": {"secret": "PLANTED-OTHER"},
        "does not open": {"sealed_for": "somebody-else"},
        "nowhere": {"venue": "nowhere"},
    }
    for words, fields in refused.items():
        with pytest.raises(InvalidParameterError, match=words) as caught:
            await linker.link(**fields)
        assert "PLANTED" not in "".join(traceback.format_exception(caught.value))
    assert (await linked_of(linker)) == []
    exchange.private("indodax").faults.order(PrivateFault("maintenance", seconds=60), exchange.now_us)
    with pytest.raises(NotReadyError, match="maintenance"):
        await linker.link()
    assert (await linked_of(linker)) == []


async def linked_of(linker: Linker) -> list[accounts.AccountInfo]:
    found = await linker.ask("list_accounts", accounts.ListAccounts(owner=linker.owner), accounts.AccountList)
    return found.items


@pytest.mark.usefixtures("kept")
async def test_an_exchange_in_maintenance_says_so_and_trades_nothing(linker: Linker, exchange: Simulator) -> None:
    await linker.link()
    await linker.show_book(exchange)
    exchange.private("indodax").faults.order(PrivateFault("maintenance", seconds=60), exchange.now_us)
    (shown,) = await linked_of(linker)
    assert shown.balances == []
    assert "maintenance" in (shown.problem or "")
    order = await linker.order(price=D(1_000_000_000))
    assert order.status == "pending"
    assert "maintenance" in (order.reason or "")
    assert exchange.private("indodax").exchange.orders == {}
