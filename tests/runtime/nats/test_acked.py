"""Acknowledged publishing at speed: nothing lost, nothing stored twice, refusals said, a bound that is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from nats.js.api import StorageType

from runtime.nats.acked import AckedPublisher, BacklogFullError
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import nats_server

Eventually = Callable[..., Awaitable[None]]


def refuse(subject: str, _payload: bytes, reason: str) -> None:
    raise AssertionError(f"{subject}: {reason}")


async def test_everything_is_stored_once_in_order(bus: Bus) -> None:
    await bus.jetstream().add_stream(name="A_ORDER", subjects=["a.order.>"], storage=StorageType.MEMORY)
    publisher = await AckedPublisher(bus, "A_ORDER", on_refused=refuse).open()
    for number in range(10_000):
        await publisher.room()
        publisher.send(f"a.order.{number % 3}", b"%d" % number, schema="whale/1", msg_id=f"id{number // 2}")
    await publisher.close()
    state = (await bus.jetstream().stream_info("A_ORDER")).state
    assert state.messages == 5_000
    last = await bus.jetstream().get_msg("A_ORDER", 5_000)
    assert last.data == b"9998"
    assert (last.headers or {})["Hydrophone-Schema"] == "whale/1"
    await bus.jetstream().delete_stream("A_ORDER")


async def test_kill_of_the_server_loses_and_doubles_nothing(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await bus.jetstream().add_stream(name="LOAD", subjects=["load.>"])
        publisher = await AckedPublisher(bus, "LOAD", on_refused=refuse, max_waiting=200, repeat_after=0.5).open()
        sent = 0

        async def load() -> None:
            nonlocal sent
            for number in range(2500):
                await publisher.room()
                publisher.send("load.x", b"%d" % number, schema="whale/1", msg_id=f"id{number}")
                sent += 1
                await asyncio.sleep(0)

        loading = asyncio.create_task(load())
        await eventually(lambda: sent > 500)
        await server.kill()
        assert sent < 2500
        await server.start()
        await loading
        await publisher.close()
        assert (await bus.jetstream().stream_info("LOAD")).state.messages == 2500
        await bus.close()


async def test_stream_that_comes_later_gets_what_waited(bus: Bus) -> None:
    publisher = await AckedPublisher(bus, "A_LATER", on_refused=refuse, repeat_after=0.1).open()
    publisher.send("a.later", b"1", schema="whale/1", msg_id="1")
    with pytest.raises(TimeoutError, match="stream A_LATER: 1 messages not acknowledged"):
        await publisher.flush(0.3)
    await bus.jetstream().add_stream(name="A_LATER", subjects=["a.later"])
    await publisher.close()
    assert (await bus.jetstream().stream_info("A_LATER")).state.messages == 1
    await bus.jetstream().delete_stream("A_LATER")


async def test_full_stream_is_waited_for(bus: Bus) -> None:
    config = {"name": "A_FULL", "subjects": ["a.full"], "max_msgs": 1, "discard": "new", "retention": "limits"}
    await bus.api("STREAM.CREATE.A_FULL", json.dumps(config).encode())
    publisher = await AckedPublisher(bus, "A_FULL", on_refused=refuse, repeat_after=0.1).open()
    publisher.send("a.full", b"1", schema="whale/1", msg_id="1")
    publisher.send("a.full", b"2", schema="whale/1", msg_id="2")
    with pytest.raises(TimeoutError):
        await publisher.flush(0.3)
    await bus.jetstream().purge_stream("A_FULL")
    await publisher.close()
    assert (await bus.jetstream().get_last_msg("A_FULL", "a.full")).data == b"2"
    await bus.jetstream().delete_stream("A_FULL")


async def test_message_for_another_stream_is_refused_and_reported(bus: Bus) -> None:
    await bus.jetstream().add_stream(name="A_OTHER", subjects=["a.other"])
    refused: list[tuple[str, bytes, str]] = []
    publisher = await AckedPublisher(bus, "A_MINE", on_refused=lambda *why: refused.append(why)).open()
    publisher.send("a.other", b"1", schema="whale/1", msg_id="1")
    await publisher.close()
    [(subject, payload, reason)] = refused
    assert (subject, payload) == ("a.other", b"1")
    assert "stream" in reason
    await bus.jetstream().delete_stream("A_OTHER")


async def test_bound_is_kept(bus: Bus) -> None:
    publisher = await AckedPublisher(bus, "A_NOBODY", on_refused=refuse, max_waiting=2).open()
    for number in range(2):
        publisher.send("a.nobody", b"", schema="whale/1", msg_id=str(number))
    with pytest.raises(BacklogFullError, match="stream A_NOBODY: 2 messages wait"):
        publisher.send("a.nobody", b"", schema="whale/1", msg_id="3")
    with pytest.raises(TimeoutError):
        await publisher.close(timeout=0.1)
