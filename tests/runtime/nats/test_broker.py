"""The FastStream lane on a real bus: survives a restart, waits for nothing that it was not given, ends loudly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from runtime.nats.broker import Broker
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.watchdog import WatchRule
from runtime.servers.child import Child
from runtime.servers.embedded import NatsServer, find_program, free_port, nats_server

Eventually = Callable[..., Awaitable[None]]


def ignore(*_args: object) -> None:
    return


async def test_handler_answers_before_and_after_a_restart_of_the_server(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        options = BusOptions(servers=(server.url,), name="broker")
        closed: list[int] = []
        broker = Broker(options, on_drop=ignore, on_closed=lambda: closed.append(1))

        @broker.subscriber("cmd.v1.broker.echo")
        async def on_echo(body: str) -> str:
            return f"received {body}"

        await broker.start()
        for subscriber in broker.subscribers:
            await subscriber.start()
        bus = await Bus(options).connect()
        assert await bus.request("cmd.v1.broker.echo", b"one", 5.0) == b"received one"
        await server.kill()
        await server.start()
        client = await broker.connect()
        await eventually(lambda: bus.connected and client.is_connected)
        await client.flush()
        assert await bus.request("cmd.v1.broker.echo", b"two", 5.0) == b"received two"
        await broker.stop()
        await bus.close()
        assert closed == []


async def test_broker_leaves_a_frozen_server(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        options = BusOptions(
            servers=(server.url,), name="broker", watch=WatchRule(interval=0.2, misses=3), connect_timeout=0.5
        )
        broker = Broker(options, on_drop=ignore)
        await broker.start()
        client = await broker.connect()
        await asyncio.sleep(0)
        await server.freeze()
        await eventually(lambda: not client.is_connected)
        await server.thaw()
        await eventually(lambda: client.is_connected)
        await broker.stop()


async def test_connection_closed_for_good_is_reported(nats: NatsServer) -> None:
    closed: list[int] = []
    broker = Broker(BusOptions(servers=(nats.url,), name="x"), on_drop=ignore, on_closed=lambda: closed.append(1))
    await broker.start()
    await (await broker.connect()).close()
    assert closed == [1]


async def connects(options: BusOptions) -> None:
    broker = Broker(options, on_drop=ignore)
    await broker.start()
    assert (await broker.connect()).is_connected
    await broker.stop()
    bus = await Bus(options).connect()
    assert bus.connected
    await bus.close()


async def test_user_and_password_may_stand_beside_the_url(nats: NatsServer) -> None:
    parts = urlsplit(nats.url)
    server = f"nats://{parts.hostname}:{parts.port}"
    await connects(BusOptions(servers=(server,), name="x", user=parts.username, password=parts.password))


async def test_token_may_stand_beside_the_url(tmp_path: Path) -> None:
    port = free_port()
    argv = [find_program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "--auth", "a-token"]

    async def ready() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    server = Child(name="nats-server", argv=argv, log_path=tmp_path / "nats.log", ready=ready)
    try:
        await server.start()
        await connects(BusOptions(servers=(f"nats://127.0.0.1:{port}",), name="x", token="a-token"))
    finally:
        await server.stop()
