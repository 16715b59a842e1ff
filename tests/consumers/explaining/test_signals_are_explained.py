"""Every signal of a stretch is explained to the byte, every moment without one is, and a dry run counts what fired."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from consumers.clusters import handlers as clusters
from consumers.clusters.core import ClusterRules
from consumers.storms import handlers as storms
from consumers.storms.core import StormRules
from consumers.whales import handlers as whales
from consumers.whales.explained import whale_rule
from consumers.whales.rules import WhaleRules
from contracts import codec, streams, subjects
from contracts.arithmetic.tiers import Tiers
from contracts.errors import InvalidParameterError, NotFoundError
from contracts.numbers import time_of
from contracts.services.explaining import DryRunQuery, DryRunReply, Explanation, WhyNotQuery, WhyQuery
from runtime.app.explaining import replay
from runtime.app.explaining.explainer import Explainer
from runtime.clients.command_client import CommandClient
from runtime.clock import monotonic, now_ns
from runtime.nats.bus import Bus
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from tests.consumers.conftest import make_trade
from tests.consumers.explaining.stretch import BASES, Stretch
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
SECOND = 1_000_000_000
TIERS = Tiers()
COOLDOWN: dict[Any, int] = {"majors": 2 * SECOND, "large": 2 * SECOND, "mid": 3 * SECOND}
USD: dict[Any, Decimal] = {"majors": Decimal(100_000), "large": Decimal(60_000), "mid": Decimal(60_000)}
COUNT: dict[Any, int] = {"majors": 3, "large": 2, "mid": 2}
WHALES = WhaleRules(tiers=TIERS, limits=USD)
CLUSTERS = ClusterRules(tiers=TIERS, cooldown=COOLDOWN, window=2 * SECOND)
STORMS = StormRules(tiers=TIERS, usd=USD, count=COUNT, cooldown=COOLDOWN, window=3 * SECOND)
OF_KIND = {"whale": "whales", "cluster": "clusters", "storm": "storms"}


@pytest_asyncio.fixture
async def played(own: Bus) -> AsyncGenerator[Stretch]:
    """A stretch that was played while the consumers ran; they serve on."""
    consumers = {
        "whales": whales.make_consumer(whales.WhalePlan(rules=WHALES)),
        "clusters": clusters.make_consumer(CLUSTERS),
        "storms": storms.make_consumer(STORMS),
    }
    async with AsyncExitStack() as stack:
        for name, consumer in consumers.items():
            await stack.enter_async_context(running(own, name, consumer.run))
        stretch = Stretch(own)
        await stretch.play(10)
        await asyncio.sleep(1)
        yield stretch


async def published(bus: Bus) -> list[Any]:
    rows = await read_past(bus, streams.SIGNALS, (subjects.ALL_SIGNALS,), ALL)
    return [codec.decode(row.subject.decode(), row.payload) for row in rows]


async def test_every_signal_every_other_moment_and_the_number_of_signals(own: Bus, played: Stretch) -> None:
    client, took = CommandClient(own), list[float]()
    signals = await published(own)
    counts = {kind: sum(signal.kind == kind for signal in signals) for kind in OF_KIND}
    assert min(counts.values()) > 2, counts
    for signal in signals:
        began = monotonic()
        reply = await client.request(f"{OF_KIND[signal.kind]}.why", WhyQuery(id=signal.id), Explanation)
        took.append(monotonic() - began)
        assert (reply.decision, reply.same) == ("fired", True), (signal, reply)
        assert all(item.holds for item in reply.comparisons)
        named = getattr(signal, {"whale": "trade_ids", "cluster": "whale_ids", "storm": "liquidation_ids"}[signal.kind])
        assert sorted(item.id for item in reply.events) == sorted(named)
        assert reply.published is not None
        assert reply.published["id"] == signal.id
    await check_moments(client, signals, played, took)
    await check_counts(client, signals, played)
    took.sort()
    print(f"{counts}, half within {took[len(took) // 2] * 1000:.0f} ms, all within {took[-1] * 1000:.0f} ms")
    assert took[len(took) * 99 // 100] < 1.0


async def check_moments(client: CommandClient, signals: list[Any], played: Stretch, took: list[float]) -> None:
    dice = random.Random(7)
    decisions: set[tuple[str, str]] = set()
    for _ in range(100):
        kind, base = dice.choice(tuple(OF_KIND)), dice.choice(BASES)
        venue = dice.choice(("binance", None)) if kind == "whale" else None
        at = dice.randrange(played.start, played.end)
        query = WhyNotQuery(rule=kind, symbol=f"{base}/USDT", venue=venue, at=at)
        began = monotonic()
        reply = await client.request(f"{OF_KIND[kind]}.why_not", query, Explanation)
        took.append(monotonic() - began)
        here = [
            signal
            for signal in signals
            if signal.kind == kind
            and signal.symbol.partition("/")[0] == base
            and (kind != "whale" or signal.symbol == query.symbol)
            and venue in {None, signal.venue}
            and abs(time_of(signal.ts_event, signal.ts_recv) - at) <= SECOND
        ]
        assert (reply.decision == "fired") is bool(here), (query, here, reply)
        if reply.decision == "fired" and kind == "whale":
            assert reply.venue in {signal.venue for signal in here}
        if reply.decision == "not_met":
            assert not all(item.holds for item in reply.comparisons[:2])
        if reply.decision == "held":
            assert reply.cooldown is not None
            assert reply.cooldown.fired_id in {signal.id for signal in signals}
        decisions.add((kind, reply.decision))
    assert {("whale", "fired"), ("whale", "not_met"), ("storm", "held")} <= decisions, decisions


async def check_counts(client: CommandClient, signals: list[Any], played: Stretch) -> None:
    for kind, consumer in OF_KIND.items():
        for start, end in ((played.start, played.end), (played.start + 3 * SECOND, played.end - 3 * SECOND)):
            query = DryRunQuery(rule=kind, start=start, end=end)
            reply = await client.request(f"{consumer}.dry_run", query, DryRunReply)
            there = [
                signal.id
                for signal in signals
                if signal.kind == kind and start <= time_of(signal.ts_event, signal.ts_recv) < end
            ]
            assert sorted(item.id for item in reply.fired) == sorted(there)
            assert reply.count == len(there)
    low = DryRunQuery(rule="whale", symbol="BTC/USDT", venue="binance", start=played.start, end=played.end)
    usual = await client.request("whales.dry_run", low, DryRunReply)
    tried = await client.request("whales.dry_run", low.model_copy(update={"limits": {"usd_majors": "1"}}), DryRunReply)
    assert tried.count > usual.count


async def test_what_is_not_known_is_refused(own: Bus) -> None:
    client = CommandClient(own)
    consumer = whales.make_consumer(whales.WhalePlan(rules=WHALES))
    async with running(own, "whales", consumer.run):
        for unknown in ("nonsense", "binance.BTC.USDT.spot.whale.77", "all.BTC.USD.any.storm.5"):
            with pytest.raises(NotFoundError):
                await client.request("whales.why", WhyQuery(id=unknown), Explanation)
        for query in (
            WhyNotQuery(rule="storm", symbol="BTC/USDT", venue="okx", at=1),
            WhyNotQuery(rule="whale", symbol="what", venue="okx", at=1),
        ):
            with pytest.raises(InvalidParameterError):
                await client.request("whales.why_not", query, Explanation)
        limits = DryRunQuery(rule="whale", start=0, end=1, limits={"usd_majors": "much"})
        with pytest.raises(InvalidParameterError):
            await client.request("whales.dry_run", limits, DryRunReply)


async def test_a_span_that_takes_too_long_is_counted_as_far_as_it_was_read(
    own: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, js = now_ns() - 2_000_000_000, own.jetstream()  # the last whale is one once nothing joined it for a while
    for number in range(1, 2001):
        at = start + number  # fills of one moment are one whale, and the clock may stand still between two
        trade = make_trade(number, at, trade_id=str(number), amount="2000", price="100")
        await js.publish_async("md.v1.trade.binance.BTC.USDT.spot", codec.encode(trade))
    await asyncio.wait_for(js.publish_async_completed(), 30)
    explainer = Explainer(lambda: own, (whale_rule(WHALES),))
    query = DryRunQuery(rule="whale", start=start, end=now_ns() + 1)
    whole = await explainer.dry_run(query)
    assert (whole.count, whole.read[0].messages, whole.read[0].complete) == (2000, 2000, True)
    monkeypatch.setattr(replay, "SECONDS", 0.0)
    late = await explainer.dry_run(query)
    assert (late.count, late.read[0].complete) == (0, False)
    assert late.read[0].end < start
