"""The detectors on a real bus: the same signals through kills, each once, and each explained to the byte."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import signal
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumers.detectors.handlers import DetectorPlan, make_consumer
from consumers.detectors.rules import (
    DetectorRules,
    FundingRules,
    InterestRules,
    SpreadRules,
    VolumeRules,
    WallRules,
    by_tier,
)
from contracts import codec, streams, subjects
from contracts.instrument import make_instrument
from contracts.numbers import time_of
from contracts.services.explaining import DryRunQuery, DryRunReply, Explanation, WhyNotQuery, WhyQuery
from contracts.subjects import HEADER_SIMULATED, HEADER_TRACE
from runtime.clients.command_client import CommandClient
from runtime.clock import monotonic, now_ns
from runtime.nats.bus import Bus
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from runtime.tracing.context import find_header, write_parent
from tests.consumers.conftest import make_status, make_ticker
from tests.consumers.detectors.making import (
    MINUTE,
    SECOND,
    book,
    candle,
    funding,
    interest,
    side,
    subject_of,
    ticker,
)
from tests.recording import TRACE, ids, parent_ids, recording
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(150)]
KINDS = ("funding_extreme", "interest_jump", "wall", "spread", "volume_spike", "listing")
STEP = 0.05  # seconds
LOW = by_tier(1000, 1000, 1000)
RULES = DetectorRules(
    funding=FundingRules(cooldown=2 * SECOND),
    interest=InterestRules(percent=by_tier(2, 2, 2), window=4 * SECOND, cooldown=2 * SECOND),
    wall=WallRules(usd=LOW, cooldown=2 * SECOND),
    spread=SpreadRules(percent=by_tier("0.3", "0.5", "1"), stale=2 * SECOND, cooldown=2 * SECOND),
    volume=VolumeRules(usd=LOW, minutes=10, samples=5, cooldown=SECOND),
)
ENVIRONMENT = {
    "HYDROPHONE_FUNDING_COOLDOWN_SECONDS": "2",
    "HYDROPHONE_INTEREST_WINDOW_SECONDS": "4",
    "HYDROPHONE_INTEREST_COOLDOWN_SECONDS": "2",
    **{f"HYDROPHONE_INTEREST_PERCENT_{tier}": "2" for tier in ("MAJORS", "LARGE", "MID")},
    **{f"HYDROPHONE_{what}_USD_{tier}": "1000" for what in ("WALL", "VOLUME") for tier in ("MAJORS", "LARGE", "MID")},
    "HYDROPHONE_WALL_COOLDOWN_SECONDS": "2",
    "HYDROPHONE_WALL_SAMPLE_SECONDS": "1",
    "HYDROPHONE_SPREAD_STALE_SECONDS": "2",
    "HYDROPHONE_SPREAD_COOLDOWN_SECONDS": "2",
    "HYDROPHONE_VOLUME_COOLDOWN_SECONDS": "1",
    "HYDROPHONE_VOLUME_MINUTES": "10",
}
PLAN = DetectorPlan(rules=RULES, sample_every=SECOND, save_seconds=0.3)


class Market:
    """Publishes what the detectors read, in real time."""

    def __init__(self, bus: Bus, seed: int = 3) -> None:
        self.bus, self.dice = bus, random.Random(seed)
        self.start = self.end = now_ns()
        self.minute = self.start // MINUTE * MINUTE - 200 * MINUTE
        self.listed = ["BTC/USDT:USDT"]

    async def play(self, seconds: float) -> None:
        for step in range(int(seconds / STEP)):
            await self.publish_figures()
            if step % 4 == 0:
                await self.publish_prices()
            if step % 5 == 0:
                await self.publish_minute()
            if step % 10 == 0:
                await self.list_one(f"N{len(self.listed)}/USDT:USDT")
            await asyncio.sleep(STEP)
        self.end = now_ns()

    async def publish_figures(self) -> None:
        dice, now = self.dice, now_ns()
        for venue in ("bybit", "okx"):
            rate = dice.choice(("0.0001", "0.0002", "0.002")) if dice.random() < 0.2 else "0.0001"
            event = funding(now, rate, venue=venue, sim=True)
            await self.publish(subject_of(event, subjects.FUNDING), event)
            event = interest(now, dice.choice(("1000", "1030")), venue=venue, sim=True)  # whatever the first was: 3 %
            await self.publish(subject_of(event, subjects.INTEREST), event)

    async def publish_prices(self) -> None:
        dice, now = self.dice, now_ns()
        dollar = str(Decimal(dice.randrange(9900, 10100)) / 10000)
        peg = make_ticker(now, venue="kraken", symbol="USDT/USD", last=dollar)
        await self.publish("md.v1.ticker.kraken.USDT.USD.spot", peg)
        for venue in ("bybit", "okx"):
            middle = Decimal(100) + Decimal(dice.randrange(-20, 20)) / 100
            event = ticker(now, str(middle), str(middle + Decimal("0.01")), venue=venue, sim=True)
            await self.publish(subject_of(event, subjects.TICKER), event)
            amounts = ["1"] * 15
            if dice.random() < 0.4:
                amounts[dice.randrange(15)] = str(dice.randrange(15, 60))
            held = book(now, side(100, -1, amounts), side(101, 1, ["2"] * 15), venue=venue, sim=True)
            await self.publish(subject_of(held, subjects.BOOK), held)

    async def publish_minute(self) -> None:
        self.minute += MINUTE
        volume = "200" if self.dice.random() < 0.15 else self.dice.choice(("10", "11", "9"))
        event = candle(self.minute, volume, sim=True, ts_event=now_ns(), ts_recv=now_ns())
        await self.publish(subject_of(event, f"{subjects.CANDLE}1m."), event)

    async def list_one(self, symbol: str) -> None:
        self.listed.append(symbol)
        found = [make_instrument("bybit", name, name.replace("/", "")) for name in self.listed]
        body = gzip.compress(msgspec.json.encode(found), 3, mtime=0)
        await self.bus.jetstream().publish("$KV.LISTINGS.bybit", body, headers={HEADER_SIMULATED: "1"})

    async def publish(self, subject: str, event: Any) -> None:
        await self.bus.jetstream().publish(subject, codec.encode(event))


async def published(bus: Bus) -> list[Any]:
    rows = await read_past(bus, streams.SIGNALS, (subjects.ALL_SIGNALS,), ALL)
    return [codec.decode(row.subject.decode(), row.payload) for row in rows]


def of_kind(signals: list[Any], kind: str) -> list[Any]:
    return [found for found in signals if found.kind == kind]


async def dry_run(bus: Bus, kind: str, market: Market) -> list[str]:
    query = DryRunQuery(rule=kind, start=market.start, end=market.end)
    reply = await CommandClient(bus).request("detectors.dry_run", query, DryRunReply)
    assert reply.count == len(reply.fired)
    return sorted(item.id for item in reply.fired)


async def test_every_signal_is_explained_and_counted(own: Bus) -> None:
    client, took = CommandClient(own), list[float]()
    async with running(own, "detectors", make_consumer(PLAN).run):
        market = Market(own)
        await own.jetstream().publish("feed.v1.bybit", codec.encode(make_status("live", now_ns(), venue="bybit")))
        await market.play(10)
        signals = await settled(own)
        for _ in range(4):  # what is rare comes by chance and by the clock, which cooldowns follow
            if is_enough(signals):
                break
            await market.play(5)
            signals = await settled(own)
        assert is_enough(signals), Counter(found.kind for found in signals)
        assert all(found.sim for found in signals)
        for found in signals:
            began = monotonic()
            reply = await client.request("detectors.why", WhyQuery(id=found.id), Explanation)
            took.append(monotonic() - began)
            if found.kind == "listing" and len(reply.events) < 2:  # the bucket keeps the newest listings only
                assert any("not recorded any more" in what for what in reply.missing)
                continue
            assert (reply.decision, reply.same) == ("fired", True), (found, reply)
            assert {item.id for item in reply.events} == set(found.event_ids)
        for kind in KINDS[:-1]:
            there = [found.id for found in of_kind(signals, kind) if market.start <= time_of_signal(found) < market.end]
            assert await dry_run(own, kind, market) == sorted(there), kind
        await check_moments(client, signals, market, took)
    took.sort()
    counts = dict(Counter(found.kind for found in signals))
    print(f"{counts}, half within {took[len(took) // 2] * 1000:.0f} ms, all within {took[-1] * 1000:.0f} ms")
    assert took[-1] < 10.0  # nobody waits until the asker gives up


async def test_a_signal_continues_the_trace_of_the_event_that_it_follows_from(own: Bus) -> None:
    (tracing, spans), now = recording(0.0), now_ns()
    bus = await Bus(own.options, tracing=tracing).connect()
    async with running(bus, "detectors", make_consumer(PLAN).run):
        event = funding(now, "0.002", sim=True)
        headers = {HEADER_TRACE: TRACE}
        await own.jetstream().publish(subject_of(event, subjects.FUNDING), codec.encode(event), headers=headers)
        async with asyncio.timeout(20):
            while not (rows := await read_past(own, streams.SIGNALS, (f"{subjects.FUNDING_EXTREME}>",), ALL)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await bus.close()
    (published_one,) = spans.get_finished_spans()
    assert parent_ids(published_one) == tuple(int(part, 16) for part in TRACE.split("-")[1:3])
    assert find_header(rows[0].headers) == write_parent(*ids(published_one))


def time_of_signal(found: Any) -> int:
    return time_of(found.ts_event, found.ts_recv)


def is_enough(signals: list[Any]) -> bool:
    """Whether there are some of every kind."""
    counts = Counter(found.kind for found in signals)
    return min(counts[kind] for kind in KINDS) > 1


async def settled(own: Bus) -> list[Any]:
    """Return the signals, once there are some of every kind and no more have come for a second."""
    deadline, before = monotonic() + 30, -1
    while monotonic() < deadline:
        signals = await published(own)
        if len(signals) == before and is_enough(signals):
            break
        before = len(signals)
        await asyncio.sleep(1)
    return await published(own)


async def check_moments(client: CommandClient, signals: list[Any], market: Market, took: list[float]) -> None:
    dice, decisions = random.Random(5), Counter[tuple[str, str]]()
    for _ in range(100):
        kind = dice.choice(KINDS[:-1])
        at = dice.randrange(market.start + 2 * SECOND, market.end)
        venue = None if kind == "spread" else dice.choice(("bybit", None))
        began = monotonic()
        query = WhyNotQuery(rule=kind, symbol="BTC/USDT:USDT", venue=venue, at=at)
        reply = await client.request("detectors.why_not", query, Explanation)
        took.append(monotonic() - began)
        here = [
            found
            for found in of_kind(signals, kind)
            if venue in {None, found.venue} and abs(time_of_signal(found) - at) <= SECOND
        ]
        assert (reply.decision == "fired") is bool(here), (query, here, reply)
        assert reply.comparisons
        decisions[kind, reply.decision] += 1
    assert {decision for _, decision in decisions} >= {"fired", "held"}, decisions


class Process:
    """`python -m consumers detectors`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, server: NatsServer, folder: Path) -> Process:
        environ = {**os.environ, **ENVIRONMENT, "NATS_URL": server.url_of("detectors"), "HYDROPHONE_DATA": str(folder)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "consumers", "detectors"), env=environ, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(40):
            while b"consumer.ready" not in (line := await process.stdout.readline()):
                assert line, "the process ended before it was ready"
        return cls(process)

    async def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        await asyncio.wait_for(self.process.communicate(), 30)


async def test_a_consumer_that_is_killed_publishes_the_signals_of_one_that_is_not_each_once(
    server: NatsServer, own: Bus, tmp_path: Path
) -> None:
    market = Market(own, seed=11)
    running_now = await Process.start(server, tmp_path)
    playing = asyncio.ensure_future(market.play(24))
    for wait in (5.0, 3.5, 3.0):
        await asyncio.sleep(wait)
        await running_now.end(signal.SIGKILL)
        running_now = await Process.start(server, tmp_path)
    await playing
    await asyncio.sleep(2)
    signals = await published(own)
    assert len({found.id for found in signals}) == len(signals)
    listed = [found.symbol for found in of_kind(signals, "listing")]
    assert sorted(listed) == sorted(market.listed[2:])
    for kind in KINDS[:-1]:
        there = [found.id for found in of_kind(signals, kind) if market.start <= time_of_signal(found) < market.end]
        assert len(there) > 1, kind
        assert await dry_run(own, kind, market) == sorted(there), kind
    await running_now.end(signal.SIGTERM)
