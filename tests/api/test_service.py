"""Health, metrics, descriptions, unknown routes; before the bus is there, and after it was away."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import ApiOptions
from contracts import streams
from contracts.streams import STATE
from runtime import provision
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.healing import Healer
from runtime.servers.bus_users import BusUsers
from runtime.servers.embedded import free_port, nats_server
from tests.api.world import READ_KEY, Start, Store, answering, api_settings, message_of, serving

pytestmark = pytest.mark.nats
SECOND = 1_000_000_000


def options(url: str, **more: Any) -> ApiOptions:
    return ApiOptions(settings=api_settings(), bus=BusOptions(servers=(url,), name="api"), **more)


async def test_health_answers_without_a_key(store: Store, start: Start) -> None:
    await store.put_feed("binance")
    api = await start()
    assert (await api.get("/health", key=None)).json()["status"] == "ok"
    assert (await api.get("/health/ready", key=None)).json()["status"] == "ready"
    detailed = (await api.get("/health/detailed", key=None)).json()
    assert (detailed["status"], detailed["bus"]["connected"], detailed["stream"]["clients"]) == ("ok", True, 0)
    cache = (await api.get("/health/cache", key=None)).json()
    assert cache["buckets"][STATE]["keys"] == 1
    assert cache["buckets"][STATE]["last_change_age"] < 10
    exchanges = (await api.get("/health/exchanges", key=None)).json()
    assert (exchanges["status"], exchanges["exchanges"]["binance"]["connected"]) == ("ok", True)


async def test_kept_answers_are_counted(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    for _ in range(3):
        assert (await api.get("/gpt/raw?symbol=BTC")).status_code == 200
    kept = (await api.get("/health/cache")).json()["answers"]
    assert kept["entries"] == 2  # the snapshot, and what the core says of itself
    assert kept["hits"] >= 2
    assert kept["misses"] >= 2


async def test_unknown_routes_and_methods_are_refused_in_the_envelope(store: Store, start: Start) -> None:
    api = await start()
    unknown = await api.get("/nothing/here")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert unknown.json()["success"] is False
    bearer = {"Authorization": f"Bearer {READ_KEY}"}
    wrong = await api.client.post("/gpt/raw", headers=bearer)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "GET"
    plain = await api.client.post("/api/market/price", headers=bearer)
    assert (plain.status_code, plain.json()["error"]) == (405, "METHOD_NOT_ALLOWED")


async def test_a_fault_of_our_own_tells_nothing_of_the_inside(store: Store, start: Start) -> None:
    await store.put("ticker.binance.BTC.USDT.spot", b'{"venue":7}')
    api = await start()
    answer = await api.get("/gpt/raw?symbol=BTC")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert "venue" not in answer.text
    async with api.stream() as stream:
        await stream.send('{"type":"subscribe","symbol":"BTC"}')
        await message_of(stream, "subscribed")
        await store.put_ticker("binance", "BTC/USDT", "5")
        assert (await message_of(stream, "price_update"))["price"] == 5


async def test_openapi_is_fit_for_actions(store: Store, start: Start) -> None:
    api = await start()
    document = (await api.get("/openapi.json", key=None)).json()
    assert document["servers"] == [{"url": api.url}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)
    raw = document["paths"]["/gpt/raw"]["get"]
    assert raw["security"] == [{"bearer": []}]
    assert raw["parameters"][0]["example"] == "BTC"
    assert {"200", "400", "401", "403", "404", "429", "503"} <= set(raw["responses"])
    assert document["paths"]["/health"]["get"]["security"] == []


async def test_asyncapi_is_served_as_generated(store: Store, start: Start) -> None:
    api = await start({"asyncapi": lambda: b'{"asyncapi":"3.0.0"}'})
    assert (await api.get("/asyncapi", key=None)).json() == {"asyncapi": "3.0.0"}
    without = await start()
    assert (await without.get("/asyncapi", key=None)).status_code == 404


async def test_metrics_count_by_route_and_name_no_symbol(store: Store, start: Start) -> None:
    api = await start()
    await api.get("/gpt/raw?symbol=SECRETCOIN")
    text = (await api.get("/metrics", key=None)).text
    assert 'hydrophone_http_requests_total{method="GET",route="/gpt/raw",status="503"} 1.0' in text
    assert "SECRETCOIN" not in text


async def test_it_starts_before_the_bus_and_survives_its_restart(tmp_path: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack, serving(options(f"nats://admin:secret@127.0.0.1:{port}")) as api:
        waiting = await api.get("/health/ready", key=None)
        assert (waiting.status_code, waiting.json()["error"]["code"]) == (503, "NOT_READY")
        assert "bus" in waiting.json()["error"]["details"]["waiting_for"]
        assert (await api.get("/gpt/raw?symbol=BTC")).status_code == 503
        assert (await api.get("/health", key=None)).status_code == 200
        async with nats_server(tmp_path, port=port, users=BusUsers(admin="secret")) as server:
            bus = await Bus(BusOptions(servers=(server.url,), name="writer")).connect()
            await provision.apply(bus, provision.declared(synced=True))
            store = Store(bus)
            await store.put_listing()
            await store.put_ticker("binance", "BTC/USDT", "91000")
            await stack.enter_async_context(answering(server.url))
            live = await api.until("/api/market/price?symbol=BTC", lambda answer: answer.status_code == 200)
            assert live.json()["quality"] == "live"
            await server.kill()
            stale = await api.until("/api/market/price?symbol=BTC", lambda answer: answer.json()["quality"] == "stale")
            assert stale.json()["price"] == 91000
            assert (await api.get("/health/ready", key=None)).json()["degraded"] == ["bus"]
            await server.start()
            await bus.client.flush(timeout=10)
            await store.put_ticker("binance", "BTC/USDT", "91001")
            await api.until(
                "/api/market/price?symbol=BTC",
                lambda answer: (answer.json()["price"], answer.json()["quality"]) == (91001, "live"),
                seconds=20,
            )
            await bus.close()


async def test_feed_that_is_not_live_is_degraded_readiness(store: Store, start: Start) -> None:
    await store.put_listing()
    await store.put_feed("binance", as_of=now_ns() + 3600 * SECOND)
    await store.put_feed("okx", as_of=now_ns() + 3600 * SECOND, state="stale", said="live")
    await store.put_feed("kraken", as_of=now_ns() + 3600 * SECOND, state="down", connected=False)
    api = await start()
    ready = await api.until("/health/ready", lambda answer: len(answer.json().get("degraded", ())) == 2)
    assert ready.status_code == 200
    assert ready.json()["degraded"] == ["feed kraken: down", "feed okx: stale"]
    assert (await api.get("/health/detailed")).json()["status"] == "degraded"
    exchanges = (await api.get("/health/exchanges")).json()
    assert (exchanges["status"], exchanges["exchanges"]["okx"]["state"]) == ("degraded", "stale")
    assert (await api.get("/multi/health")).json()["data"]["okx"]["quality"] == "stale"


async def test_dead_cache_leaves_no_feed_live(store: Store, start: Start) -> None:
    await store.put_listing()
    await store.put_ticker("binance", "BTC/USDT", "91000")
    api = await start()
    await store.put_feed("kraken", as_of=now_ns() - 3 * SECOND, state="down", connected=False)
    await store.put_feed("binance", as_of=now_ns())

    def state(answer: httpx.Response) -> str | None:
        return answer.json()["data"].get("binance", {}).get("state")

    await api.until("/multi/health", lambda answer: state(answer) == "live")
    answer = await api.until("/multi/health", lambda answer: state(answer) == "stale")
    feeds = answer.json()["data"]
    assert feeds["binance"]["channels"] == {"trade": "stale"}
    assert feeds["binance"]["quality"] == "stale"
    assert "does not write" in feeds["binance"]["reason"]
    assert feeds["kraken"]["state"] == "down"
    assert (await api.get("/health/ready")).json()["degraded"] == ["cache", "feed binance: stale", "feed kraken: down"]
    assert (await api.get("/gpt/raw?symbol=BTC")).json()["data"]["quality"] == "stale"
    await store.put_feed("binance", as_of=now_ns())
    await api.until("/multi/health", lambda answer: state(answer) == "live")


async def test_a_bus_that_takes_no_messages_makes_it_not_ready_until_it_does(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await provision.apply(bus, provision.declared(synced=True))
        async with answering(server.url), serving(options(server.url)) as api:
            await api.until("/health/ready", lambda answer: answer.status_code == 200)
            await bus.api(f"STREAM.DELETE.{streams.PROBE}")
            await api.until("/health/ready", lambda answer: answer.status_code == 503)
            refused = (await api.get("/health/ready", key=None)).json()
            assert "bus that can write" in refused["error"]["details"]["waiting_for"][0]
            assert streams.PROBE in (await api.get("/health/detailed")).json()["bus"]["write_problem"]
            await Healer(bus, provision.declared(synced=True)).heal()
            await api.until("/health/ready", lambda answer: answer.status_code == 200)
        await bus.close()
