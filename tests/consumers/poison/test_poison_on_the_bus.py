"""Odd messages on every subject of a real bus: no consumer ends or waits, each refused one is a dead letter."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.registry import BY_ITSELF, CONSUMERS, NEED_DOCUMENTS, NEED_TELEGRAM
from contracts import codec, streams, subjects
from contracts.codec import EVENTS, KIND_SUBJECTS
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Mirror
from runtime.nats.lanes.reader import UNDECODABLE, read_event
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from tests.consumers.odd_events import golden, list_odd

pytestmark = pytest.mark.nats

MESSAGES = int(os.environ.get("POISON_MESSAGES", "2400"))  # over all kinds; with 120000 it is ten thousand of each
GOOD = 600
CACHED = ("trade", "ticker", "book", "funding", "interest", "liquidation", "whale", "feed")


def dollar_ticker(subject: str) -> bool:
    tokens = subject.split(".")
    return subject.startswith(subjects.TICKER) and len(tokens) == 7 and tokens[5:] == ["USD", "spot"]


def is_minute(subject: str) -> bool:
    return subject.startswith(f"{subjects.CANDLE}1m.")


def of_kinds(*kinds: str) -> Callable[[str], bool]:
    prefixes = tuple(KIND_SUBJECTS[kind] for kind in kinds)
    return lambda subject: subject.startswith(prefixes)


READS: dict[str, Callable[[str], bool]] = {
    "cache": of_kinds(*CACHED),
    "candles": of_kinds("trade", "feed"),
    "coverage": of_kinds("feed"),
    "whales": lambda subject: of_kinds("trade")(subject) or dollar_ticker(subject),
    "market": lambda _subject: False,  # of the tickers that both read the cache keeps what cannot be read
    "clusters": of_kinds("whale"),
    "storms": lambda subject: of_kinds("liquidation")(subject) or dollar_ticker(subject),
    "detectors": lambda subject: of_kinds("funding", "interest", "ticker")(subject) or is_minute(subject),
    "deadletters": lambda _subject: False,  # serves commands and reads no events
}
KEEPS_NONE = {"market", "deadletters"}


class Process:
    """`python -m consumers`: all of them in one process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[bytes] = []
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line)

    def said(self, word: bytes) -> int:
        return sum(word in line for line in self.lines)

    async def until_ready(self) -> None:
        async with asyncio.timeout(60):
            while self.said(b"consumer.ready") < len(READS):  # another process says it
                assert self.process.returncode is None, b"".join(self.lines[-20:]).decode()
                await asyncio.sleep(0.05)

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), 40)
        await self._reading
        return status


async def start(server: NatsServer, folder: Path) -> Process:
    environ = {**os.environ, "NATS_URL": server.url_of("consumers"), "HYDROPHONE_DATA": str(folder)}
    running = Process(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "consumers"), env=environ, stdout=asyncio.subprocess.PIPE
        )
    )
    await running.until_ready()
    return running


async def send_good(own: Bus, venue: str, count: int) -> None:
    """Publish good trades of an instrument that nothing odd is said of."""
    for number in range(count):
        now = now_ns()
        _, body = golden(EVENTS["trade"], now)
        body |= {"id": f"{venue}.{number}", "venue": venue, "symbol": "ETH/USD", "price": "5", "amount": "1"}
        body |= {"trade_id": str(number), "ts_recv": now_ns()}
        await own.client.publish(f"md.v1.trade.{venue}.ETH.USD.spot", json.dumps(body).encode())
        await asyncio.sleep(0.002)


async def send_one_of_each(own: Bus) -> None:
    """Publish a good message of every kind: what a process makes once for each is not to be measured."""
    for model in EVENTS.values():
        subject, body = golden(model, now_ns())
        await own.client.publish(subject, json.dumps(body).encode())
    await own.client.flush()


async def send_as_many(own: Bus) -> None:
    """Publish as many good messages of every kind as there are odd ones, at their rate: what the load alone costs."""
    for number in range(MESSAGES // len(EVENTS)):
        for model in EVENTS.values():
            subject, body = golden(model, now_ns())
            body |= {"id": f"{body['id']}.{number}"}
            await own.client.publish(subject, json.dumps(body).encode())
        await asyncio.sleep(0.002)


async def send_odd(own: Bus) -> dict[str, dict[tuple[str, bytes], str]]:
    """Publish odd messages of every kind; give, by consumer, those that must be refused when they are read."""
    expected: dict[str, dict[tuple[str, bytes], str]] = {name: {} for name in READS}
    now = now_ns()
    rows = [list(list_odd(kind, MESSAGES // len(EVENTS), now)) for kind in EVENTS]
    for together in zip(*rows, strict=True):
        for subject, body in together:
            await own.client.publish(subject, body)
            try:
                read_event(subject, body)
            except UNDECODABLE as error:
                for name, reads in READS.items():
                    if reads(subject):
                        expected[name][subject, body] = type(error).__name__
        await asyncio.sleep(0.002)
    return expected


async def read_letters(own: Bus, name: str) -> dict[tuple[str, bytes], bytes]:
    """Give what is among a consumer's dead letters: (subject, body) -> headers."""
    prefix = f"{subjects.DEAD_LETTER}{name}."
    rows = await read_past(own, streams.DLQ, (prefix + ">",), ALL)
    return {(row.subject.decode().removeprefix(prefix), row.payload): row.headers for row in rows}


async def wait_letters(own: Bus, name: str, wanted: dict[tuple[str, bytes], str]) -> dict[tuple[str, bytes], bytes]:
    async with asyncio.timeout(60):
        while not wanted.keys() <= (found := await read_letters(own, name)).keys():  # noqa: ASYNC110
            await asyncio.sleep(0.3)
    return found


HELD_UP_MS = 2000.0  # no measurement: what holds others up does so for seconds, by a wait or a new start


async def find_p99(own: Bus, venue: str) -> float:
    """Give the 99th percentile of the way of a venue's trades to the cache, milliseconds."""
    mirror = await Mirror(own, streams.STATE).open()
    async with asyncio.timeout(20):
        while (entry := mirror.get(f"feed.{venue}")) is None or json.loads(entry.value)["events"]["trade"] < GOOD:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await mirror.close()
    return json.loads(entry.value)["bus_latency"]["p99"] / 1e6


async def put_garbage(own: Bus) -> list[tuple[str, str]]:
    """Spoil what consumers resume from, and say which dead letters follow."""
    spoiled = [
        ("whales", streams.POSITIONS, "whales"),
        ("candles", streams.CANDLES, "position"),
        ("coverage", streams.COVERAGE, "place"),
        ("detectors", streams.POSITIONS, "detectors"),
        ("detectors", streams.POSITIONS, "detectors.funding.okx.BTC.USDT.perp"),
        ("detectors", streams.POSITIONS, "detectors.listings.okx"),
        ("cache", streams.STATE, "ticker.okx.BTC.USDT.perp"),
        ("cache", streams.STATE, "ticker.nonsense"),
    ]
    for _, bucket, key in spoiled:
        await own.jetstream().publish(f"$KV.{bucket}.{key}", b'{"seq": "garbage"}')
    return [(name, f"$KV.{bucket}.{key}") for name, bucket, key in spoiled]


@pytest.mark.timeout(240)
async def test_no_odd_message_ends_or_holds_up_a_consumer_and_each_refused_one_is_a_dead_letter(
    server: NatsServer, own: Bus, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    running = await start(server, tmp_path)
    await send_one_of_each(own)
    await asyncio.gather(send_as_many(own), send_good(own, "kraken", GOOD))
    before = await find_p99(own, "kraken")
    expected, _ = await asyncio.gather(send_odd(own), send_good(own, "gate", GOOD))
    during = await find_p99(own, "gate")
    figure = f"neighbours' p99: {before:.1f} ms among as many good messages, {during:.1f} ms among odd ones"
    print(figure)
    record_property("figure", figure)
    assert during <= HELD_UP_MS, "odd messages hold the others up"
    for name, wanted in expected.items():
        letters = await wait_letters(own, name, wanted)
        folded = {letter: headers for letter, headers in letters.items() if letter not in wanted}
        print(f"{name}: {len(wanted)} not read, {len(folded)} not folded")
        assert all(error.encode() in letters[letter] for letter, error in wanted.items())
        assert all(b"FigureError" in headers or b"too long" in headers for headers in folded.values())
        assert (len(wanted) > 20) is (name not in KEEPS_NONE)
    assert running.process.returncode is None
    assert running.said(b"consumer.failed") == 0
    assert await running.stop() == 0

    spoiled = await put_garbage(own)
    running = await start(server, tmp_path)
    for name, key in spoiled:
        await wait_letters(own, name, {(key, b'{"seq": "garbage"}'): ""})
    await send_good(own, "bybit", GOOD)
    await find_p99(own, "bybit")  # it is folded
    assert running.said(b"consumer.failed") == 0
    assert await running.stop() == 0
    assert running.said(b"restore.refused") >= len(spoiled)


def test_every_consumer_s_reading_is_known_here() -> None:
    assert (
        set(READS) == set(CONSUMERS) - BY_ITSELF - NEED_DOCUMENTS - NEED_TELEGRAM
    )  # what runs here, without documents
    assert set(codec.KIND_SUBJECTS) == set(EVENTS)
