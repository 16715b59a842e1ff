"""The whole way of a link, over HTTP, the bus and Indodax; planted secrets that go it are in nothing that is left."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from contracts import codec, subjects
from contracts.errors import ConflictError, HydrophoneError, InvalidParameterError, NotFoundError, UnauthorizedError
from contracts.market import BookSnapshot
from contracts.services.access import Caller
from contracts.services.trading import accounts, orders
from contracts.services.trading.sealed import SealedText
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.credentials import Credential, belonging_of, open_text, seal_credential, token_belonging_of
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from runtime.store import Store as Documents
from runtime.vault import Vault
from tests.api.test_route_table import put_key
from tests.api.trading.conftest import APP, database
from tests.api.world import Api, Start, Store
from tests.consumers.execution.conftest import until
from tests.consumers.execution.stage import Stage
from tests.consumers.execution.venues.indodax_world import IndodaxWorld
from tests.consumers.execution.venues.world import World, serving
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
KEY, SECRET, WRONG = "PLANTED-KEY-5d21", "PLANTED-SECRET-8e40", "PLANTED-WRONG-77aa"
APP_SECRET, NEXT_SECRET = "PLANTED-APP-SECRET-" + "s" * 20, "PLANTED-NEXT-SECRET-" + "n" * 20
OWNER, NAME = "telegram:7", "main"
CALLER = Caller(actor="test")
TAIL = "indodax.BTC.IDR.spot"
ASYNCAPI = Path(__file__).parents[3].joinpath("docs", "asyncapi.json").read_text()


class PlantedWorld(IndodaxWorld):
    """Indodax as it is now, with the planted key."""

    @property
    def now_us(self) -> int:
        return clock.now_ns() // 1000

    def reset(self) -> None:
        super().reset()
        self.side.exchange.add_account(KEY, SECRET, {"view", "trade"}, self.begin)


@asynccontextmanager
async def exchange() -> AsyncGenerator[tuple[str, PlantedWorld]]:
    served: list[World] = []
    async with serving(served) as server:
        world = PlantedWorld("indodax", None, Stage())
        served.append(world)
        world.reset()
        yield str(server.make_url("/indodax")), world


@dataclass
class Way:
    """A way that a link goes, and everything that was seen of it."""

    api: Api
    key: str
    bus: Bus
    documents: Documents
    secrets: list[str]
    world: PlantedWorld
    seen: list[str] = field(default_factory=list[str])

    async def http(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = await self.api.client.request(method, f"/api/trading{path}", json=body, headers=headers)
        self.seen += [answer.text, str(answer.headers)]
        return answer

    async def ask(self, verb: str, request: Any, reply: Any) -> Any:
        """Return the reply to a command, or its error."""
        try:
            found = await CommandClient(self.bus).request(f"trading.{verb}", request, reply)
        except HydrophoneError as error:
            self.seen += [repr(error), str(error.details)]
            return error
        self.seen.append(repr(found))
        return found

    async def show(self) -> None:
        """Publish the exchange's book."""
        now = clock.now_ns()
        bids, asks = ([(f"{price:f}", f"{amount:f}") for price, amount in side] for side in self.world.book())
        values: dict[str, Any] = dict.fromkeys(BookSnapshot.model_fields)
        values |= {"id": f"{TAIL}.book.{now}", "venue": "indodax", "symbol": "BTC/IDR", "ts_recv": now, "sim": False}
        values |= {"bids": bids, "asks": asks, "quality": "live", "unit": "base"}
        await self.bus.client.publish(f"{subjects.BOOK}{TAIL}", codec.encode(codec.fast(BookSnapshot)(**values)))
        await self.bus.client.flush()


@pytest_asyncio.fixture
async def path(api_nats: NatsServer, store: Store, start: Start, documents_url: str) -> AsyncGenerator[Way]:
    APP.openapi()
    url, known = database(documents_url), [APP_SECRET]
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="execution")).connect()
    documents = Documents(url)
    async with exchange() as (address, world):
        plan = ExecutionPlan(
            documents=url, secrets=lambda: tuple(known), venues={"indodax": address}, secrets_seconds=0.1
        )
        async with running(bus, "execution", partial(run_execution, plan=plan)):
            api = await start({"secrets": (APP_SECRET,)})
            key = await put_key(store, 1, OWNER, ("trade",))
            await until(partial(is_known, api, key))
            yield Way(api, key, store.bus, documents, known, world)
    await bus.close()
    await documents.close()


async def is_known(api: Api, key: str) -> bool:
    return (await api.get("/api/trading/accounts", key=key)).status_code == 200


def forms(text: str) -> Iterator[str]:
    """The forms that a secret could be written in."""
    yield from (text, quote(text, safe=""), text.encode().hex())
    for pad in range(3):  # base64 of it wherever it stands
        yield base64.b64encode(b"x" * pad + text.encode()).decode().rstrip("=")[4 if pad else 0 : -4]


def order(token: SealedText | None, **fields: Any) -> orders.CreateOrder:
    values: dict[str, Any] = {"side": "buy", "type": "limit", "amount": "0.001", "price": "1000000000"}
    values |= {"owner": OWNER, "account": NAME, "symbol": "BTC/IDR", "token": token}
    return orders.CreateOrder(**(values | fields))


async def link_and_trade(way: Way) -> str:
    """Go the whole way; returns the user token, which is a secret too."""
    body = {"name": NAME, "venue": "indodax", "key": KEY, "secret": SECRET}
    assert (await way.http("POST", "/accounts", body | {"secret": WRONG})).status_code >= 400
    assert (await way.http("POST", "/accounts", body | {"key": WRONG, "name": "Bad Name"})).status_code == 400
    made = await way.http("POST", "/accounts", body)
    assert made.status_code == 201, made.text
    issued = await way.ask(
        "issue_token", accounts.TokenIssue(caller=CALLER, owner=OWNER, name=NAME), accounts.TokenIssued
    )
    token = open_text(Vault(APP_SECRET), issued.token, token_belonging_of(OWNER, NAME, "indodax"))
    await way.show()
    assert isinstance(await way.ask("create_order", order(None), orders.OrderInfo), HydrophoneError)
    placed = await way.ask("create_order", order(issued.token), orders.OrderInfo)
    assert placed.status == "open", placed
    refused = await way.ask("create_order", order(issued.token, amount="1000", price="2000000000"), orders.OrderInfo)
    assert refused.status == "rejected"
    way.secrets.insert(0, NEXT_SECRET)  # rotated meanwhile

    async def rewrapped() -> bool:
        found = await documents_of(way)
        return issued.token.key_id not in found["trading_accounts"]

    await until(rewrapped)
    refresh = accounts.TokenRefresh(caller=CALLER, owner=OWNER, name=NAME, token=issued.token)
    newer = await way.ask("refresh_token", refresh, accounts.TokenIssued)
    assert newer.token.key_id != issued.token.key_id
    cancel = orders.CancelOrder(owner=OWNER, id=placed.id, token=newer.token)
    assert (await way.ask("cancel_order", cancel, orders.OrderInfo)).status == "cancelled"
    stolen = seal_credential(Vault(APP_SECRET), Credential(KEY, SECRET), belonging_of("telegram:8", NAME, "indodax"))
    moved = accounts.CreateAccount(caller=CALLER, owner=OWNER, name="moved", venue="indodax", credential=stolen)
    assert isinstance(await way.ask("create_account", moved, accounts.AccountInfo), HydrophoneError)
    return token


async def documents_of(way: Way) -> dict[str, str]:
    """Every collection as text."""
    names = await way.documents.list_collections()
    found: dict[str, str] = {}
    for name in names:
        rows = [document async for document in way.documents.collection(name).find({})]
        found[name] = json.dumps(rows, default=str)
    return found


def unlinking(*, destroy: bool = True) -> accounts.Unlink:
    return accounts.Unlink(caller=CALLER, owner=OWNER, name=NAME, destroy=destroy)


async def unlink(way: Way) -> None:
    async def unlinked() -> bool:  # once nothing of the orders is to be done any more
        found = await way.ask("unlink", unlinking(), accounts.Revoked)
        return isinstance(found, accounts.Revoked) and found.tokens == 1

    await until(unlinked, 30)


@pytest.mark.parametrize("before", ["", "a", "ab", '{"key":"'])
def test_a_secret_is_found_in_each_form(before: str) -> None:
    text = f"{before}{SECRET} and more"
    for written in (text, quote(text, safe=""), text.encode().hex(), base64.b64encode(text.encode()).decode()):
        assert any(form in written for form in forms(SECRET))


async def test_no_secret_of_a_link_is_in_anything_that_is_left(
    path: Way, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    messages: list[str] = []

    async def on_message(message: Msg) -> None:
        messages.append(f"{message.subject} {message.headers} {message.data.decode(errors='replace')}")

    spy = await Bus(BusOptions(servers=(path.bus.options.servers[0],), name="spy")).connect()
    await spy.client.subscribe(">", cb=on_message)
    await spy.client.flush()
    caplog.set_level(logging.DEBUG)
    token = await link_and_trade(path)
    linked = await documents_of(path)
    await unlink(path)
    unlinked = await documents_of(path)
    await spy.client.flush()
    await spy.close()
    printed = capsys.readouterr()
    left = {
        "logs": caplog.text + printed.out + printed.err,
        "bus": "\n".join(messages),
        "documents": json.dumps([linked, unlinked]),
        "answers, errors and repr": "\n".join(path.seen),
        "AsyncAPI": ASYNCAPI,
    }
    assert all(OWNER in left[place] for place in ("bus", "documents"))
    assert "execution" in left["logs"]
    assert len(messages) > 50
    assert '"wrapped"' in linked["trading_accounts"]
    assert '"wrapped"' not in unlinked["trading_accounts"]
    planted = (KEY, SECRET, WRONG, APP_SECRET, NEXT_SECRET, token)
    found = [(place, form) for place, text in left.items() for one in planted for form in forms(one) if form in text]
    sizes = {place: len(text) for place, text in left.items()}
    print(f"\n{len(messages)} messages, characters searched: {sizes}, found: {len(found)}")
    assert found == []


async def test_a_link_ends_when_nothing_is_open_and_its_key_is_destroyed(path: Way) -> None:
    body = {"name": NAME, "venue": "indodax", "key": KEY, "secret": SECRET}
    assert (await path.http("POST", "/accounts", body)).status_code == 201
    issue = accounts.TokenIssue(caller=CALLER, owner=OWNER, name=NAME)
    issued = await path.ask("issue_token", issue, accounts.TokenIssued)
    await path.show()
    placed = await path.ask("create_order", order(issued.token), orders.OrderInfo)
    assert isinstance(await path.ask("unlink", unlinking(), accounts.Revoked), ConflictError)
    assert (await path.ask("create_order", order(issued.token, client_id="c-2"), orders.OrderInfo)).status == "open"

    ended = await path.ask("unlink", unlinking(destroy=False), accounts.Revoked)
    assert ended.tokens == 1
    refused = await path.ask("create_order", order(issued.token, client_id="c-3"), orders.OrderInfo)
    assert isinstance(refused, UnauthorizedError)
    assert '"wrapped"' in (await documents_of(path))["trading_accounts"]

    again = await path.ask("issue_token", issue, accounts.TokenIssued)
    cancel = orders.CancelOrder(owner=OWNER, id=placed.id, token=issued.token)
    assert isinstance(await path.ask("cancel_order", cancel, orders.OrderInfo), UnauthorizedError)
    killed = await path.ask("kill", accounts.Kill(caller=CALLER, owner=OWNER), accounts.Killed)  # needs no token
    assert placed.id in killed.cancelled
    assert len(killed.cancelled) == 2
    await path.ask("resume", accounts.Resume(caller=CALLER, owner=OWNER), accounts.Resumed)
    assert (await path.ask("create_order", order(again.token, client_id="c-4"), orders.OrderInfo)).status == "open"
    await path.ask("kill", accounts.Kill(caller=CALLER, owner=OWNER), accounts.Killed)
    await unlink(path)
    assert '"wrapped"' not in (await documents_of(path))["trading_accounts"]
    assert isinstance(await path.ask("issue_token", issue, accounts.TokenIssued), NotFoundError)


async def test_what_is_for_paper_alone_is_not_placed_at_an_exchange(path: Way) -> None:
    body = {"name": NAME, "venue": "indodax", "key": KEY, "secret": SECRET}
    assert (await path.http("POST", "/accounts", body)).status_code == 201
    issue = accounts.TokenIssue(caller=CALLER, owner=OWNER, name=NAME)
    issued = await path.ask("issue_token", issue, accounts.TokenIssued)
    await path.show()
    refused = await path.ask("create_order", order(issued.token, paper_only=True), orders.OrderInfo)
    assert isinstance(refused, InvalidParameterError)
    assert refused.details == {"parameter": "account"}
    assert (await path.http("GET", "/orders")).json()["total"] == 0
