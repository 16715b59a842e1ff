"""Three servers as one cluster: what is kept thrice, what the death of a leader costs, and who works meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from contracts.streams import LEASES, BucketSpec, DurableSpec, StreamSpec
from runtime.app.application import make_broker
from runtime.nats.bus import Bus, BusOptions, NoAnswerError
from runtime.nats.leases.standby import Standby
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.remade import find_term, watch_remade
from runtime.provision import Plan, ProvisionError, apply, verify
from runtime.servers.cluster import SIZE, nats_cluster
from runtime.servers.embedded import NatsServer

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
Eventually = Callable[..., Awaitable[None]]
MIB = 1024 * 1024
TRADES = StreamSpec("C_TRADES", ("c.md.>",), max_age=600, max_bytes=MIB)
EFFECTS = StreamSpec("C_EFFECTS", ("c.effect.>",), max_age=0, max_bytes=8 * MIB, effects=True)
COUNTS = StreamSpec("C_COUNTS", ("c.count.>",), max_age=600, max_bytes=MIB, counter=True, memory=True)
BUCKET = BucketSpec(LEASES, max_bytes=MIB, effects=True)
DURABLE = DurableSpec("C_EFFECTS", "c_done", "c.effect.>", deliver="all")
GAP_SECONDS = 10.5  # a follower stands for election 4 to 9 s after the last heartbeat, by chance; and a repeat of ours
AGAIN_SECONDS = 30.0


async def applied(bus: Bus, wanted: Plan) -> list[str]:
    """Provision, and return what was done, once the servers have a leader again: before that nobody answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return await apply(bus, wanted)
        except NoAnswerError:
            if time.monotonic() > deadline:
                raise


def plan(replicas: int) -> Plan:
    kept = (TRADES, EFFECTS, COUNTS)
    return Plan(streams=kept, buckets=(BUCKET,), durables=(DURABLE,), replicas=replicas, synced=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[list[NatsServer]]:
    async with nats_cluster(Path(tmp_path_factory.mktemp("cluster"))) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def connect(servers: list[NatsServer]) -> AsyncGenerator[Callable[[], Awaitable[Bus]]]:
    async with AsyncExitStack() as stack:

        async def make() -> Bus:
            options = BusOptions(servers=tuple(one.url for one in servers), name="test")
            bus = await Bus(options, on_closed=lambda: None).connect()
            stack.push_async_callback(bus.close, timeout=2.0)
            return bus

        yield make


async def config(bus: Bus, stream: str) -> dict[str, Any]:
    found: dict[str, Any] = (await call(bus, f"STREAM.INFO.{stream}"))["config"]
    return found


async def leader(bus: Bus, stream: str) -> int:
    """Return the number, from 0, of the server that leads."""
    async with asyncio.timeout(AGAIN_SECONDS):
        while True:
            try:
                if (term := find_term(await call(bus, f"STREAM.INFO.{stream}", timeout=1.0))) is not None:
                    return int(term[0].rsplit("-", 1)[1]) - 1
            except (NoAnswerError, ApiRefusalError):
                pass
            await asyncio.sleep(0.05)


async def settled(bus: Bus, stream: str) -> None:
    """Wait until every server of the stream has all of it."""
    async with asyncio.timeout(AGAIN_SECONDS):
        while True:
            try:
                others = (await call(bus, f"STREAM.INFO.{stream}", timeout=1.0)).get("cluster", {}).get("replicas", [])
                if len(others) == SIZE - 1 and all(one.get("current") and not one.get("offline") for one in others):
                    return
            except (NoAnswerError, ApiRefusalError):
                pass
            await asyncio.sleep(0.05)


async def test_what_exists_is_raised_to_three_servers_but_for_what_was_persisted_asynchronously(
    connect: Callable[[], Awaitable[Bus]],
) -> None:
    bus = await connect()
    await applied(bus, plan(1))
    lines = {line.split(": ")[0]: line for line in await applied(bus, plan(3))}
    assert "num_replicas" in lines["stream C_EFFECTS"]
    assert "num_replicas" in lines["bucket LEASES"]
    assert "stays on one server" in lines["stream C_TRADES"]
    await settled(bus, "C_EFFECTS")
    await verify(bus, plan(3))
    await call(bus, "STREAM.DELETE.C_TRADES")
    await applied(bus, plan(3))
    trades = await config(bus, "C_TRADES")
    assert (trades["num_replicas"], trades.get("persist_mode", "default")) == (3, "default")
    await verify(bus, plan(3))
    await call(bus, "STREAM.DELETE.C_EFFECTS")
    made = {"name": "C_EFFECTS", "subjects": ["c.effect.>"], "storage": "file", "persist_mode": "async"}
    await call(bus, "STREAM.CREATE.C_EFFECTS", json.dumps(made).encode())
    with pytest.raises(ProvisionError, match="C_EFFECTS: persist_mode is 'async'"):
        await applied(bus, plan(1))
    await call(bus, "STREAM.DELETE.C_EFFECTS")
    await applied(bus, plan(3))


class Effects:
    """Publishes effects until it is stopped; when each was acknowledged."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.sent = 0
        self.acked: list[float] = []
        self.stop = asyncio.Event()
        self._gate = asyncio.Semaphore(50)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while not self.stop.is_set():
                await self._gate.acquire()
                group.create_task(self._publish(self.sent))
                self.sent += 1
                await asyncio.sleep(0.002)

    async def _publish(self, number: int) -> None:
        header = {"Nats-Msg-Id": f"effect-{number}"}
        await self.bus.publish_acked(f"c.effect.{number}", b"x", headers=header, stream="C_EFFECTS", timeout=1.0)
        self.acked.append(time.monotonic())
        self._gate.release()

    def gap(self, since: float) -> float:
        """Return the longest pause between acknowledgements after a time."""
        around = [at for at in self.acked if at <= since][-1:] + [at for at in self.acked if at > since]
        return max(later - earlier for earlier, later in pairwise(around))


async def read_all(bus: Bus, messages: int) -> None:
    reader = await bus.jetstream().pull_subscribe_bind("c_done", "C_EFFECTS")
    while messages:
        for message in await reader.fetch(min(50, messages), timeout=AGAIN_SECONDS):
            await message.ack_sync(AGAIN_SECONDS)
            messages -= 1
    assert (await call(bus, "CONSUMER.INFO.C_EFFECTS.c_done"))["num_pending"] == 0


async def test_killed_leader_loses_and_doubles_nothing_that_was_acknowledged_and_is_noticed_once(
    servers: list[NatsServer], connect: Callable[[], Awaitable[Bus]], eventually: Eventually
) -> None:
    bus = await connect()
    await applied(bus, plan(3))
    await settled(bus, "C_EFFECTS")
    moved: list[str] = []
    remade: list[str] = []
    on_moved = {"C_EFFECTS": lambda: moved.append("")}
    looking = watch_remade(bus, {"C_EFFECTS": lambda: remade.append("")}, on_moved=on_moved, interval=0.1)
    watching = asyncio.create_task(looking)
    effects = Effects(bus)
    load = asyncio.create_task(effects.run())
    await asyncio.sleep(0.5)
    led = servers[await leader(bus, "C_EFFECTS")]
    await led.kill()
    killed = time.monotonic()
    await eventually(lambda: effects.acked[-1] > killed + 1.0, AGAIN_SECONDS)
    await led.start()
    effects.stop.set()
    await load
    await settled(bus, "C_EFFECTS")
    await eventually(lambda: bool(moved), AGAIN_SECONDS)
    watching.cancel()
    assert (len(moved), len(remade)) == (1, 0)
    state = (await call(bus, "STREAM.INFO.C_EFFECTS", json.dumps({"subjects_filter": ">"}).encode()))["state"]
    sent = effects.sent
    assert (len(effects.acked), state["messages"], len(state["subjects"])) == (sent, sent, sent)
    assert effects.gap(killed) <= GAP_SECONDS
    await read_all(bus, sent)


async def test_servers_that_only_the_cluster_names_are_gone_to_with_the_same_login(
    servers: list[NatsServer], eventually: Eventually
) -> None:
    named = servers[0]
    options = BusOptions(servers=(named.url,), name="test")
    bus = await Bus(options, on_closed=lambda: None).connect()
    broker = make_broker(bus, "test", CollectorRegistry())
    await broker.start()
    client = await broker.connect()
    await eventually(
        lambda: len(client.discovered_servers) >= SIZE - 1 and len(bus.client.discovered_servers) >= SIZE - 1
    )
    await named.kill()
    moved: list[bool] = []
    bus.listen_reconnect(lambda: moved.append(True))
    await eventually(lambda: bool(moved) and bus.connected and client.is_connected, AGAIN_SECONDS)
    await client.flush()
    assert client.connected_url != named.url
    await named.start()
    await broker.stop()
    await bus.close(timeout=2.0)


async def test_one_of_a_group_works_and_goes_on_while_a_server_is_away(
    servers: list[NatsServer], connect: Callable[[], Awaitable[Bus]], eventually: Eventually
) -> None:
    first_bus, second_bus = await connect(), await connect()
    await applied(first_bus, plan(3))
    replaced: list[str] = []
    first = Standby(first_bus, "group", on_replaced=lambda: replaced.append("first"))
    second = Standby(second_bus, "group", ttl=3.0, on_replaced=lambda: replaced.append("second"))
    await first.wait()
    keeping = asyncio.create_task(first.keep())
    waiting = asyncio.create_task(second.wait())
    await settled(first_bus, f"KV_{LEASES}")
    led = servers[await leader(first_bus, f"KV_{LEASES}")]
    await led.kill()
    await asyncio.sleep(1.0)
    await led.start()
    await settled(first_bus, f"KV_{LEASES}")
    assert not waiting.done()
    assert replaced == []
    keeping.cancel()
    await first.release()
    async with asyncio.timeout(AGAIN_SECONDS):
        await waiting
    await second.release()
    await eventually(lambda: second_bus.connected, AGAIN_SECONDS)


async def test_what_was_silent_for_too_long_is_replaced(
    connect: Callable[[], Awaitable[Bus]], eventually: Eventually
) -> None:
    frozen_bus, other_bus = await connect(), await connect()
    await applied(other_bus, plan(3))
    replaced: list[str] = []
    frozen = Standby(frozen_bus, "silent", ttl=1.5, on_replaced=lambda: replaced.append("frozen"))
    other = Standby(other_bus, "silent", ttl=1.5, on_replaced=lambda: replaced.append("other"))
    await frozen.wait()
    await frozen_bus.client.close()  # as if it stood still: its lease is renewed no more
    await other.wait()
    keeping = asyncio.create_task(other.keep())
    await asyncio.sleep(0.5)
    keeping.cancel()
    assert replaced == []
    await other.release()
