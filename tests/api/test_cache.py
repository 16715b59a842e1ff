"""`/admin/cache`: keys in their spellings, drops that reach every process, figures."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import pytest

from contracts.services.candles import HistoryReply
from contracts.timeframes import HOUR, find_start
from runtime.clock import now_ns
from tests.api.test_ohlc import World, candle
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Start, Store
from tests.serving import serve

pytestmark = pytest.mark.nats
ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}
RAW = "/gpt/raw?symbol=BTC"
LONG = 60.0
LEVELS: dict[str, list[tuple[str, str]]] = {"bids": [("91000", "1")], "asks": [("91001", "2")]}


async def admin(api: Api, method: str, path: str, body: Any = None) -> httpx.Response:
    return await api.client.request(method, f"/admin/cache{path}", headers=ADMIN, json=body)


async def data_of(api: Api, method: str, path: str = "", body: Any = None) -> dict[str, Any]:
    answer = await admin(api, method, path, body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["success"] is True
    return found["data"]


@pytest.fixture
def kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are kept until they are dropped: a test need not be faster than 250 ms."""
    monkeypatch.setattr("runtime.clients.market_client.KEPT_SECONDS", LONG)


async def price_of(api: Api, path: str = RAW) -> tuple[float, str]:
    answer = (await api.get(path)).json()
    return answer["data"]["price"], answer["quality"]


async def until_price(api: Api, price: float, path: str = RAW) -> None:
    await api.until(path, lambda answer: answer.json()["data"]["price"] == price)


async def put_markets(store: Store) -> None:
    await store.put_feed("binance")
    await store.put_ticker("binance", "BTC/USDT", "91000", volume_24h="5", bid="90999", ask="91001")
    await store.put_ticker("binance", "ETH/USDT", "3000", volume_24h="5")
    await store.put_book("binance", "BTC/USDT", LEVELS)


async def change_core(store: Store, probe: Api, price: str) -> None:
    """Put another price, and wait until the core answers with it (asked in a spelling that nobody else uses)."""
    await store.put_ticker("binance", "BTC/USDT", price, volume_24h="5")

    async def is_there() -> bool:
        await data_of(probe, "DELETE", "/market_data:BTC-USDT:raw")
        return (await price_of(probe, "/gpt/raw?symbol=BTC-USDT"))[0] == float(price)

    async with asyncio.timeout(30):
        while not await is_there():
            pass


@pytest.mark.usefixtures("kept_for_long")
async def test_a_key_dropped_at_one_process_is_requested_again_by_both(store: Store, start: Start) -> None:
    await put_markets(store)
    one, other = await start(), await start()
    for api in (one, other):
        await until_price(api, 91000.0)
        assert (await price_of(api, "/gpt/raw?symbol=ETH"))[0] == 3000.0
    await change_core(store, one, "92000")
    for api in (one, other):
        assert (await price_of(api))[0] == 91000.0  # kept
    assert await data_of(one, "DELETE", "/market_data:btc:raw") == {
        "dropped": 2,
        "replicas": 2,
        "cores": 1,
        "pinned": 0,
    }
    for api in (one, other):
        assert await price_of(api) == (92000.0, "live")
        kept = await data_of(api, "GET", "/market_data.BTC.raw")
        assert (kept["key"], kept["command"], kept["total"]) == ("market_data:BTC:raw", "raw", 1)
        assert kept["entries"][0]["value"]["price"] == 92000
        assert (await data_of(api, "GET", "/market_data:ETH:raw"))["total"] == 1


@pytest.mark.usefixtures("kept_for_long")
async def test_a_pattern_drops_every_key_that_it_fits(store: Store, start: Start) -> None:
    await put_markets(store)
    api = await start()
    for path in (RAW, "/gpt/whale?symbol=BTC", "/gpt/whale?symbol=BTC&limit=3", "/gpt/raw?symbol=ETH"):
        assert (await api.get(path)).status_code == 200
    assert (await data_of(api, "GET", "/market_data:BTC:whale"))["total"] == 2
    parameters = [entry["parameters"] for entry in (await data_of(api, "GET", "/market_data:BTC:whale"))["entries"]]
    assert parameters == [{}, {"limit": 3}]
    assert (await data_of(api, "DELETE", "?pattern=market_data:BTC:*"))["dropped"] == 3
    assert (await admin(api, "GET", "/market_data:BTC:whale")).status_code == 404
    assert (await data_of(api, "GET", "/market_data:ETH:raw"))["total"] == 1
    assert (await data_of(api, "DELETE", "?pattern=*eth*"))["dropped"] == 1
    assert (await data_of(api, "DELETE", "?pattern=nothing:*"))["dropped"] == 0


@pytest.mark.usefixtures("kept_for_long")
@pytest.mark.parametrize(
    ("path", "key", "also"),
    [
        ("/gpt/raw?symbol=btc", "market_data:BTC:raw", "market_data.btc.raw"),
        ("/gpt/raw?symbol=BTC/USDT", "market_data:BTC/USDT:raw", "MARKET_DATA:BTC%2FUSDT:RAW"),
        ("/gpt/orderbook?symbol=BTC&depth=1", "market_data:BTC:orderbook", "market_data:BTC:orderbook"),
        ("/api/market/price?symbol=BTC", "aggregated_data:BTC", "aggregated_data.BTC"),
        ("/multi/ticker/BTC", "multi_ticker:BTC", "multi_ticker.BTC"),
        ("/multi/orderbook/BTC?depth=3", "multi_orderbook:BTC", "multi_orderbook.btc"),
        ("/multi/trades/BTC", "market_data:BTC:trades", "market_data:BTC:trades"),
        ("/gpt/liq?symbol=BTC", "market_data:BTC:liq", "market_data.BTC.liq"),
        ("/multi/symbols", "market_data:all:symbols", "market_data.ALL.symbols"),
        ("/multi/health", "market_data:all:health", "market_data:all:health"),
    ],
)
async def test_what_a_route_answers_is_kept_under_its_key(
    store: Store, start: Start, path: str, key: str, also: str
) -> None:
    await put_markets(store)
    api = await start()
    assert (await api.until(path, lambda answer: answer.status_code == 200)).status_code == 200
    for spelling in (key, also):
        assert (await data_of(api, "GET", f"/{spelling}"))["key"] == key
    assert (await data_of(api, "DELETE", f"/{also}"))["dropped"] == 1
    assert (await admin(api, "GET", f"/{key}")).status_code == 404


async def test_what_is_no_key_no_pattern_or_no_administrator_is_refused(store: Store, start: Start) -> None:
    await store.put_listing()
    api = await start()
    for method, path in (("GET", "/nothing"), ("DELETE", "/market_data:BTC"), ("DELETE", "/market_data:BTC:status")):
        answer = await admin(api, method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PARAMETER"), path
        assert answer.json()["error"]["details"]["parameter"] == "key"
    assert (await admin(api, "DELETE", "")).json()["error"]["details"]["parameter"] == "pattern"
    assert (await admin(api, "DELETE", "?pattern=")).status_code == 400
    assert (await admin(api, "GET", "/multi_ticker:BTC")).json()["error"]["code"] == "NOT_FOUND"
    for key, status in ((None, 401), (READ_KEY, 403)):
        for path in ("/admin/cache", "/admin/cache/multi_ticker:BTC"):
            assert (await api.get(path, key=key)).status_code == status


async def test_candles_that_the_core_fetched_are_fetched_again_once_their_key_is_dropped(
    store: Store, start: Start
) -> None:
    await put_markets(store)
    last = find_start("1h", now_ns())
    world = World(
        store, past=HistoryReply(candles=[candle(last - back * HOUR, str(back + 1)) for back in (3, 2, 1, 0)])
    )
    await world.serve()
    api = await start()
    path = "/api/market/ohlc?symbol=BTC&timeframe=1h&limit=4"
    shown = (await api.get(path)).json()
    assert [bar["close"] for bar in shown["candles"]] == [4, 3, 2, 1]
    asked = len(world.asked)
    for key, more in (
        ("market_data:ETH:ohlc", 0),
        ("market_data.btc.ohlc", asked),
        ("market_data:BTC/USDT:ohlc", asked),
    ):
        before = len(world.asked)
        dropped = await data_of(api, "DELETE", f"/{key}")
        assert (dropped["cores"], dropped["dropped"] > 0) == (1, more > 0), key
        assert (await api.get(path)).status_code == 200
        assert len(world.asked) - before == more, key
    value = (await data_of(api, "GET", "/market_data:BTC:ohlc"))["entries"][0]["value"]
    await data_of(api, "PUT", "/market_data:BTC:ohlc", {"value": {**value, "timeframe": "1h"}, "ttl": 60})
    assert (await api.get("/api/market/ohlc?symbol=BTC")).json()["quality"] == "stale"
    for subscription in world.served:
        await subscription.unsubscribe()


# ---- figures
MIX = (
    ("/gpt/raw?symbol=BTC", 40),
    ("/api/market/price?symbol=BTC", 20),
    ("/gpt/raw?symbol=ETH", 15),
    ("/multi/ticker/BTC", 10),
    ("/gpt/whale?symbol=BTC", 8),
    ("/gpt/orderbook?symbol=BTC", 5),
    ("/multi/ticker/ETH", 2),
)


async def keep_asking(port: int, paths: list[str]) -> None:
    """One request after another over one connection, by a client that costs next to nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in paths:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {READ_KEY}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    writer.close()
    await writer.wait_closed()


async def test_of_a_usual_mix_of_requests_more_than_80_percent_are_answered_from_memory(
    store: Store, start: Start
) -> None:
    await put_markets(store)
    api = await start(GPT_API_RATE_LIMIT_IP=100_000, GPT_API_RATE_LIMIT_GLOBAL=100_000)
    await api.until("/gpt/orderbook?symbol=BTC", lambda answer: answer.status_code == 200)
    before = (await data_of(api, "GET"))["classes"]["live"]
    chance = random.Random(7)
    paths, weights = zip(*MIX, strict=True)

    await asyncio.gather(*(keep_asking(api.port, chance.choices(paths, weights, k=100)) for _ in range(10)))
    after = (await data_of(api, "GET"))["classes"]["live"]
    hits, misses = after["hits"] - before["hits"], after["misses"] - before["misses"]
    assert hits + misses >= 1000
    assert hits / (hits + misses) > 0.8


async def test_figures_stand_in_the_overview_in_metrics_and_in_health(store: Store, start: Start) -> None:
    await put_markets(store)
    api = await start()
    for _ in range(3):
        await api.get(RAW)
    await api.get("/api/market/ohlc?symbol=BTC")
    shown = await data_of(api, "GET")
    assert shown["enabled"] is True
    seconds = {name: found["seconds"] for name, found in shown["classes"].items()}
    assert seconds == {
        "live": 0.25,
        "market": 30.0,
        "multi": 15.0,
        "analytics": 60.0,
        "static": 3600.0,
        "default": 300.0,
        "pinned": None,
    }
    assert (shown["commands"]["raw"]["hits"] >= 1, shown["commands"]["raw"]["entries"]) == (True, 1)
    assert shown["commands"]["raw"]["oldest_age"] >= 0
    async with asyncio.timeout(30):  # what the core says of itself is kept for a moment too
        while "own" not in (await data_of(api, "GET"))["core"]:
            pass
    assert (await data_of(api, "GET"))["core"]["own"]["misses"] >= 1
    metrics = (await api.get("/metrics")).text
    assert 'hydrophone_cache_hits_total{class="live"}' in metrics
    assert 'hydrophone_cache_misses_total{class="live"}' in metrics
    health = (await api.get("/health/cache")).json()
    assert health["classes"]["live"]["hits"] >= 1
    assert health["fetched"]["classes"]["own"]["misses"] >= 1


async def test_popular_symbols_are_requested_at_the_start_and_readiness_does_not_wait(
    store: Store, start: Start
) -> None:
    await put_markets(store)
    asked = 0

    async def figures(_body: bytes) -> bytes:
        nonlocal asked
        asked += 1
        names = [{"name": name, "requests": 3} for name in ("ETH", "NOSUCH")]
        empty: dict[str, Any] = {name: [] for name in ("endpoints", "keys", "statuses", "errors")}
        unknown: dict[str, Any] = dict.fromkeys(("success_rate", "cache_hit_rate", "ms"))
        counted = {"requests": 6, "dropped": 0, "from_ts": 0, "to_ts": 1}
        return json.dumps({**counted, **unknown, **empty, "symbols": names}).encode()

    served = await serve(store.bus, "cmd.v1.analytics.stats", figures)
    await store.bus.client.flush()
    api = await start({"warm": ("BTC",)})
    async with asyncio.timeout(30):
        while True:
            shown = await data_of(api, "GET")
            if shown["commands"].get("raw", {"misses": 0})["misses"] >= 3:
                break
    await api.until("/health/ready", lambda answer: answer.status_code == 200)
    for symbol in ("BTC", "ETH"):
        assert (await data_of(api, "GET", f"/market_data:{symbol}:raw"))["total"] == 1
    assert shown["commands"]["raw"]["misses"] == 3
    before = asked
    for _ in range(3):  # the figures themselves are kept for a minute
        assert (await api.get("/admin/analytics/stats", key=ADMIN_KEY)).status_code == 200
    assert asked == before + 1
    await data_of(api, "DELETE", "?pattern=analytics:*")
    assert (await api.get("/admin/analytics/stats", key=ADMIN_KEY)).status_code == 200
    assert asked == before + 2
    await served.unsubscribe()
