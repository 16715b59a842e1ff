"""Three servers, three replicas: the stream's leader is killed under load."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from runtime.nats.bus import Bus, BusOptions
from runtime.servers.answers import nats_answers
from runtime.servers.child import Child
from runtime.servers.embedded import free_port, nats_command
from tests.reliability.load import Load, stored

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.nats, pytest.mark.long, pytest.mark.timeout(300)]


class Cluster:
    """Three servers by name; `urls` are all of theirs."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: (free_port(), free_port(), free_port()) for name in ("n1", "n2", "n3")}
        self.servers = {name: self._server(folder / name, name) for name in self.ports}
        self.urls = tuple(f"nats://127.0.0.1:{client}" for client, _, _ in self.ports.values())

    def _server(self, folder: Path, name: str) -> Child:
        client, monitor, cluster = self.ports[name]
        routes = ", ".join(f'"nats://127.0.0.1:{ports[2]}"' for ports in self.ports.values())
        folder.mkdir()
        path = folder / "nats.conf"
        path.write_text(
            f'server_name: {name}\nlisten: "127.0.0.1:{client}"\nhttp: "127.0.0.1:{monitor}"\n'
            f'jetstream {{ store_dir: "{folder}", sync_interval: always, max_file_store: 500MB }}\n'
            f'cluster {{ name: c, listen: "127.0.0.1:{cluster}", routes: [{routes}] }}\n'
        )
        return Child(name, nats_command(path), folder / "nats.log", lambda: nats_answers(client, monitor))

    async def healthy(self, name: str) -> None:
        """Wait until a server says that all of its streams are up to date."""
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(self._healthy, name):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def _healthy(self, name: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name][1]}/healthz", timeout=2) as answer:
                return json.load(answer).get("status") == "ok"
        except OSError:
            return False


@asynccontextmanager
async def clustered(folder: Path) -> AsyncGenerator[Cluster]:
    cluster = Cluster(folder)
    async with AsyncExitStack() as stack:
        for one in cluster.servers.values():
            stack.push_async_callback(one.stop)
        await asyncio.gather(*(one.start(60) for one in cluster.servers.values()))
        yield cluster


async def test_the_leader_of_three_is_killed_under_load(tmp_path: Path, record_property: Note) -> None:
    async with clustered(tmp_path) as cluster:
        bus = await Bus(BusOptions(servers=cluster.urls, name="test")).connect()
        load = Load(bus)
        async with asyncio.timeout(60):
            while True:
                try:
                    await load.create(replicas=3)
                    break
                except Exception:  # noqa: BLE001  # no leader of the cluster yet
                    await asyncio.sleep(0.2)
        taken: set[int] = set()
        taking = asyncio.create_task(take(cluster, taken))
        running = asyncio.create_task(load.run(1_000_000, timeout=1.0))
        await load.until(1000)
        leader = await find_leader(bus)
        await cluster.servers[leader].kill()
        at_kill = len(load.acked)
        await load.until(at_kill + 1000)
        await cluster.servers[leader].start(60)
        await cluster.healthy(leader)
        await asyncio.sleep(1)
        load.stopped = True
        await running
        found = await stored(bus.client, load.stream)
        lost, doubled, gap = load.acked.keys() - found.keys(), found.total() - len(found), load.longest_gap()
        async with asyncio.timeout(30):
            while not found.keys() <= taken:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        taking.cancel()
        record_property(
            "figure",
            f"{len(load.acked)} acknowledged, lost {len(lost)}, twice {doubled}, longest gap {gap:.1f} s, "
            f"the killed server is up to date again, all {len(taken)} consumed",
        )
        assert (lost, doubled) == (set(), 0)
        assert gap <= 6
        await bus.close()


async def find_leader(bus: Bus) -> str:
    """Ask until the stream has a leader, and return its name."""
    info = json.loads(await bus.api("STREAM.INFO.COMMANDS"))
    return str(info["cluster"]["leader"])


async def take(cluster: Cluster, taken: set[int]) -> None:
    """Take from a durable with as many replicas, and acknowledge, whatever happens to the servers."""
    bus = await Bus(BusOptions(servers=cluster.urls, name="taker")).connect()
    try:
        reader = await bus.jetstream().pull_subscribe("commands.x", durable="taker", stream="COMMANDS")
        while True:
            try:
                messages = await reader.fetch(100, timeout=1)
                for message in messages:
                    taken.add(int(message.data))
                    await message.ack()
            except Exception:  # noqa: BLE001  # no leader for a moment, or nothing new
                await asyncio.sleep(0.1)
    finally:
        await bus.close()
