"""`/admin/analytics` and `/admin/deadletters`: what was requested, and what could not be handled."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.analytics import recorder
from contracts import subjects
from runtime.config.settings import AnalyticsSettings
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.deadletter import DeadLetters
from runtime.servers.embedded import NatsServer
from tests.api.conftest import Start
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Store
from tests.consumers.analytics.test_on_the_bus import consuming
from tests.consumers.deadletters.test_on_the_bus import serving

pytestmark = pytest.mark.nats
TODAY = datetime.now(UTC).date()
SPAN = f"start_date={TODAY - timedelta(days=1)}&end_date={TODAY}"

ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}


@pytest_asyncio.fixture
async def own(api_nats: NatsServer) -> AsyncGenerator[Bus]:
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="test")).connect()
    yield bus
    await bus.close()


async def until(api: Api, path: str, check: Any) -> Any:
    async with asyncio.timeout(30):
        while True:
            if "/stats" in path:  # they are kept for a minute
                await api.client.delete("/admin/cache?pattern=analytics.*", headers=ADMIN)
            body = (await api.get(path, key=ADMIN_KEY)).json()
            if body["success"] and check(body["data"]):
                return body["data"]
            await asyncio.sleep(0.1)


async def test_requests_are_in_the_figures_and_exported(
    store: Store, start: Start, own: Bus, documents_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_SECONDS", 0.1)
    await store.put_ticker("binance", "BTC/USDT", "91000.5")
    api = await start()
    async with consuming(own, documents_url, "test_api_analytics"):
        for _ in range(5):
            await api.until("/gpt/raw?symbol=btc", lambda answer: answer.status_code == 200)
        assert (await api.get("/gpt/raw?symbol=NOSUCH")).status_code == 404
        assert (await api.get("/multi/ticker/ETH-USDT", key=None)).status_code == 401
        path = "/admin/analytics/stats?period_hours=1"
        found = await until(api, path, lambda data: {"/gpt/raw", "/multi/ticker/{symbol}"} <= endpoints(data))
        raw = next(item for item in found["endpoints"] if item["endpoint"] == "/gpt/raw")
        assert (raw["method"], raw["errors"], raw["refused"]) == ("GET", 0, 1)
        assert raw["requests"] >= 6
        assert raw["ms"]["p50"] > 0
        assert {"name": "NOSUCH", "requests": 1} in found["symbols"]
        assert {item["name"] for item in found["errors"]} >= {"INVALID_SYMBOL", "UNAUTHORIZED"}
        assert READ_KEY not in json.dumps(found)
        assert 0 < found["cache_hit_rate"] < 1
        assert datetime.fromisoformat(found["end"]) - datetime.fromisoformat(found["start"]) == timedelta(hours=1)
        now = (await api.get("/admin/analytics/realtime", key=ADMIN_KEY)).json()["data"]
        assert now["minute"]["requests"] >= 7
        assert now["active_keys"] >= 1

        answer = await api.get(f"/admin/analytics/export?{SPAN}", key=ADMIN_KEY)
        assert answer.headers["content-type"] == "application/json"
        rows = answer.json()
        assert {"symbol": "NOSUCH", "error": "INVALID_SYMBOL", "status": 404}.items() <= next(
            row for row in rows if row["status"] == 404
        ).items()
        answer = await api.get(f"/admin/analytics/export?{SPAN}&format=csv", key=ADMIN_KEY)
        table = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(table) >= len(rows)
        assert set(table[0]) == set(rows[0])


def endpoints(data: dict[str, Any]) -> set[str]:
    return {item["endpoint"] for item in data["endpoints"]}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("start_date=2026-01-02&end_date=2026-01-01", "end_date"),
        ("start_date=yesterday&end_date=2026-01-01", "start_date"),
        (f"{SPAN}&format=xml", "format"),
        ("start_date=0035-08-03&end_date=2026-01-01", "start_date"),
        ("start_date=2026-01-01&end_date=9999-12-31", "end_date"),
        ("end_date=2026-01-01", "start_date"),
    ],
)
async def test_a_wrong_export_names_the_parameter(store: Store, start: Start, query: str, parameter: str) -> None:
    api = await start()
    answer = await api.get(f"/admin/analytics/export?{query}", key=ADMIN_KEY)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["parameter"] == parameter


async def test_switched_off_it_says_so(store: Store, start: Start) -> None:
    api = await start({"analytics": AnalyticsSettings.model_validate({"GPT_API_ANALYTICS_ENABLED": False})})
    answer = await api.get("/admin/analytics/stats", key=ADMIN_KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DISABLED")


async def test_figures_without_their_consumer_are_not_ready_and_requests_go_on(store: Store, start: Start) -> None:
    api = await start()
    answer = await api.get("/admin/analytics/stats", key=ADMIN_KEY)
    assert (answer.status_code, answer.json()["error"]["details"]) == (503, {"waiting_for": ["analytics"]})
    assert (await api.get("/health")).status_code == 200


async def test_dead_letters_are_seen_published_again_and_removed(store: Store, start: Start, own: Bus) -> None:
    api = await start()
    job, trade = subjects.JOB + "webhook.x", subjects.TRADE + "binance.BTC.USDT.spot"
    for subject in (job, trade):
        letters = DeadLetters(own, "webhooks")
        letters.keep(subject, b"{}", ValueError("no price"))
        await letters.flush()
    async with serving(own):
        found = await until(api, "/admin/deadletters?consumer=webhooks&limit=2", lambda data: len(data["letters"]) == 2)
        second, first = found["letters"]
        assert (first["subject"], first["error"], first["retryable"]) == (job, "ValueError: no price", True)
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        refused = await api.client.post(f"/admin/deadletters/{second['id']}/retry", headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
        again = await api.client.post(f"/admin/deadletters/{first['id']}/retry", headers=headers)
        assert (again.status_code, again.json()["data"]["id"]) == (200, first["id"])
        gone = await api.client.delete(f"/admin/deadletters/{first['id']}", headers=headers)
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert (await api.client.delete(f"/admin/deadletters/{second['id']}", headers=headers)).status_code == 200
        bad = await api.client.delete("/admin/deadletters/x", headers=headers)
        assert (bad.status_code, bad.json()["error"]["details"]["parameter"]) == (400, "id")
