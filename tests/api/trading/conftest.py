"""The API over a bus with execution, a book to trade on, and owners with a key each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any

import httpx
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from api.app import ROUTERS
from api.http.app import make_app
from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from contracts import streams
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.answer_models import check_answer, find_faults
from tests.api.conftest import api_nats, start, store
from tests.api.test_route_table import put_key
from tests.api.world import Api, Start, Store
from tests.consumers.execution.conftest import User
from tests.running import running

__all__ = ["api_nats", "start", "store"]
APP = make_app(ROUTERS)
SECRET = "s" * 40
CREATED = 201


def database(documents_url: str) -> str:
    """The URL of a database of the test's own."""
    address, _, options = documents_url.partition("?")
    return f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"


@dataclass
class Trader:
    """An owner who trades over HTTP; each answer is held to the model of its route."""

    api: Api
    owner: str
    key: str
    market: User

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        bearer = {"Authorization": f"Bearer {self.key}", **named}
        async with asyncio.timeout(30):
            while True:
                found = await self.api.client.request(method, f"/api/trading{path}", json=body, headers=bearer)
                if found.status_code != 401:  # its key is known to the process
                    check(found)
                    return found
                await asyncio.sleep(0.02)

    async def good(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        found = await self.ask(method, path, body)
        assert found.status_code == status, found.text
        return found.json()

    async def order(self, **fields: Any) -> Any:
        values = {"account": "paper", "symbol": "BTC/USDT", "side": "buy", "type": "limit", "amount": 2, "price": 100}
        return await self.good("POST", "/orders", {**values, **fields}, CREATED)


def check(answer: httpx.Response) -> None:
    """Hold an answer to the model and the schema of its route."""
    path, method = answer.request.url.path, answer.request.method
    context = next(
        context
        for context in iter_route_contexts(APP.routes)
        if method in (context.methods or ()) and context.path_regex.fullmatch(path)
    )
    document = APP.openapi()
    if answer.status_code in {CREATED, 202}:
        responses = document["paths"][context.path_format][method.lower()]["responses"]
        schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        assert list(find_faults(schema, answer.json(), document)) == []
    elif answer.headers["content-type"] == "application/json":
        check_answer(context, answer, document)


@pytest_asyncio.fixture
async def executing(api_nats: NatsServer, store: Store, documents_url: str) -> AsyncGenerator[None]:
    """Execution, serving; no books and no orders are on the bus."""
    for stream in (streams.BOOKS, streams.TRADING):
        await store.bus.jetstream().purge_stream(stream)
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="execution")).connect()
    async with running(bus, "execution", partial(run_execution, plan=ExecutionPlan(documents=database(documents_url)))):
        yield
    await bus.close()


@pytest_asyncio.fixture
async def trading_api(executing: None, start: Start) -> Api:
    """The API, which can seal keys of exchanges."""
    return await start({"secrets": (SECRET,)})


async def trader(api: Api, store: Store, number: int) -> Trader:
    owner = f"owner-{token_hex(4)}"
    return Trader(api, owner, await put_key(store, number, owner, ("trade",)), User(store.bus, owner))


@pytest_asyncio.fixture
async def ann(trading_api: Api, store: Store) -> Trader:
    """An owner, with a book to trade on."""
    found = await trader(trading_api, store, 1)
    await found.market.show([("100", "1")], [("101", "3"), ("102", "5")])
    return found


@pytest_asyncio.fixture
async def bob(trading_api: Api, store: Store) -> Trader:
    """Another owner."""
    return await trader(trading_api, store, 2)
