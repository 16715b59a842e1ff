"""An answer with `as_of` is what was answered live then: of random moments of a market that goes on, each figure."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pytest

from consumers.cache.handlers import CachePlan
from consumers.cache.handlers import run as run_cache
from consumers.market.answering import encode, read_query
from consumers.market.core import VERBS
from consumers.market.handlers import Core, MarketPlan
from consumers.market.liquidations.map import compose_map
from consumers.market.past.answering import Moment, PastAnswers
from consumers.market.state import Reader
from contracts import codec, subjects
from contracts.errors import HydrophoneError, InvalidParameterError, NotReadyError
from contracts.instrument import Instrument, make_instrument
from contracts.market import BookSnapshot, FeedStatus, Funding, Liquidation, OpenInterest, Ticker, Trade
from contracts.schema.literals import iso
from contracts.services.market import LiquidationMapQuery
from contracts.signals import WhaleTrade
from contracts.streams import INSTRUMENTS, PAST, PAST_BOOKS
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from runtime.nats.streams.api import call
from tests.running import running

pytestmark = pytest.mark.nats
SECOND = 1_000_000_000
LISTED = [
    make_instrument(venue, symbol, symbol.replace("/", ""))
    for venue, symbol in (
        ("binance", "BTC/USDT"),
        ("bybit", "BTC/USDT"),
        ("okx", "BTC/USDT"),
        ("coinbase", "BTC/USD"),
        ("binanceusdm", "BTC/USDT:USDT"),
        ("binance", "ETH/USDT"),
        ("coinbase", "USDT/USD"),
        ("kraken", "ETH/USD"),
    )
]
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("raw", {"symbol": "BTC"}),
    ("raw", {"symbol": "ETH"}),
    ("price", {"symbol": "BTC"}),
    ("whale", {"symbol": "BTC", "limit": 50}),
    ("liq", {"symbol": "BTC", "limit": 100}),
    ("orderbook", {"symbol": "BTC", "exchange": "okx"}),
    ("ticker", {"symbol": "BTC", "convert": True}),
    ("multi_orderbook", {"symbol": "BTC", "depth": 50}),
    ("trades", {"symbol": "BTC", "limit": 100}),
    ("symbols", {}),
    ("health", {}),
]


@dataclass(frozen=True)
class Answered:
    """What was answered to a question, when (ns UTC), and of which moment what it was answered from was."""

    verb: str
    query: dict[str, Any]
    now: int
    moment: int
    body: bytes


class Market:
    """Exchanges that go on: prices walk at random, books move, feeds break and come back."""

    def __init__(self, bus: Bus, seed: int) -> None:
        self._bus, self._random = bus, random.Random(seed)
        self._prices = {"BTC": 60_000_00, "ETH": 3_000_00, "USDT": 1_00}
        self._number = 0

    async def go_on(self, pause: float) -> None:
        """Publish event after event for ever, some between two pauses (seconds)."""
        for item in LISTED:
            await self._publish(subjects.FEED + item.venue, FeedStatus, item, symbol=None, state="live", reason=None)
        while True:
            for _ in range(self._random.randint(1, 20)):
                await self._one(self._random.choice(LISTED))
            await asyncio.sleep(pause)

    async def _one(self, item: Instrument) -> None:
        chance, price = self._random.random(), self._walk(item.base)
        amount = str(self._random.randint(1, 999) / 100)
        if chance < 0.35:
            await self._tail(subjects.TRADE, Trade, item, trade_id=f"{self._number}", price=price, amount=amount)
        elif chance < 0.6:
            figures = {"last": price} if chance < 0.4 else {"bid": price, "ask": f"{float(price) + 1:.2f}"}
            stats = {"volume_24h": amount, "change_24h": "-1.5", "high_24h": price} if chance < 0.5 else {}
            await self._tail(subjects.TICKER, Ticker, item, **figures, **stats)
        elif chance < 0.85:
            low = [(f"{float(price) - step:.2f}", amount) for step in range(1, 20)]
            high = [(f"{float(price) + step:.2f}", amount) for step in range(1, 20)]
            await self._tail(subjects.BOOK, BookSnapshot, item, bids=low, asks=high, quality="live", unit="base")
        elif chance < 0.9:
            await self._liquidate(LISTED[4], price, amount)
        elif chance < 0.95:
            of = {"side": "buy", "price": price, "amount": amount, "usd_value": "1000000.5", "usd_rate": "1"}
            rule = {"usd_rate_source": "peg", "tier": "majors", "threshold_usd": "1", "trade_ids": ["a"], "rule": "w/1"}
            await self._tail(subjects.WHALE, WhaleTrade, item, **of, **rule)
        elif chance < 0.99:
            await self._tail(subjects.FUNDING, Funding, LISTED[4], rate="0.0001", mark_price=price)
            await self._tail(subjects.INTEREST, OpenInterest, LISTED[4], amount=amount)
        else:
            state = self._random.choice(["live", "live", "gap", "down", "resync"])
            await self._publish(subjects.FEED + item.venue, FeedStatus, item, symbol=None, state=state, reason=None)

    async def _liquidate(self, item: Instrument, price: str, amount: str) -> None:
        sides = {"position_side": "long", "order_side": "sell", "sampled": False, "price_kind": "bankruptcy"}
        await self._tail(subjects.LIQUIDATION, Liquidation, item, price=price, amount=amount, **sides)

    def _walk(self, base: str) -> str:
        self._prices[base] = max(1, self._prices[base] + self._random.randint(-5, 5) * (base != "USDT"))
        return f"{self._prices[base] / 100:.2f}"

    async def _tail(self, prefix: str, model: Any, item: Instrument, **fields: Any) -> None:
        await self._publish(prefix + item.tail, model, item, **fields)

    async def _publish(self, subject: str, model: Any, item: Instrument, **fields: Any) -> None:
        self._number += 1
        now = now_ns()
        of = {"id": f"{item.tail}.{self._number}", "venue": item.venue, "symbol": item.symbol, "venue_symbol": None}
        values = {**dict.fromkeys(model.model_fields), **of, "ts_event": now - 1_000_000, "ts_recv": now, "sim": False}
        kept = {name: info.default for name, info in model.model_fields.items() if not info.is_required()}
        event = codec.fast(model)(**{**values, **kept, **fields})
        await self._bus.client.publish(subject, codec.encode(event))


@asynccontextmanager
async def answering(bus: Bus) -> AsyncGenerator[Core]:
    """A cache that writes, and a core that answers from what it wrote."""
    by_venue: dict[str, list[Any]] = {}
    for item in LISTED:
        by_venue.setdefault(item.venue, []).append(asdict(item))
    for venue, items in by_venue.items():
        await bus.jetstream().publish(f"$KV.{INSTRUMENTS}.{venue}", json.dumps(items).encode())
    core = Core(bus, MarketPlan())
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(bus, "cache", partial(run_cache, plan=CachePlan())))
        for one in (core.bucket, core.instruments, core.coverage, core.listing, core.maps):
            stack.callback(asyncio.ensure_future(one.run()).cancel)
        yield core
        await core.fetched.close()


def answer_live(core: Core, verb: str, query: dict[str, Any]) -> Answered:
    """Answer as the core does, and note of which moment its documents are: that of the newest one."""
    now, entry = now_ns(), VERBS[verb]
    body = core.answerer.answer(entry.query, entry.compose, json.dumps(query).encode(), now).body
    assert core.bucket.changed_ns is not None
    return Answered(verb, query, now, core.bucket.changed_ns, body)


async def answer_as_of(core: Core, live: Answered) -> bytes:
    """Answer as it was, with the ages of when it was answered live."""
    entry = VERBS[live.verb]
    query: Any = read_query(entry.query, json.dumps(live.query).encode())
    return encode(await core.past.compose(entry.compose, query, live.moment)).render(live.now).body


async def collect(core: Core, moments: int, pause: Callable[[], float]) -> list[Answered]:
    """Ask one question after another, each at a random moment."""
    found: list[Answered] = []
    while len(found) < moments:
        await asyncio.sleep(pause())
        verb, query = QUESTIONS[len(found) % len(QUESTIONS)]
        try:
            found.append(answer_live(core, verb, query))
        except HydrophoneError:
            continue  # what it is about has not come yet
    return found


async def compare(core: Core, answered: list[Answered]) -> list[float]:
    """Compare each with its answer as of then; returns how many seconds each took."""
    seconds: list[float] = []
    for live in answered:
        began = time.monotonic()
        body = await answer_as_of(core, live)
        seconds.append(time.monotonic() - began)
        assert read(live.verb, body) == read(live.verb, live.body), (live.verb, live.moment)
    return sorted(seconds)


def read(verb: str, body: bytes) -> Any:
    """Read an answer; what symbols say beside of the feeds is kept for some seconds and so of no moment."""
    document = json.loads(body)
    return document["symbols"] if verb == "symbols" else document


Eventually = Callable[..., Awaitable[None]]


def count_reads(past: PastAnswers, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list to which the moment of each round of reads is added."""
    reads: list[int] = []
    original = past._read

    async def read(moment: Moment) -> None:
        if moment.state.wanted or moment.coverage.wanted:
            reads.append(moment.at_ns)
        await original(moment)

    monkeypatch.setattr(past, "_read", read)
    return reads


async def test_answers_as_of_random_moments_are_what_was_answered_live_then(
    own: Bus, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(own) as core:
        market = asyncio.ensure_future(Market(own, 1).go_on(0.02))
        await eventually(lambda: core.is_ready, 30)
        pick = random.Random(2)
        answered = await collect(core, 55, lambda: pick.uniform(0.0, 0.08))
        liqmap = LiquidationMapQuery(symbol="BTC", window="1h")
        market.cancel()
        await asyncio.sleep(0.7)
        reads = count_reads(core.past, monkeypatch)
        await compare(core, answered)
        assert 0 < len(reads) < 1.2 * len(answered), "what an answer needs is read at once"

        now = now_ns()
        held = core.maps.history.find("BTC")
        assert held is not None
        assert len(held)
        live = compose_map(Reader(core.state, now), liqmap, core.maps.history)
        past = await core.past.compose(None, liqmap, now)
        assert encode(past).render(now) == encode(live).render(now)


async def test_the_answer_says_what_it_is_of_and_refuses_what_cannot_be_seen(own: Bus, eventually: Eventually) -> None:
    async with answering(own) as core:
        market = asyncio.ensure_future(Market(own, 3).go_on(0.01))
        keys = ("ticker.binance.BTC.USDT.spot", "liquidations.BTC")
        await eventually(lambda: core.is_ready and all(core.state.bucket.get(key) for key in keys), 30)
        price, at = VERBS["price"], now_ns() // 1_000_000
        await asyncio.sleep(0.6)
        market.cancel()

        answer = await core.find(price.query, price.compose, json.dumps({"symbol": "BTC", "as_of": at}).encode())
        document = json.loads(answer.body)
        created = (await call(own, f"STREAM.INFO.{PAST}"))["created"]
        assert document["as_of"] == iso(at * 1_000_000)
        assert document["seen_since"][:19] == created[:19]
        assert document["timestamp"] <= document["as_of"]

        forced = VERBS["liq"]
        answer = await core.find(forced.query, forced.compose, json.dumps({"symbol": "BTC", "as_of": at}).encode())
        assert json.loads(answer.body)["as_of"] < iso(at * 1_000_000), "that of the totals, as in a live answer"
        assert json.loads(answer.headers[subjects.HEADER_BESIDE])["as_of"] == iso(at * 1_000_000)

        for moment, words in ((at // 1000 + 3600, "future"), (at // 1000 - 3600, "nothing can be seen from before")):
            body = json.dumps({"symbol": "BTC", "as_of": moment}).encode()
            with pytest.raises(InvalidParameterError, match=words) as refused:
                await core.find(price.query, price.compose, body)
            assert refused.value.details["parameter"] == "as_of"


async def test_how_far_back_is_that_of_what_an_answer_needs(own: Bus, eventually: Eventually) -> None:
    async with answering(own) as core:
        market = asyncio.ensure_future(Market(own, 6).go_on(0.01))
        keys = ("ticker.binance.BTC.USDT.spot", "book.okx.BTC.USDT.spot", "trade.binance.BTC.USDT.spot")
        await eventually(lambda: core.is_ready and all(core.state.bucket.get(key) for key in keys), 30)
        market.cancel()
        recordings, at = core.past._recordings, now_ns()
        await asyncio.sleep(1.1)  # documents of a moment are kept from then on
        for verb, query in QUESTIONS:
            asked: Any = read_query(VERBS[verb].query, json.dumps(query).encode())
            await core.past.compose(VERBS[verb].compose, asked, at)
            read = recordings.split(core.past._moments.pop(at).state.read)
            assert {id(one) for one, found in read if found} <= {id(one) for one in recordings.list_used(asked)}, verb

        await call(own, f"STREAM.PURGE.{PAST_BOOKS}")
        await asyncio.sleep(2.1)  # for which the reach is not looked up again
        body = json.dumps({"symbol": "BTC", "as_of": at // 1_000_000}).encode()
        price, book = VERBS["price"], VERBS["multi_orderbook"]
        assert (await core.find(price.query, price.compose, body)).body
        with pytest.raises(NotReadyError, match="Nothing was recorded yet"):
            await core.find(book.query, book.compose, body)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_moments_of_a_busy_market(own: Bus, eventually: Eventually) -> None:
    """Four minutes at about fifteen times the events of these instruments, so that an hour of them goes by."""
    async with answering(own) as core:
        market = asyncio.ensure_future(Market(own, 4).go_on(0.01))
        await eventually(lambda: core.is_ready, 30)
        pick = random.Random(5)
        answered = await collect(core, 1000, lambda: pick.uniform(0.0, 0.48))
        market.cancel()
        await asyncio.sleep(1)
        seconds = await compare(core, answered)
        state = (await call(own, f"STREAM.INFO.{PAST}"))["state"]
        print(f"p50 {seconds[500] * 1000:.1f} ms, p95 {seconds[950] * 1000:.1f} ms, {state['bytes']} bytes")
        assert seconds[950] < 0.5
