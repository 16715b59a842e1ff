"""Consumers against a real server: what they write, that they resume, what they do when their durable vanishes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest
from faststream.nats import NatsMessage, NatsRouter
from prometheus_client import CollectorRegistry

from consumers.cache import handlers as cache
from consumers.candles import handlers as candles
from consumers.candles.rules import CandleRules
from consumers.registry import BY_ITSELF, CONSUMERS, NEED_DOCUMENTS, NEED_TELEGRAM
from consumers.storms import handlers as storms
from consumers.storms.core import StormRules
from consumers.whales import handlers as whales
from consumers.whales.rules import WhaleRules
from contracts import codec, streams, subjects
from contracts.arithmetic.tiers import Tiers
from contracts.signals import LiquidationStorm
from contracts.state import FeedHealth, LiquidationsState, TickerState, TradesState
from contracts.streams import BUCKETS, DURABLES, STREAMS
from contracts.timeframes import TIMEFRAMES
from runtime import provision
from runtime.app.application import make_broker
from runtime.app.detector import Detection
from runtime.app.service import Service
from runtime.app.serving import serve
from runtime.app.settling import durable
from runtime.clock import monotonic, now_ns
from runtime.nats.bus import Bus
from runtime.nats.durable import DurableRule, MissingDurableError
from runtime.nats.kv.mirror import Mirror
from runtime.nats.streams.healing import Healer
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer

pytestmark = pytest.mark.nats

SECOND = 1_000_000_000
QUICK = DurableRule(delay=0.1, look=0.2, wait=2.0)
TRADES = "md.v1.trade.binance.BTC.USDT.spot"
LIQUIDATIONS = "md.v1.liquidation.bybit.BTC.USDT.perp"
PLAN = provision.Plan(streams=STREAMS, buckets=BUCKETS, durables=DURABLES, synced=True)
TIERS = Tiers()
STORM_RULES = StormRules(
    tiers=TIERS,
    usd={"majors": Decimal(2_000_000), "large": Decimal(1_000_000), "mid": Decimal(500_000)},
    count={"majors": 3, "large": 2, "mid": 2},
    cooldown={"majors": 300 * SECOND, "large": 450 * SECOND, "mid": 600 * SECOND},
)
WHALE_RULES = WhaleRules(tiers=TIERS, limits=dict.fromkeys(("majors", "large", "mid"), Decimal(1_000_000)))

Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[None]]


class Running:
    """One consumer in this process, from ready to its clean stop."""

    def __init__(self, bus: Bus, name: str, run: Callable[[Service], Awaitable[None]]) -> None:
        self.ready = asyncio.Event()
        self.broker = make_broker(bus, name, CollectorRegistry(), rule=QUICK)
        self.service = Service(name=name, bus=bus, broker=self.broker, ready=self.ready.set)
        self.task = asyncio.ensure_future(self._run(run))

    async def _run(self, run: Callable[[Service], Awaitable[None]]) -> None:
        await self.broker.start()
        try:
            await run(self.service)
        finally:
            await self.broker.stop()

    async def __aenter__(self) -> Self:
        waiting = asyncio.ensure_future(self.ready.wait())
        await asyncio.wait({waiting, self.task}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.task.done():
            self.task.result()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.service.stop.set()
        await asyncio.wait_for(self.task, 15)


async def publish(bus: Bus, subject: str, event: Any) -> None:
    await bus.jetstream().publish(subject, codec.encode(event))


async def stored(bus: Bus, stream: str, subject: str) -> list[Any]:
    rows = await read_past(bus, stream, (subject,), ALL)
    return [codec.decode(row.subject.decode(), row.payload) for row in rows]


async def wait_stored(bus: Bus, stream: str, subject: str, count: int) -> list[Any]:
    async with asyncio.timeout(30):
        while True:
            found = await stored(bus, stream, subject)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def wait_folded(bus: Bus, subject: str, trades: int) -> None:
    async with asyncio.timeout(30):
        while True:
            if (await stored(bus, streams.CANDLES_1H, subject))[-1].trades >= trades:
                return
            await asyncio.sleep(0.05)


def fast_candles() -> candles.CandlePlan:
    rules = CandleRules(intervals=dict.fromkeys(TIMEFRAMES, SECOND))
    return candles.CandlePlan(rules=rules, tick_seconds=0.05, save_seconds=0.1)


async def test_candles_go_on_after_a_restart_without_losing_or_repeating_a_trade(own: Bus, trade: Make) -> None:
    start = now_ns() // (60 * SECOND) * 60 * SECOND
    for number in range(20):
        await publish(own, TRADES, trade(number, start + number, price=str(100 + number)))
    async with Running(own, "candles", lambda service: candles.make_consumer(fast_candles()).run(service)):
        await wait_stored(own, streams.CANDLES_1H, "md.v1.candle.1d.>", 1)
    for number in range(15, 40):  # five of them are repeats
        await publish(own, TRADES, trade(number, start + number, price=str(100 + number)))
    async with Running(own, "candles", lambda service: candles.make_consumer(fast_candles()).run(service)):
        await wait_folded(own, "md.v1.candle.1w.>", 40)
    last = (await stored(own, streams.CANDLES_1H, "md.v1.candle.1w.>"))[-1]
    assert (last.trades, last.open, last.close, last.volume) == (40, "100", "139", "40")


async def test_open_candles_leave_their_stream_and_every_version_has_its_own_id(own: Bus, trade: Make) -> None:
    start = now_ns() // (60 * SECOND) * 60 * SECOND - 120 * SECOND  # of a closed minute
    for number, ts in enumerate((start, start + 1, now_ns())):
        await publish(own, TRADES, trade(number, ts))
    async with Running(own, "candles", lambda service: candles.make_consumer(fast_candles()).run(service)):
        await wait_stored(own, streams.CANDLES_1M, "md.v1.candle.1m.>", 2)
        await publish(own, TRADES, trade(7, now_ns()))
        await wait_stored(own, streams.CANDLES_1M, "md.v1.candle.1m.>", 3)
    ids: list[str] = []
    for row in await read_past(own, streams.CANDLES_1M, (subjects.ALL_CANDLES,), ALL):
        candle = codec.decode(row.subject.decode(), row.payload)
        assert f"{subjects.HEADER_MESSAGE_ID}: {candle.id}\r\n".encode() in row.headers
        assert (f"{subjects.HEADER_TTL}: 300\r\n".encode() in row.headers) is not candle.closed
        ids.append(candle.id)
    assert len(set(ids)) == len(ids)


async def test_candles_killed_between_saving_instruments_and_position_count_each_trade_once(
    own: Bus, trade: Make
) -> None:
    start = now_ns()
    await publish(own, TRADES, trade(1, start))
    async with Running(own, "candles", lambda service: candles.make_consumer(fast_candles()).run(service)):
        await wait_stored(own, streams.CANDLES_1H, "md.v1.candle.1d.>", 1)
    bucket = await own.jetstream().key_value(streams.CANDLES)
    position = json.loads((await bucket.get("position")).value or b"")
    await bucket.put("position", json.dumps({**position, "seq": 0}).encode())
    await publish(own, TRADES, trade(2, start + 1))
    async with Running(own, "candles", lambda service: candles.make_consumer(fast_candles()).run(service)):
        await wait_folded(own, "md.v1.candle.1d.>", 2)
    assert (await stored(own, streams.CANDLES_1H, "md.v1.candle.1d.>"))[-1].trades == 2


async def test_candles_go_on_when_the_stream_was_made_anew(own: Bus, trade: Make) -> None:
    start = now_ns()

    async def run_until(trades: int) -> None:
        async with Running(own, "candles", lambda service: candles.make_consumer(fast_candles()).run(service)):
            await wait_stored(own, streams.CANDLES_1H, "md.v1.candle.1w.>", 1)
            await wait_folded(own, "md.v1.candle.1w.>", trades)

    for number in range(5):
        await publish(own, TRADES, trade(number, start + number))
    await run_until(5)
    await own.api(f"STREAM.DELETE.{streams.MARKET}")
    await Healer(own, PLAN).heal()
    for number in range(5, 8):
        await publish(own, TRADES, trade(number, start + number))
        await run_until(number + 1)


async def test_a_whale_is_published_once_though_its_fills_are_read_again(own: Bus, trade: Make) -> None:
    plan = whales.WhalePlan(rules=WHALE_RULES, save_seconds=0.05)
    fills = [trade(number, now_ns() // SECOND * SECOND, price="60000", amount="10") for number in (1, 2)]
    async with Running(own, "whales", lambda service: whales.run(service, plan)):
        for fill in (trade(0), *fills):
            await publish(own, TRADES, fill)
        found = await wait_stored(own, streams.SIGNALS, subjects.ALL_WHALES, 1)
    assert found[0].usd_value == "1200000.00"
    assert found[0].trade_ids == [fill.id for fill in fills]
    bucket = await own.jetstream().key_value(streams.POSITIONS)
    saved = json.loads((await bucket.get("whales")).value or b"")
    await bucket.put("whales", json.dumps({**saved, "seq": 1}).encode())  # as if the last save had never been
    async with Running(own, "whales", lambda service: whales.run(service, plan)):
        await publish(own, TRADES, trade(9, now_ns(), price="60000", amount="99"))
        found = await wait_stored(own, streams.SIGNALS, subjects.ALL_WHALES, 2)
    assert [len(whale.trade_ids) for whale in found] == [2, 1]


async def test_the_cache_writes_merged_documents_and_marks_them_when_the_feed_breaks(
    own: Bus, trade: Make, ticker: Make, liquidation: Make, status: Make
) -> None:
    now = now_ns()
    await publish(own, LIQUIDATIONS, liquidation(1, now))
    await publish(own, LIQUIDATIONS, liquidation(2, now, position_side="short"))
    mirror = await Mirror(own, streams.STATE).open()

    def read(model: Any, key: str) -> Any:
        entry = mirror.get(key)
        return None if entry is None else model.model_validate_json(entry.value)

    async def until(check: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not check():  # noqa: ASYNC110  # another connection writes it
                await asyncio.sleep(0.02)

    async with Running(own, "cache", lambda service: cache.run(service, cache.CachePlan(drain_seconds=0.05))):
        await publish(own, "md.v1.ticker.binance.BTC.USDT.spot", ticker(now, bid="99", bid_amount="1"))
        await publish(own, TRADES, trade(1, now))
        await publish(own, "feed.v1.binance", status("live", now))
        await until(lambda: (held := read(TickerState, "ticker.binance.BTC.USDT.spot")) is not None and held.last)
        shown = read(TickerState, "ticker.binance.BTC.USDT.spot")
        assert (shown.last, shown.bid, shown.ask, shown.quality) == (Decimal(100), Decimal(99), None, "live")
        await publish(own, "feed.v1.binance", status("down", now))
        await until(lambda: read(TickerState, "ticker.binance.BTC.USDT.spot").quality == "stale")
        await until(lambda: not read(FeedHealth, "feed.binance").connected)
        await until(lambda: read(TradesState, "trade.binance.BTC.USDT.spot").quality == "stale")
        totals = read(LiquidationsState, "liquidations.BTC").totals["1h"]
        assert (totals.long_usd, totals.short_usd, totals.count) == (Decimal(1_000_000), Decimal(1_000_000), 2)
    async with Running(own, "cache", lambda service: cache.run(service, cache.CachePlan(drain_seconds=0.05))):
        await publish(own, "md.v1.ticker.binance.BTC.USDT.spot", ticker(now + 1, ask="101", ask_amount="2"))
        await until(lambda: read(TickerState, "ticker.binance.BTC.USDT.spot").ask is not None)
        shown = read(TickerState, "ticker.binance.BTC.USDT.spot")
        assert (shown.last, shown.bid, shown.ask, shown.quality) == (Decimal(100), Decimal(99), Decimal(101), "stale")
        assert read(LiquidationsState, "liquidations.BTC").totals["24h"].count == 2
    await mirror.close()


def storm_plan(**rule: float) -> Detection:
    return replace(storms.plan_for(STORM_RULES), rule=replace(QUICK, **rule))


async def test_a_storm_is_found_though_the_consumer_is_restarted_within_its_window(own: Bus, liquidation: Make) -> None:
    async def run(service: Service) -> None:
        await storms.make_consumer(STORM_RULES, storm_plan()).run(service)

    now = now_ns()
    async with Running(own, "storms", run):
        for number in (1, 2):
            await publish(own, LIQUIDATIONS, liquidation(number, now + number))
        await wait_acked(own, 2)
    async with Running(own, "storms", run):
        await publish(own, "md.v1.liquidation.okx.BTC.USDT.perp", liquidation(3, now + 3, venue="okx", id="okx.3"))
        found = await wait_stored(own, streams.SIGNALS, subjects.ALL_STORMS, 1)
        await wait_acked(own, 3)
    async with Running(own, "storms", run):  # its cooldown holds after one more restart
        await publish(own, LIQUIDATIONS, liquidation(4, now + 4))
        await wait_acked(own, 4)
    found = await stored(own, streams.SIGNALS, subjects.ALL_STORMS)
    assert [(storm.count, storm.usd_value, storm.venues) for storm in found] == [(3, "3000000.00", ["bybit", "okx"])]
    assert LiquidationStorm.model_validate_json(codec.encode(found[0])).symbol == "BTC/USD"


async def wait_acked(bus: Bus, sequence: int) -> None:
    async with asyncio.timeout(30):
        while True:
            info = await provision.call(bus, f"CONSUMER.INFO.{streams.LIQUIDATIONS}.storms")
            if info["ack_floor"]["stream_seq"] >= sequence:
                return
            await asyncio.sleep(0.02)


async def test_poison_goes_to_the_dead_letters_with_its_error_and_the_next_message_is_handled(
    own: Bus, liquidation: Make
) -> None:
    async def run(service: Service) -> None:
        await storms.make_consumer(STORM_RULES, storm_plan()).run(service)

    now = now_ns()
    async with Running(own, "storms", run):
        await own.jetstream().publish(LIQUIDATIONS, b'{"id": 7}')
        for number in (1, 2, 3):
            await publish(own, LIQUIDATIONS, liquidation(number, now + number))
        await wait_stored(own, streams.SIGNALS, subjects.ALL_STORMS, 1)
    letters = await read_past(own, streams.DLQ, ("dlq.v1.storms.>",), ALL)
    assert [(row.subject.decode(), row.payload) for row in letters] == [(f"dlq.v1.storms.{LIQUIDATIONS}", b'{"id": 7}')]
    assert b"Hydrophone-Error: BadMessageError" in letters[0].headers
    assert b"`$.id`" in letters[0].headers


async def as_it_is(message: NatsMessage) -> bytes:
    return message.body


async def test_a_failing_message_is_asked_for_again_with_a_delay_and_buried_after_its_last_delivery(own: Bus) -> None:
    spec = replace(storms.DURABLE, name="failing", max_deliver=3)
    await provision.apply(own, replace(PLAN, durables=(spec,)))
    tries: list[tuple[bytes, float]] = []

    async def handle(body: bytes) -> None:
        tries.append((body, monotonic()))
        if body == b"never" or len(tries) == 1:
            raise OSError("the store is away")

    router = NatsRouter()

    @router.subscriber(**durable(spec), decoder=as_it_is)
    async def on_message(body: bytes) -> None:
        await handle(body)

    async with Running(own, "failing", lambda service: serve(router, service)):
        for body in (b"first", b"never"):
            await own.jetstream().publish(LIQUIDATIONS, body)
        letters: list[Any] = []
        async with asyncio.timeout(15):
            while not letters:
                letters = await read_past(own, streams.DLQ, ("dlq.v1.failing.>",), ALL)
    for body, count in ((b"first", 2), (b"never", 3)):
        times = [at for tried, at in tries if tried == body]
        assert len(times) == count
        assert all(later - earlier >= 0.1 for earlier, later in pairwise(times))
    assert [row.payload for row in letters] == [b"never"]
    assert b"Hydrophone-Error: OSError: the store is away" in letters[0].headers
    assert b"Hydrophone-Deliveries: 3" in letters[0].headers
    info = await provision.call(own, f"CONSUMER.INFO.{streams.LIQUIDATIONS}.failing")
    assert (info["num_ack_pending"], info["num_pending"]) == (0, 0)


async def test_a_durable_that_vanishes_ends_the_consumer_with_its_name(own: Bus) -> None:
    async def run(service: Service) -> None:
        await storms.make_consumer(STORM_RULES, storm_plan()).run(service)

    running = Running(own, "storms", run)
    async with asyncio.timeout(30):
        await running.ready.wait()
        await own.api("CONSUMER.DELETE.LIQUIDATIONS.storms")
        with pytest.raises(MissingDurableError, match="LIQUIDATIONS/storms: vanished"):
            await running.task


async def test_a_consumer_whose_durable_nobody_makes_refuses_to_start(own: Bus) -> None:
    await own.api("CONSUMER.DELETE.LIQUIDATIONS.storms")
    with pytest.raises(MissingDurableError, match="run the provisioner"):
        async with Running(own, "storms", storms.make_consumer(STORM_RULES, storm_plan(wait=0.3)).run):
            pass
    item = next(item for item in provision.items(PLAN) if item.place == "durable LIQUIDATIONS/storms")
    assert await provision.find_config(own, item) is None  # and did not make its own


async def test_the_process_stops_cleanly_on_sigterm_and_starts_a_consumer_again_whose_durable_vanished(
    server: NatsServer, own: Bus, tmp_path: Path
) -> None:
    environ = {**os.environ, "NATS_URL": server.url_of("consumers"), "HYDROPHONE_DATA": str(tmp_path)}

    async def start(*names: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "consumers", *names), env=environ, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await until(
            process, b"consumer.ready", len(names) or len(set(CONSUMERS) - BY_ITSELF - NEED_DOCUMENTS - NEED_TELEGRAM)
        )
        return process

    async def until(process: asyncio.subprocess.Process, word: bytes, count: int) -> list[bytes]:
        assert process.stdout is not None
        found: list[bytes] = []
        while len(found) < count:
            line = await process.stdout.readline()
            assert line, f"the process ended before it said {word.decode()}"
            found += [line] if word in line else []
        return found

    async with asyncio.timeout(40):
        process = await start()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        process = await start("clusters", "whales")
        await own.api("CONSUMER.DELETE.SIGNALS.clusters")
        [line] = await until(process, b"consumer.failed", 1)
        assert b"MissingDurableError" in line
        assert b"clusters" in line
        await Healer(own, PLAN).heal()
        [line] = await until(process, b"consumer.ready", 1)  # the other one never stopped
        assert b"clusters" in line
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
