"""The bus killed, frozen and lost for good, under a load of commands that have to arrive."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.supervisor import Part, Supervisor
from runtime.nats.bus import CLOSED_EXIT_CODE, Bus, BusOptions
from runtime.servers.bus_users import BusUsers
from runtime.servers.embedded import NatsServer, nats_server
from tests.reliability.load import Load, stored

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
LOADED_SECONDS = 5.0  # what a process needs to load on a machine that is not too busy


@pytest.mark.parametrize("count", [2000, pytest.param(10_000, marks=pytest.mark.long)])
async def test_a_killed_bus_loses_and_doubles_no_command(tmp_path: Path, record_property: Note, count: int) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        load = Load(bus)
        await load.create()
        running = asyncio.create_task(load.run(count))
        await load.until(count // 4)
        await server.kill()
        before = len(load.acked)
        await asyncio.sleep(2)
        back = time.monotonic()
        await server.start()
        await running
        found = await stored(bus.client, load.stream)
        lost, doubled = load.acked.keys() - found.keys(), found.total() - len(found)
        again = load.first_after(back)
        record_property("figure", f"{len(found)} stored, lost {len(lost)}, twice {doubled}, again after {again:.1f} s")
        assert before < count
        assert (len(found), lost, doubled) == (count, set(), 0)
        assert again <= 3
        await bus.close()


@pytest.mark.long
async def test_a_frozen_bus_is_left_for_the_other_server(tmp_path: Path, record_property: Note) -> None:
    users = BusUsers(admin="t")
    async with nats_server(tmp_path / "a", users=users) as first, nats_server(tmp_path / "b", users=users) as second:
        servers = {int(one.url.rsplit(":", 1)[1]): one for one in (first, second)}
        for one in servers.values():
            setup = await Bus(BusOptions(servers=(one.url,), name="setup")).connect()
            await Load(setup).create()
            await setup.close()
        bus = await Bus(BusOptions(servers=(first.url, second.url), name="busy")).connect()
        load = Load(bus)
        running = asyncio.create_task(load.run(1_000_000))
        await load.until(500)
        assert bus.client.connected_url is not None
        frozen = servers[bus.client.connected_url.port or 0]
        await frozen.freeze()
        at = time.monotonic() + 0.1  # what was under way is read by then
        await asyncio.sleep(30)
        load.stopped = True
        await frozen.thaw()
        await running
        gap = load.first_after(at)
        found = await found_on(first) | await found_on(second)
        lost = load.acked.keys() - found
        record_property("figure", f"other server after {gap:.1f} s, {len(load.acked)} acknowledged, lost {len(lost)}")
        assert gap <= 10
        assert lost == set()
        await bus.close()


async def found_on(server: NatsServer) -> set[int]:
    bus = await Bus(BusOptions(servers=(server.url,), name="reader")).connect()
    found = set(await stored(bus.client, "COMMANDS"))
    await bus.close()
    return found


async def test_a_part_whose_connection_is_closed_for_good_ends_and_is_back(
    tmp_path: Path, record_property: Note
) -> None:
    code = """
import asyncio, pathlib, sys, time
from runtime.nats.bus import Bus, BusOptions
async def main():
    bus = await Bus(BusOptions(servers=(sys.argv[1],), name="x")).connect()
    folder = pathlib.Path(sys.argv[2])
    first = not any(folder.glob("up.*"))
    (folder / f"up.{time.time_ns()}").touch()
    await asyncio.sleep(0.5 if first else 100)
    (folder / f"closed.{time.time_ns()}").touch()
    await bus.client.close()
    await asyncio.sleep(100)
asyncio.run(main())
"""
    said: list[str] = []
    (tmp_path / "seen").mkdir()
    async with nats_server(tmp_path / "bus") as server:
        supervisor = Supervisor(tmp_path / "logs", Path.cwd(), said.append, grace_seconds=2.0)
        try:
            argv = (sys.executable, "-c", code, server.url, str(tmp_path / "seen"))
            await supervisor.start(Part("one", argv, dict(os.environ)))
            async with asyncio.timeout(60):
                while len(list((tmp_path / "seen").glob("up.*"))) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            await supervisor.stop()
    times = sorted(int(path.suffix[1:]) for path in (tmp_path / "seen").iterdir())
    back = (times[2] - times[1]) / 1e9
    assert any(str(CLOSED_EXIT_CODE) in line for line in said), said
    record_property("figure", f"back {back:.1f} s after the connection was closed")
    assert back <= 5 + LOADED_SECONDS
