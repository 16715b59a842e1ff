"""One of 200 books gets a fresh snapshot, under load: how long until it is live, and what the others notice of it.

Real processes: a bus, a simulated exchange of 200 instruments, and producers that publish them. Books are asked for by
`cmd.v1.feed.resync`, and lose a frame. The others' latency is from a frame's receipt to its event read from the bus, in
turns of some seconds with and without.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from nats.aio.msg import Msg

from contracts import codec, streams, subjects
from contracts.services import feed as words
from runtime import provision
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from tests.bench.harness import progress
from tests.producers.bases import bases_for

BOOKS: Final = 200
VENUES: Final = ("binance", "bybit")  # whose snapshots come by REST, and on the socket
EACH: Final = 5  # resyncs of a turn
SPACING: Final = 1.0  # seconds between two
STARTING: Final = 300.0
MOST_WAIT: Final = 60.0
MOST_SECONDS: Final = 3.0  # p99 until live
MOST_RATIO: Final = 1.1  # of the others' p99
NS: Final = 1_000_000_000
RATE: Final = "2"


@dataclass
class Readings:
    """What was read from the bus: latencies (ms) of the turn that is on, without the book that is asked for."""

    live: set[str] = field(default_factory=set[str])
    states: dict[str, dict[str, float]] = field(default_factory=dict[str, Any])  # when each was said, by symbol
    times: list[float] | None = None
    spared: bytes = b"\0"

    async def on_event(self, message: Msg) -> None:
        now, times = time.time_ns(), self.times
        if times is not None and self.spared not in message.data:
            at = message.data.index(b'"ts_recv":') + 10
            times.append((now - int(message.data[at : at + 19])) / 1e6)

    async def on_book(self, message: Msg) -> None:
        self.live.add(message.subject)

    async def on_state(self, message: Msg) -> None:
        status = codec.decode(message.subject, message.data)
        if status.channel == "book" and status.symbol is not None:
            self.states.setdefault(status.symbol, {})[status.state] = time.monotonic()

    async def healed(self, symbols: list[str]) -> float:
        """Wait until one of these books, which has lost something, is live again; return the seconds between."""
        until = time.monotonic() + MOST_WAIT
        while time.monotonic() < until:
            for said in (self.states.get(symbol, {}) for symbol in symbols):
                if said.keys() >= {"gap", "live"}:
                    return said["live"] - said["gap"]
            await asyncio.sleep(0.005)
        if not any("gap" in self.states.get(symbol, {}) for symbol in symbols):
            raise RuntimeError(f"{symbols[0]}: a lost frame was not noticed")
        return MOST_WAIT


@dataclass(frozen=True)
class Row:
    """One figure, and at most what it is to be."""

    name: str
    value: float
    most: float
    unit: str

    def line(self) -> str:
        verdict = "met" if self.value <= self.most else "NOT met"
        return f"{self.name:70}{self.value:10.3f} {self.unit:6}at most {self.most:g}  {verdict}"


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them has at most."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@asynccontextmanager
async def child(name: str, *command: str, environ: dict[str, str], log: Path) -> AsyncGenerator[None]:
    """A process of our own, ended with this."""
    with (log / f"{name}.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *command, env={**os.environ, **environ}, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def running(url: str, venue: str, folder: Path) -> AsyncGenerator[tuple[Readings, CommandClient, str, Bus]]:
    """The venue with its producer; gives what is read, who asks, the exchange's address, and the bus."""
    ready, coins = folder / f"{venue}.json", bases_for(venue, BOOKS)
    bus = await Bus(BusOptions(servers=(url,), name="bench")).connect()
    await provision.apply(bus, provision.declared(synced=True))
    seen = Readings()
    tail = f"{venue}.>"
    for subject, take in (
        (subjects.DELTA + tail, seen.on_event),
        (subjects.TRADE + tail, seen.on_event),
        (subjects.BOOK + tail, seen.on_book),
        (subjects.FEED + venue, seen.on_state),
    ):
        await bus.client.subscribe(subject, cb=take)
    exchange = ("tests.bench.live.exchange", str(len(coins)), "--venues", venue, "--rate", RATE)
    async with child("exchange", *exchange, "--ready-file", str(ready), environ={}, log=folder):
        async with asyncio.timeout(60):
            while not ready.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        base = f"127.0.0.1:{json.loads(ready.read_text())['port']}"
        environ = {
            "NATS_URL": url,
            "HYDROPHONE_DATA": str(folder),
            "HYDROPHONE_VENUES": venue,
            "HYDROPHONE_SYMBOLS": ",".join(coins),
            f"HYDROPHONE_{venue.upper()}_WS_URL": f"ws://{base}/{venue}",
            f"HYDROPHONE_{venue.upper()}_REST_URL": f"http://{base}/{venue}",
        }
        async with child("producers", "producers", environ=environ, log=folder):
            async with asyncio.timeout(STARTING):
                while len(seen.live) < BOOKS:  # noqa: ASYNC110
                    await asyncio.sleep(0.5)
            yield seen, CommandClient(bus), f"http://{base}", bus
    await bus.close()


async def ask(client: CommandClient, venue: str, symbol: str) -> float:
    """Ask for a fresh snapshot; return the seconds until the book is live with it."""
    began = time.monotonic()
    query = words.ResyncQuery(venue=venue, symbol=symbol)
    reply = await client.request("feed.resync", query, words.ResyncReply)
    if reply.outcome != "live":
        raise RuntimeError(f"{symbol}: {reply.outcome}")
    return time.monotonic() - began


async def lose(seen: Readings, http: httpx.AsyncClient, venue: str, listed: list[tuple[str, str]]) -> float:
    """Let the exchange lose a frame of a book; return the seconds from when that is noticed until the book is live.

    `listed` are all that the venue calls so: a spot pair and a swap may share their name.
    """
    symbols = [symbol for symbol, _ in listed]
    for symbol in symbols:
        seen.states.pop(symbol, None)
    fault = {"venue": venue, "kind": "gap", "channel": "depth", "symbol": listed[0][1]}
    (await http.get("/_control/fault", params=fault)).raise_for_status()
    return await seen.healed(symbols)


async def measure(url: str, venue: str, turns: int, folder: Path) -> list[Row]:
    """Resync books of one venue, one after the other, in turns with rest between them."""
    asked, lost = list[float](), list[float]()
    with_, without = list[float](), list[float]()
    async with running(url, venue, folder) as found, httpx.AsyncClient(base_url=found[2], timeout=60) as http:
        seen, client, _, bus = found
        listed = await _listed(bus, venue)
        await asyncio.sleep(60)  # until the snapshots of the start are out of the venue's budget
        for turn in range(turns):
            progress(f"resync: {venue}, turn {turn + 1} of {turns}")
            seen.spared, seen.times = b"\0", without
            await asyncio.sleep(EACH * SPACING)
            seen.times = with_
            for number in range(EACH):
                began = time.monotonic()
                symbol, venue_symbol = listed[(turn * EACH + number) * 7 % len(listed)]
                seen.spared = json.dumps(symbol).encode()
                if turn % 2:
                    lost.append(await lose(seen, http, venue, [names for names in listed if names[1] == venue_symbol]))
                else:
                    asked.append(await ask(client, venue, symbol))
                await asyncio.sleep(max(0.0, SPACING - (time.monotonic() - began)))
            seen.times = None
    p99 = [percentile(times, 0.99) for times in (with_, without)]
    p50 = [percentile(times, 0.5) for times in (with_, without)]
    rows: list[Row] = []
    for name, (one, other) in (("p50", p50), ("p99", p99)):
        text = f"{venue}, others' {name} {one:.2f} ms with, {other:.2f} without ({len(without)} events)"
        rows.append(Row(text, one / other, MOST_RATIO, "times"))
    for name, seconds in (("by command", asked), ("after a lost frame", lost)):
        text = f"{venue}, {len(seconds)} {name}: p50 {percentile(seconds, 0.5):.3f} s, most {max(seconds):.3f}; p99"
        rows.append(Row(text, percentile(seconds, 0.99), MOST_SECONDS, "s"))
    return rows


async def _listed(bus: Bus, venue: str) -> list[tuple[str, str]]:
    """Return (symbol, the venue's) of what is followed, as the producer has written it."""
    bucket = await bus.jetstream().key_value(streams.INSTRUMENTS)
    entry = await bucket.get(venue)
    rows: list[dict[str, Any]] = json.loads(entry.value or b"[]")
    return [(row["symbol"], row["venue_symbol"]) for row in rows]


async def main(url: str, turns: int) -> None:
    """Measure and print."""
    for venue in VENUES:
        with tempfile.TemporaryDirectory() as folder:
            rows = await measure(url, venue, turns, Path(folder))
        print(f"\nOne of {BOOKS} books resynced; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(*(row.line() for row in rows), sep="\n", flush=True)
