"""The connection: restarts, frozen servers, losses that are seen, acknowledged publishes that are not lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from prometheus_client import CollectorRegistry

from runtime.metrics import BusMetrics
from runtime.nats.bus import CLOSED_EXIT_CODE, Bus, BusOptions, NoAnswerError, subject_class
from runtime.nats.watchdog import WatchRule
from runtime.servers.bus_users import BusUsers
from runtime.servers.embedded import NatsServer, free_port, nats_server, nats_url

Eventually = Callable[..., Awaitable[None]]
FAST = WatchRule(interval=0.2, misses=3)


async def _echo(bus: Bus, subject: str) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(message.data)

    await bus.client.subscribe(subject, cb=answer)


async def test_request_returns_the_answer(bus: Bus) -> None:
    await _echo(bus, "cmd.v1.echo.say")
    assert await bus.request("cmd.v1.echo.say", b"hello", 2.0) == b"hello"


async def test_request_without_a_service_names_the_subject(bus: Bus) -> None:
    with pytest.raises(NoAnswerError, match=r"cmd\.v1\.nobody\.home: nobody serves it"):
        await bus.request("cmd.v1.nobody.home", b"", 2.0)


async def test_acked_publish_without_message_id_is_refused(bus: Bus) -> None:
    with pytest.raises(ValueError, match="Nats-Msg-Id"):
        await bus.publish_acked("job.v1.x", b"", headers={}, stream="X")


async def test_connect_waits_for_a_server_that_comes_later(tmp_path: Path) -> None:
    port = free_port()
    bus = Bus(BusOptions(servers=(nats_url(port, "admin", "t"),), name="test"))
    connecting = asyncio.create_task(bus.connect())
    await asyncio.sleep(0.1)
    assert not connecting.done()
    async with nats_server(tmp_path, port=port, users=BusUsers(admin="t")):
        async with asyncio.timeout(30):
            await connecting
        assert bus.connected
        await bus.close()


async def test_kill_of_the_server_under_load_loses_and_doubles_nothing_acked(
    tmp_path: Path, eventually: Eventually
) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        received: list[str] = []
        bus.listen_disconnect(lambda: received.append("lost"))
        bus.listen_reconnect(lambda: received.append("back"))
        await _echo(bus, "cmd.v1.echo.again")
        await bus.jetstream().add_stream(name="LOAD", subjects=["load.>"])
        acked = 0
        gate = asyncio.Semaphore(50)

        async def publish(number: int) -> None:
            nonlocal acked
            async with gate:
                header = {"Nats-Msg-Id": f"id-{number}"}
                await bus.publish_acked(f"load.{number}", b"x", headers=header, stream="LOAD")
                acked += 1

        load = asyncio.gather(*(publish(number) for number in range(800)))
        await eventually(lambda: acked > 200)
        await server.kill()
        at_kill = acked
        await asyncio.sleep(2.0)
        await server.start()
        await load
        assert at_kill < acked == 800
        state = (await bus.jetstream().stream_info("LOAD", subjects_filter=">")).state
        assert state.messages == 800
        assert state.subjects is not None
        assert len(state.subjects) == 800
        assert received == ["lost", "back"]
        assert await bus.request("cmd.v1.echo.again", b"1", 2.0) == b"1"
        await bus.close()


async def test_frozen_server_is_left_under_load_and_found_again_after_thaw(
    tmp_path: Path, eventually: Eventually
) -> None:
    async with nats_server(tmp_path) as server:
        options = BusOptions(servers=(server.url,), name="test", watch=FAST, connect_timeout=0.5)
        bus = await Bus(options).connect()
        lost: list[int] = []
        bus.listen_disconnect(lambda: lost.append(1))
        await _echo(bus, "cmd.v1.echo.thawed")
        stop = asyncio.Event()

        async def busy() -> None:
            while not stop.is_set():
                if bus.connected:
                    await bus.client.publish("noise", b"x" * 10_000)
                await asyncio.sleep(0.0005)

        publisher = asyncio.create_task(busy())
        await server.freeze()
        await eventually(lambda: bool(lost) and not bus.connected, seconds=6)
        await server.thaw()
        await eventually(lambda: bus.connected)
        stop.set()
        await publisher
        assert await bus.request("cmd.v1.echo.thawed", b"1", 5.0) == b"1"
        await bus.close()


async def test_frozen_server_is_left_for_another(tmp_path: Path, eventually: Eventually) -> None:
    async with (
        nats_server(tmp_path / "a", users=BusUsers(admin="t")) as first,
        nats_server(tmp_path / "b", users=BusUsers(admin="t")) as second,
    ):
        options = BusOptions(servers=(first.url, second.url), name="test", watch=FAST, connect_timeout=0.5)
        bus = await Bus(options).connect()
        url = bus.client.connected_url
        assert url is not None
        current = first if url.port == int(first.url.rsplit(":", 1)[1]) else second
        reconnected: list[int] = []
        bus.listen_reconnect(lambda: reconnected.append(1))
        await current.freeze()
        await eventually(lambda: bool(reconnected))
        moved = bus.client.connected_url
        assert moved is not None
        assert moved.port != url.port
        await bus.close()


async def test_late_pong_after_a_short_freeze_keeps_the_connection(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        registry = CollectorRegistry()
        options = BusOptions(servers=(server.url,), name="test", watch=WatchRule(interval=0.2, misses=10))
        bus = await Bus(options, metrics=BusMetrics(registry)).connect()
        await server.freeze()
        await asyncio.sleep(0.8)
        await server.thaw()
        await eventually(lambda: (registry.get_sample_value("hydrophone_bus_rtt_seconds") or 0) > 0.2)
        await _echo(bus, "cmd.v1.echo.still")
        assert await bus.request("cmd.v1.echo.still", b"1", 2.0) == b"1"
        assert registry.get_sample_value("hydrophone_bus_reconnects_total") == 0
        await bus.close()


async def test_connection_closed_for_good_calls_back_and_asked_close_does_not(nats: NatsServer) -> None:
    closed: list[str] = []
    unasked = await Bus(BusOptions(servers=(nats.url,), name="a"), on_closed=lambda: closed.append("a")).connect()
    asked = await Bus(BusOptions(servers=(nats.url,), name="b"), on_closed=lambda: closed.append("b")).connect()
    await unasked.client.close()
    await asked.close()
    assert closed == ["a"]


async def test_process_whose_connection_was_closed_for_good_ends_non_zero(nats: NatsServer) -> None:
    code = """
import asyncio, sys
from runtime.nats.bus import Bus, BusOptions
async def main():
    bus = await Bus(BusOptions(servers=(sys.argv[1],), name="x")).connect()
    await bus.client.close()
    await asyncio.sleep(30)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, nats.url)
    async with asyncio.timeout(30):
        assert await process.wait() == CLOSED_EXIT_CODE


async def test_slow_consumers_drops_are_counted_by_class_and_reported(nats: NatsServer, eventually: Eventually) -> None:
    registry = CollectorRegistry()
    bus = await Bus(BusOptions(servers=(nats.url,), name="slow"), metrics=BusMetrics(registry)).connect()
    reported: list[str] = []
    bus.listen_drop(lambda subject, _count: reported.append(subject))
    release = asyncio.Event()

    async def slow(_message: Msg) -> None:
        await release.wait()

    await bus.client.subscribe("md.v1.slow.>", cb=slow, pending_msgs_limit=1)
    for _ in range(10):
        await bus.client.publish("md.v1.slow.binance.BTC", b"x")
    await eventually(lambda: len(reported) >= 8)
    assert registry.get_sample_value("hydrophone_bus_dropped_total", {"event": "md.v1.slow"}) == len(reported)
    release.set()
    await bus.close()


def test_subject_class_never_holds_a_symbol() -> None:
    assert subject_class("md.v1.trade.binance.BTC.USDT.spot") == "md.v1.trade"
    assert subject_class("_INBOX.abc.def") == "inbox"
