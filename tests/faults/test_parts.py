"""Every part killed and stopped, every stream, bucket and durable deleted, under load: what flows again, and when.

A row a fault: seconds until everything flows again, what was lost, where that was announced. Nothing takes longer than
ten seconds, and nothing is lost without a word on the bus. A killed part has to start again: where Python itself needs
longer for that than on an idle machine, measured at the same time, the limits of kills are longer by as much.
"""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
import pytest_asyncio

from contracts import streams, subjects
from tests.faults.stage import PARTS, READ, SECOND, VENUES, stage
from tests.running import measure_slowness

pytestmark = [
    pytest.mark.nats,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("product"),
    pytest.mark.asyncio(loop_scope="module"),
]
AGAIN_SECONDS = 10.0
ANNOUNCED_SECONDS = 3.0
REPLACED_SECONDS = 5.0
STOPPED_SECONDS = 20.0
STREAMS = [f"stream {spec.name}" for spec in streams.STREAMS if not spec.optional]
BUCKETS = [f"bucket {spec.name}" for spec in streams.BUCKETS]
DURABLES = [f"durable {spec.stream}/{spec.name}" for spec in READ]
TOGETHER = ("candles", "whales", "clusters", "storms", "api")  # what these do shows apart, so they can stop together


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory):
    async with stage(tmp_path_factory.mktemp("parts")) as made:
        yield made


class Fault:
    """What was there before a fault, and what it cost."""

    def __init__(self, parts):
        self.parts = parts
        self.lost_before = parts.lost_trades()
        self.at = time.time_ns()

    async def announced(self, place):
        """Wait until the loss of a place is in the stream of losses or was seen, for as long as that may take."""
        while time.time_ns() - self.at < AGAIN_SECONDS * SECOND:
            if any(place in (reason or "") for _, _, _, reason in await self.parts.announced(self.at)):
                return
            await asyncio.sleep(0.05)

    async def end(self, row, name, seconds, *, held=0, slower=0.0):
        """Note the row; fails where something was lost without a word, or took too long."""
        trades = self.parts.lost_trades() - self.lost_before
        said = await self.parts.announced(self.at)
        lost = [f"{trades} trades of Binance"] if trades else []
        lost += [f"{held} stored messages"] if held else []
        reported = {}
        for _, venue, state, reason in said:
            reported.setdefault(f"{state}: {reason}", set()).add(venue)
        announced = [f"feed.v1.{','.join(sorted(venues))} {text}" for text, venues in reported.items()]
        row(name, seconds, lost, announced)
        venues = {venue for _, venue, _, _ in said}
        assert not trades or "binance" in venues, f"{name}: {trades} trades lost without a word"
        assert not held or subjects.BUS in venues, f"{name}: {held} messages lost without a word"
        assert seconds <= AGAIN_SECONDS + slower, f"{name}: flows after {seconds:.1f} s; {announced}"
        return said


@pytest.mark.parametrize("part", PARTS)
async def test_part_is_killed(parts, parts_row, part):
    fault = Fault(parts)
    parts.signal(part, signal.SIGKILL)
    seconds, slower = await asyncio.gather(parts.until_flowing(fault.at, 60.0), measure_slowness(part))
    said = await fault.end(parts_row, f"killed: {part}", seconds, slower=slower)
    if part == "bus":
        assert {venue for _, venue, state, _ in said if state == "gap"} >= set(VENUES)
    if part == "producers":
        first = {venue: min(at for at, who, _, _ in said if who == venue) for venue in VENUES}
        assert max(first.values()) <= ANNOUNCED_SECONDS, first
        replaced = {
            venue: min(at for at, who, _, reason in said if who == venue and "taken over" in (reason or ""))
            for venue in VENUES
        }
        assert max(replaced.values()) <= REPLACED_SECONDS + slower, replaced


@pytest.mark.parametrize("place", [*STREAMS, *BUCKETS, *DURABLES])
async def test_stream_bucket_or_durable_is_deleted(parts, parts_row, place):
    kind, name = place.split(" ")
    stream = f"KV_{name}" if kind == "bucket" else name
    held = 0 if kind == "durable" else await parts.messages(stream)
    fault = Fault(parts)
    await parts.bus.api(f"CONSUMER.DELETE.{name.replace('/', '.')}" if kind == "durable" else f"STREAM.DELETE.{stream}")
    seconds = await parts.until_flowing(fault.at)
    if stream == streams.FEEDS:  # every other loss is announced before what was lost is made again
        await fault.announced(place)
    said = await fault.end(parts_row, f"deleted: {place}", seconds, held=held)
    assert any(venue == subjects.BUS and place in (reason or "") for _, venue, _, reason in said), said


@pytest.mark.parametrize("names", [("bus",), ("producers",), ("cache",), TOGETHER], ids="+".join)
async def test_parts_stop_for_twenty_seconds(parts, parts_row, names):
    fault = Fault(parts)
    for name in names:
        parts.signal(name, signal.SIGSTOP)
    await asyncio.sleep(STOPPED_SECONDS)
    if "cache" in names:
        ready = (await parts.http.get("/health/ready")).json()
        assert {"cache", *(f"feed {venue}: stale" for venue in VENUES)} <= set(ready["degraded"])
    if "producers" in names:
        ready = (await parts.http.get("/health/ready")).json()
        assert {f"feed {venue}: down" for venue in VENUES} <= set(ready["degraded"])
    for name in names:
        parts.signal(name, signal.SIGCONT)
    resumed = time.time_ns()
    seconds = {}
    while len(seconds) < len(names):
        missing = " ".join(await parts.missing(resumed))
        for name in names:
            if not any(word in missing for word in WATCHED.get(name, ("",) if missing else ())):
                seconds.setdefault(name, (time.time_ns() - resumed) / SECOND)
        assert time.time_ns() - resumed < 30 * SECOND, missing
        await asyncio.sleep(0.05)
    for name in names:
        await fault.end(parts_row, f"stopped for {STOPPED_SECONDS:.0f} s: {name}", seconds[name])


# What each of those that stop together is missed by; the others by anything at all.
WATCHED = {
    "candles": ("candle",),
    "whales": ("whale",),
    "clusters": ("durable clusters",),
    "storms": ("durable storms",),
    "api": ("api",),
}
