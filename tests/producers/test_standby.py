"""Two processes for one unit: one publishes, the other waits, takes over within seconds, and tells the gap."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from contracts import codec, subjects
from contracts.errors import InvalidParameterError, UnknownVenueError
from contracts.instrument import make_instrument
from producers.connection.socket import OPENERS
from producers.process import plans
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.selection import follow, in_group
from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator
from producers.standby import GatedLane, Unit
from runtime.book.books import BookPace
from runtime.config import settings
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.message import make_parts, split_message
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.leases.lease import Lease
from runtime.provision import apply, declared
from runtime.servers.embedded import nats_server

TTL = 1.2


class Lane:
    def __init__(self):
        self.sent = []

    def write(self, parts):
        subject, _, payload = split_message(parts)
        self.sent.append((subject, msgspec.json.decode(payload)))


class Held:
    held = False


def test_gate_is_shut_until_the_lease_is_held_and_after_it_is_lost():
    lane = Lane()
    gate = GatedLane(lane)
    gate.write(make_parts("a", b"1"))
    lease: Any = Held()
    gate.lease = lease
    gate.write(make_parts("a", b"2"))
    lease.held = True
    gate.write(make_parts("a", b"3"))
    lease.held = False
    gate.write(make_parts("a", b"4"))
    assert lane.sent == [("a", 3)]
    assert gate.withheld == 3


class Replica:
    """One process's worth of a unit, on a connection of its own."""

    def __init__(self, bus, lane, unit):
        self.bus, self.lane, self.unit = bus, lane, unit
        self.task = asyncio.create_task(
            unit.run(lambda on_lost: Lease(bus, f"producers.{unit.name}", on_lost=on_lost, ttl=TTL))
        )

    @property
    def active(self):
        return bool(self.unit.lane.lease and self.unit.lane.lease.held)

    async def stop(self):
        self.task.cancel()
        await asyncio.wait({self.task})

    async def vanish(self):
        """As a process that is killed: nothing is given back, nothing more is sent."""
        lease: Any = self.unit.lane.lease
        lease._renewer.cancel()
        lease._grant = None
        await self.stop()


async def replica(server, sim):
    bus = await Bus(BusOptions(servers=(server.url,), name="replica")).connect()
    lane = LanePublisher(bus, on_gap=lambda _lost: None)
    venue = VENUES["binance"]
    plan = ProducerPlan(
        venue=venue,
        symbols=("BTC",),
        ws_url=sim.ws_url("binance"),
        rest_url=sim.rest_url("binance"),
        pace=BookPace(interval=0.1, depth=20),
        policy=replace(venue.policy, connect_pace=0.0, pace=0.02),
    )
    gate = GatedLane(lane)

    async def save(_unit, _body):
        return None

    return Replica(bus, lane, Unit(plan.name, Producer(plan, gate, OPENERS["picows"], save), gate))


@pytest.mark.nats
@pytest.mark.parametrize("how", ["stop", "vanish"])
async def test_standby_takes_over_and_the_gap_is_reported(tmp_path, eventually, how):
    async with nats_server(tmp_path) as server, Simulator(SimulatorConfig(seed=4, rate=3, venues=("binance",))) as sim:
        ears = await Bus(BusOptions(servers=(server.url,), name="ears")).connect()
        await apply(ears, declared(synced=True))
        received = []

        async def listen(message):
            received.append(codec.decode(message.subject, message.data))

        await ears.client.subscribe(subjects.ALL_TRADES, cb=listen)
        await ears.client.subscribe(subjects.ALL_FEEDS, cb=listen)
        first = await replica(server, sim)
        await eventually(lambda: first.active)
        await eventually(lambda: sum(event.kind == "trade" for event in received) > 5)
        second = await replica(server, sim)
        await eventually(lambda: second.unit.producer.feeds and second.unit.producer.feeds[0].ready)
        await eventually(lambda: second.unit.lane.withheld > 20)
        assert not second.active
        ids = [event.id for event in received if event.kind == "trade"]
        assert len(ids) == len(set(ids)), "the standby publishes nothing"

        received.clear()
        await getattr(first, how)()
        await eventually(lambda: second.active, TTL * 3 + 2)
        await eventually(lambda: sum(event.kind == "trade" for event in received) > 5)

        def gaps():
            return {event.channel for event in received if event.kind == "feed" and event.state == "gap"}

        await eventually(lambda: {"trade", "ticker", "book"} <= gaps())
        assert any("taken over" in (event.reason or "") for event in received if event.kind == "feed")
        await second.stop()
        for bus in (first.bus, second.bus, ears):
            await bus.close()


def test_groups_part_the_symbols_without_overlap_or_loss():
    bases = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "BNB")
    listed = [make_instrument("okx", f"{base}/USDT", f"{base}-USDT") for base in bases]
    parts = [follow(listed, bases, (number, 3)).instruments for number in range(3)]
    assert sorted(item.base for part in parts for item in part) == sorted(bases)
    assert all(part for part in parts)
    assert in_group("BTC/USDT", (0, 2)) == in_group("BTC/USDT:USDT", (0, 2))


def test_command_line_names_units():
    config = settings.VenueSettings.model_validate(
        {"HYDROPHONE_SYMBOL_GROUPS": "2", "HYDROPHONE_VENUES": "binance,okx"}
    )
    assert [plan.name for plan in plans(config, [])] == ["binance.0", "binance.1", "okx.0", "okx.1"]
    assert [plan.name for plan in plans(config, ["okx/1", "binance"])] == ["okx.1", "binance.0", "binance.1"]
    with pytest.raises(InvalidParameterError, match="okx/2"):
        plans(config, ["okx/2"])
    with pytest.raises(UnknownVenueError):
        plans(config, ["nowhere"])
