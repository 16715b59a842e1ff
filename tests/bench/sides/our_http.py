"""The API's hot ways beside their references: a GET of the market, and events to many WebSocket clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.app import ApiOptions
from api.http import server
from runtime.logging import logs
from runtime.nats.bus import BusOptions
from tests.api.world import Api, api_settings, serving
from tests.bench.sides.worker import COUNTING, PATIENCE, played

PATH = "/gpt/raw?symbol=BTC"
HELLO = '{"type":"subscribe","symbol":"BTC","channel":"trades"}'
Order = Callable[..., Awaitable[None]]


@contextlib.asynccontextmanager
async def driving(at: str) -> AsyncGenerator[Order]:
    """Give orders to a driver."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(at))

    async def order(*words: object) -> None:
        writer.write(" ".join(map(str, words)).encode() + b"\n")
        async with asyncio.timeout(60 * PATIENCE):
            if await reader.readline() != b"done\n":
                raise RuntimeError(f"the driver did not manage {words[0]}")

    yield order
    writer.close()


def _slow_down() -> None:
    """Under callgrind the API is fifty times slower, the clock is not: an answer kept for 250 ms would be asked for
    again every tenth request instead of every five hundredth, and clients would be pinged fifty times as often."""  # noqa: D205, D209
    server.PING_SECONDS = 1e9  # type: ignore[misc]
    for name, module in list(sys.modules.items()):
        if name.startswith(("api.market", "runtime.clients")) and hasattr(module, "KEPT_SECONDS"):
            module.KEPT_SECONDS = 1e9  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def our_api(url: str, *, cache: bool = True) -> AsyncGenerator[Api]:
    """The API as it is deployed, its access log too; limits that these clients do not reach.

    Without `cache` it keeps no answers.
    """
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # noqa: ASYNC230
        if COUNTING:
            _slow_down()
        logs.configure(logs.LogConfig(part="api"), nowhere)
        settings = api_settings(
            GPT_API_RATE_LIMIT_REQUESTS=1_000_000,
            GPT_API_RATE_LIMIT_IP=1_000_000,
            GPT_API_RATE_LIMIT_GLOBAL=1_000_000,
            GPT_API_CONNECTIONS_PER_ADDRESS=2000,
            GPT_API_STREAM_CONNECTIONS_PER_KEY=2000,
        )
        async with serving(
            ApiOptions(settings=settings, bus=BusOptions(servers=(url,), name="api"), cache=cache)
        ) as api:
            await api.until(PATH, lambda answer: answer.status_code == 200, 30 * PATIENCE)
            yield api


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncGenerator[int]:
    """An app under uvicorn as it comes, without its access log; gives its port."""
    made = uvicorn.Server(uvicorn.Config(app, port=0, access_log=False, log_config=None, ws="websockets-sansio"))
    task = asyncio.create_task(made.serve())
    try:
        async with asyncio.timeout(10 * PATIENCE):
            while not made.started:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield made.servers[0].sockets[0].getsockname()[1]
    finally:
        made.should_exit = True
        await task


async def _get(request: dict[str, Any], port: int) -> float:
    async with driving(request["at"]) as order:

        async def play(first: int, last: int) -> None:
            await order("get", port, PATH, last - first)

        return await played(play, request["count"])


async def get_raw(request: dict[str, Any]) -> float:
    """What an answer of `/gpt/raw` costs, with a key, limits and the access log."""
    async with our_api(request["nats"]) as api:
        return await _get(request, api.port)


def model_of(name: str, value: dict[str, Any]) -> type[BaseModel]:
    """A pydantic model with the fields of a document."""
    fields: dict[str, Any] = {key: (_type_of(f"{name}_{key}", item), ...) for key, item in value.items()}
    return create_model(name, **fields)


def _type_of(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return model_of(name, value)
    if isinstance(value, list) and value:
        return list[_type_of(name, value[0]) | None]  # type: ignore[misc]
    return (
        Any
        if value is None
        else float
        if isinstance(value, int | float) and not isinstance(value, bool)
        else type(value)
    )


async def get_fastapi(request: dict[str, Any]) -> float:
    """The same answer from a FastAPI route with a response model: no key, no limits, nothing asked of the bus."""
    async with our_api(request["nats"]) as api:
        document = (await api.get(PATH)).json()
    app, model = FastAPI(), model_of("Raw", document)

    @app.get("/gpt/raw", response_model=model)
    async def raw(symbol: str) -> Any:
        assert symbol == "BTC"
        return document

    async with served(app) as port:
        return await _get(request, port)


async def _fan_out(request: dict[str, Any], port: int) -> float:
    clients, size = request["clients"], request["size"]
    async with driving(request["at"]) as order:
        await order("join", port, clients, HELLO)

        async def play(first: int, last: int) -> None:
            await order("burst", (last - first) * size, size)

        return await played(play, request["bursts"]) / (clients * size)


async def fan_out(request: dict[str, Any]) -> float:
    """What a trade costs a client of our stream, `size` of them at once."""
    async with our_api(request["nats"]) as api:
        return await _fan_out(request, api.port)


async def fan_out_starlette(request: dict[str, Any]) -> float:
    """The same event from Starlette: each message of the bus to each client in a loop, as it is."""
    clients: set[WebSocket] = set()

    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()
        await socket.send_text(json.dumps({"type": "subscribed"}))
        clients.add(socket)
        with contextlib.suppress(WebSocketDisconnect):
            await socket.receive_text()
        clients.discard(socket)

    async def on_message(message: Any) -> None:
        text = message.data.decode()
        for socket in list(clients):
            await socket.send_text(text)

    client = await nats.connect(request["nats"])
    await client.subscribe("md.v1.trade.binance.BTC.USDT.spot", cb=on_message)
    async with served(Starlette(routes=[WebSocketRoute("/ws", stream)])) as port:
        cost = await _fan_out(request, port)
    await client.close()
    return cost
