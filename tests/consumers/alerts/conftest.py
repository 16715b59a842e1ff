"""A bus and documents of the module's own, the market core that resolves symbols, and the alerts consumer on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.alerts.everybody import EverybodyRules
from consumers.alerts.handlers import AlertsPlan, run
from contracts import codec, streams, subjects
from contracts.arithmetic.tiers import Tiers
from contracts.consolidated import ConsolidatedTicker
from contracts.market import Ticker
from runtime import provision
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions, NoAnswerError
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer, nats_server
from tests.api.world import Store, answering
from tests.consumers.conftest import PLAN
from tests.running import running

SECOND = 10**9
RULES = EverybodyRules(
    tiers=Tiers(),
    liquidation_usd={"majors": Decimal(500_000), "large": Decimal(200_000), "mid": Decimal(100_000)},
    cooldown={"majors": 300 * SECOND, "large": 450 * SECOND, "mid": 600 * SECOND},
)
KEPT = (streams.MARKET, streams.SIGNALS, streams.LIQUIDATIONS, streams.OWN_ALERTS)
FAST_ALL, FAST_ONE = codec.fast(ConsolidatedTicker), codec.fast(Ticker)
Begin = Callable[[], Awaitable["Running"]]


def consolidated(ts: int, last: str | None, symbol: str = "BTC/USDT", **fields: Any) -> tuple[str, Any]:
    """The consolidated ticker of a spot market, with its subject."""
    market = symbol.replace("/", ".") + ".spot"
    values: dict[str, Any] = dict.fromkeys(ConsolidatedTicker.model_fields)
    values |= {"id": f"all.{market}.ticker.{ts}", "venue": "all", "symbol": symbol, "ts_event": ts, "ts_recv": ts}
    values |= {"sim": False, "last": last, "quality": "live", "used": ["binance", "bybit", "okx"], "left_out": []}
    return f"{subjects.CONSOLIDATED_TICKER}{market}", FAST_ALL(**{**values, **fields})


def one_venue(venue: str, ts: int, last: str | None, symbol: str = "BTC/USDT", **fields: Any) -> tuple[str, Any]:
    """The ticker of one venue's spot market, with its subject."""
    market = symbol.replace("/", ".") + ".spot"
    values: dict[str, Any] = dict.fromkeys(Ticker.model_fields)
    values |= {"id": f"{venue}.{market}.ticker.{ts}", "venue": venue, "symbol": symbol, "ts_event": ts, "ts_recv": ts}
    return f"{subjects.TICKER}{venue}.{market}", FAST_ONE(**{**values, "sim": False, "last": last, **fields})


@dataclass
class Running:
    """The consumer, and how it is ended."""

    service: Service
    stop: Callable[[], Awaitable[None]]


@dataclass
class Desk:
    """What a test does: publishes, asks, looks at what came."""

    bus: Bus

    async def put(self, events: Iterable[tuple[str, Any]]) -> None:
        """Publish events onto their streams, in order."""
        js, waiting = self.bus.jetstream(), list[Any]()
        for subject, event in events:
            waiting.append(await js.publish_async(subject, codec.encode(event), wait_stall=30.0))
        if waiting:
            await asyncio.wait_for(js.publish_async_completed(), 60)

    async def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Send a command; while nobody serves it, or what it needs, another process may take over."""
        async with asyncio.timeout(30):
            while True:
                try:
                    body = await self.bus.request(f"cmd.v1.alerts.{verb}", json.dumps(fields).encode(), 20.0)
                except NoAnswerError:
                    await asyncio.sleep(0.1)
                    continue
                reply = json.loads(body)
                if reply.get("error", {}).get("code") != "NOT_READY":
                    return reply
                await asyncio.sleep(0.1)

    async def create(self, owner: str = "alice", **fields: Any) -> dict[str, Any]:
        """Make a price alert; `rule` are fields of its rule."""
        rule = {"symbol": "BTC/USDT", "condition": "above", "value": "65000", **fields.pop("rule", {})}
        made = await self.ask("create", owner=owner, rule=rule, **fields)
        assert "error" not in made, made
        return made

    async def told(self, stream: str = streams.OWN_ALERTS) -> list[Any]:
        """Every alert of a stream."""
        state = await self.bus.jetstream().stream_info(stream)
        if not state.state.messages:
            return []
        pattern = subjects.ALL_PRICE_ALERTS if stream == streams.OWN_ALERTS else "alert.v1.>"
        rows = await read_past(self.bus, stream, (pattern,), ALL)
        return [codec.decode(row.subject.decode(), row.payload) for row in rows]

    async def until(self, count: int, stream: str = streams.OWN_ALERTS, seconds: float = 20.0) -> list[Any]:
        """The alerts of a stream, once there are so many."""
        async with asyncio.timeout(seconds):
            while len(found := await self.told(stream)) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    async def folded(self, alert_id: str, price: str, owner: str = "alice", seconds: float = 20.0) -> dict[str, Any]:
        """A price alert, once it has seen a price."""
        async with asyncio.timeout(seconds):
            while (found := await self.ask("find", owner=owner, id=alert_id))["last_price"] != price:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def alerts_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """A bus for these tests, provisioned as declared, with a listing."""
    async with nats_server(tmp_path_factory.mktemp("alerts-nats")) as server:
        setup = await Bus(BusOptions(servers=(server.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        store = Store(setup)
        await store.put_listing()
        await store.put_ticker("coinbase", "BTC/USD", "64000")
        await setup.close()
        yield server


@pytest_asyncio.fixture
async def desk(alerts_nats: NatsServer) -> AsyncGenerator[Desk]:
    """A connection of the test's own, to streams that are empty, with the market core beside."""
    connection = await Bus(BusOptions(servers=(alerts_nats.url,), name="test")).connect()
    for stream in KEPT:
        await connection.jetstream().purge_stream(stream)
    async with answering(alerts_nats.url):
        yield Desk(connection)
    await connection.close()


@asynccontextmanager
async def making(url: str, plan: AlertsPlan) -> AsyncGenerator[Service]:
    """The alerts consumer on a bus, once it serves or stands by."""
    bus = await Bus(BusOptions(servers=(url,), name="alerts")).connect()
    try:
        async with running(bus, "alerts", partial(run, plan=plan)) as service:
            yield service
    finally:
        await bus.close()


@pytest.fixture
def plan(documents_url: str) -> AlertsPlan:
    """The plan of a test, with a database of its own."""
    address, _, options = documents_url.partition("?")
    documents = f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"
    return AlertsPlan(documents=documents, rules=RULES, save_seconds=0.2, tick_seconds=0.02)


@pytest_asyncio.fixture
async def begin(alerts_nats: NatsServer, plan: AlertsPlan) -> AsyncGenerator[Begin]:
    """Start the consumer, any number of times."""
    async with AsyncExitStack() as stack:

        async def start() -> Running:
            own = AsyncExitStack()
            service = await own.enter_async_context(making(alerts_nats.url, plan))
            stack.push_async_callback(own.aclose)
            return Running(service, own.aclose)

        yield start
