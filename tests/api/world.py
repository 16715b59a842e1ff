"""What API tests work with: documents put as consumers put them, the API on a real socket, a stream client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from api.app import ApiOptions, compose, connection_limits
from api.http.connections import ConnectionLimits
from api.http.server import make_server
from consumers.market.handlers import MarketPlan
from consumers.market.handlers import run as run_market
from contracts.instrument import make_instrument
from contracts.market import BookSnapshot, Event, Funding, OpenInterest
from contracts.state import FeedHealth, HopLatency, LatencyState, LiquidationsState, TickerState, WhalesState
from contracts.streams import INSTRUMENTS, STATE
from contracts.subjects import LIQUIDATION
from runtime.app.service import Service
from runtime.clock import now_ns
from runtime.config.settings import ApiSettings
from runtime.nats.bus import Bus, BusOptions
from tests.running import running

Start = Callable[..., Awaitable["Api"]]
READ_KEY = "reader-key-0123456789"
ADMIN_KEY = "admin-key-0123456789"
PEPPER = b"pepper-of-the-tests"
LISTED = (
    ("binance", "BTC/USDT", "BTCUSDT"),
    ("binance", "ETH/USDT", "ETHUSDT"),
    ("binance", "ETH/BTC", "ETHBTC"),
    ("bybit", "BTC/USDT", "BTCUSDT"),
    ("okx", "BTC/USDT", "BTC-USDT"),
    ("coinbase", "BTC/USD", "BTC-USD"),
    ("binanceusdm", "BTC/USDT:USDT", "BTCUSDT"),
)


@dataclass
class Store:
    """What the consumers and producers would have written."""

    bus: Bus
    monitor: str = ""
    tails: dict[tuple[str, str], str] = field(default_factory=dict)

    async def put(self, key: str, body: bytes, bucket: str = STATE) -> None:
        await self.bus.jetstream().publish(f"$KV.{bucket}.{key}", body)

    async def put_listing(self, listed: tuple[tuple[str, str, str], ...] = LISTED) -> None:
        by_venue: dict[str, list[dict[str, Any]]] = {}
        for venue, symbol, venue_symbol in listed:
            item = make_instrument(venue, symbol, venue_symbol)
            self.tails[venue, symbol] = item.tail
            by_venue.setdefault(venue, []).append(asdict(item))
        for venue, items in by_venue.items():
            await self.put(venue, json.dumps(items).encode(), INSTRUMENTS)

    async def put_ticker(self, venue: str, symbol: str, last: str, **parts: Any) -> None:
        age = parts.pop("age", 0.0)
        fields = {
            "venue": venue,
            "symbol": symbol,
            "venue_symbol": None,
            "last": last,
            "ts_recv": now_ns() - int(age * 1e9),
            "quality": "live",
            "sim": False,
            **parts,
        }
        document = TickerState.model_validate(fields)
        await self.put(f"ticker.{self.tails[venue, symbol]}", document.model_dump_json().encode())

    async def put_feed(self, venue: str, **parts: Any) -> None:
        fields = {
            "venue": venue,
            "connected": True,
            "state": "live",
            "reason": None,
            "channels": {"trade": "live"},
            "marks": [],
            "since": now_ns(),
            "last_message_ts": {"trade": now_ns()},
            "events": {"trade": 7},
            "reconnects": 2,
            "gaps": 1,
            "resyncs": 1,
            "venue_latency": LatencyState(p50=12_345_678, p99=99_000_000),
            "bus_latency": LatencyState(p50=None, p99=None),
            "hops": {
                "receive": {"trade": HopLatency(p50=12_345_678, p95=50_000_000, p99=99_000_000)},
                "publish": {"trade": HopLatency(p50=98_304, p95=196_608, p99=400_000)},
            },
            "clock_offset": -1_500_000,
            "seq": 9,
            "sim": False,
            **parts,
        }
        await self.put(f"feed.{venue}", FeedHealth.model_validate(fields).model_dump_json().encode())

    async def put_event(self, kind: str, event: Event) -> None:
        assert event.symbol is not None
        await self.put(f"{kind}.{self.tails[event.venue, event.symbol]}", event.model_dump_json().encode())

    async def put_book(self, venue: str, symbol: str, levels: dict[str, list[tuple[str, str]]], **parts: Any) -> None:
        fields: dict[str, Any] = {"seq": 77, "quality": "live", "checksum": None, "venue_checksum": None}
        await self.put_event(
            "book", BookSnapshot.model_validate({**origin(venue, symbol), **fields, **levels, **parts})
        )

    async def put_contract(self, venue: str, symbol: str) -> None:
        funding = {"rate": "0.0001", "next_ts": 1_800_000_000_000_000_000, "mark_price": "91000.5", "index_price": None}
        await self.put_event("funding", Funding.model_validate({**origin(venue, symbol), **funding}))
        interest = {"amount": "81234.567", "value": None}
        await self.put_event("interest", OpenInterest.model_validate({**origin(venue, symbol), **interest}))

    async def put_whales(self, base: str, whales: list[dict[str, Any]]) -> None:
        document = WhalesState.model_validate({"base": base, "whales": whales, "seq": 1, "sim": False})
        await self.put(f"whales.{base}", document.model_dump_json().encode())

    async def put_liquidations(self, base: str, recent: list[dict[str, Any]]) -> None:
        sums = {"long_usd": "1000.10", "short_usd": "2000.20", "unknown_usd": "0", "count": 3, "unvalued": 1}
        document = LiquidationsState.model_validate(
            {
                "base": base,
                "recent": recent,
                "totals": {"1h": sums, "4h": sums, "24h": sums},
                "as_of": 1_767_268_800_000_000_000,
                "sampled": True,
                "sim": False,
            }
        )
        await self.put(f"liquidations.{base}", document.model_dump_json().encode())

    async def publish_liquidations(self, liquidations: Iterable[Event]) -> None:
        """Publish to the stream of liquidations, and return once it has them."""
        stream, acknowledged = self.bus.jetstream(), list[Any]()
        for event in liquidations:
            assert event.symbol is not None
            tail = make_instrument(event.venue, event.symbol, event.symbol).tail
            acknowledged.append(await stream.publish_async(f"{LIQUIDATION}{tail}", event.model_dump_json().encode()))
        await asyncio.gather(*acknowledged)

    async def publish(self, subject: str, event: Event) -> None:
        await self.bus.client.publish(subject, event.model_dump_json().encode())
        await self.bus.client.flush()


def origin(venue: str, symbol: str, ts_recv: int | None = None) -> dict[str, Any]:
    return {
        "id": f"{venue}.{symbol}.1",
        "venue": venue,
        "symbol": symbol,
        "venue_symbol": None,
        "ts_event": 1_767_268_800_125_000_000,
        "ts_recv": now_ns() if ts_recv is None else ts_recv,
        "sim": False,
    }


def whale(venue: str, symbol: str, usd: str, **parts: Any) -> dict[str, Any]:
    fields = {
        "side": "buy",
        "price": "91000.10",
        "amount": "12.50000000000000000001",
        "usd_value": usd,
        "usd_rate": "1",
        "usd_rate_source": "peg",
        "tier": "majors",
        "threshold_usd": "1000000",
        "trade_ids": ["a"],
        "rule": "whale/1",
    }
    return {**origin(venue, symbol), "id": f"{venue}.{symbol}.{usd}", **fields, **parts}


@dataclass
class Api:
    """The API on a socket with a client that has the read key."""

    url: str
    port: int
    client: httpx.AsyncClient

    async def get(self, path: str, *, key: str | None = READ_KEY, **headers: str) -> httpx.Response:
        bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={**bearer, **named})

    async def until(self, path: str, check: Callable[[httpx.Response], bool], seconds: float = 30.0) -> httpx.Response:
        async with asyncio.timeout(seconds):
            while True:
                answer = await self.get(path)
                if check(answer):
                    return answer
                await asyncio.sleep(0.02)

    def stream(self, key: str | None = READ_KEY, **more: Any) -> connect:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return connect(f"ws://127.0.0.1:{self.port}/ws", additional_headers=headers, compression=None, **more)


@asynccontextmanager
async def serving(options: ApiOptions, limits: ConnectionLimits | None = None) -> AsyncGenerator[Api]:
    limits = limits or connection_limits(options.settings)
    server = make_server(compose(options), "127.0.0.1", 0, limits)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
            yield Api(url, port, client)
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 15)


def api_settings(**named: Any) -> ApiSettings:
    keys: dict[str, Any] = {
        "GPT_API_API_KEYS": READ_KEY,
        "HYDROPHONE_ADMIN_KEYS": ADMIN_KEY,
        # What all tests of a minute count together, from one address on one bus.
        "GPT_API_RATE_LIMIT_REQUESTS": 100_000,
        "GPT_API_RATE_LIMIT_IP": 100_000,
        "GPT_API_RATE_LIMIT_ANONYMOUS": 10_000,
        "GPT_API_RATE_LIMIT_GLOBAL": 1_000_000,
    }
    return ApiSettings(**{**keys, **named})


@asynccontextmanager
async def answering(url: str, **plan: Any) -> AsyncGenerator[Service]:
    """A market core on a bus, once it answers; `plan` are fields of its plan."""
    bus = await Bus(BusOptions(servers=(url,), name="market")).connect()
    try:
        async with running(bus, "market", partial(run_market, plan=MarketPlan(**plan))) as service:
            yield service
    finally:
        await bus.close()


async def message_of(stream: ClientConnection, kind: str, seconds: float = 20.0) -> dict[str, Any]:
    """The next message of a kind; others are passed over."""
    async with asyncio.timeout(seconds):
        while True:
            message = json.loads(await stream.recv())
            if message["type"] == kind:
                return message
