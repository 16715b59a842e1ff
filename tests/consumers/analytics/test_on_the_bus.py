"""Requests recorded over a real bus into real documents, and figures by command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry

from api.analytics.recorder import RequestRecorder
from api.http.answered import Answered
from consumers.analytics.handlers import AnalyticsPlan, make_consumer
from contracts.errors import InvalidParameterError
from contracts.services.analytics import ExportQuery, ExportReply, Realtime, RealtimeQuery, Stats, StatsQuery
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus
from tests.running import running

pytestmark = pytest.mark.nats


@asynccontextmanager
async def consuming(bus: Bus, documents_url: str, database: str) -> AsyncGenerator[None]:
    url = urlsplit(documents_url)
    named = url._replace(path=f"/{database}", query=f"{url.query}&authSource=admin" if url.username else url.query)
    async with running(bus, "analytics", make_consumer(AnalyticsPlan(named.geturl())).run):
        yield


def answered(**fields: object) -> Answered:
    values = {
        "ts": clock.now_ns(),
        "endpoint": "/gpt/raw",
        "method": "GET",
        "status": 200,
        "seconds": 0.002,
        "key": "abcd…",
        "path": "/gpt/raw",
        "query": b"symbol=btc",
        "error": None,
        "cached": True,
    }
    return Answered(**{**values, **fields})  # pyright: ignore[reportArgumentType]


async def test_what_was_answered_is_in_the_figures_and_in_the_export(
    own: Bus, documents_url: str, eventually: Callable[..., object]
) -> None:
    recorder = RequestRecorder(own, CollectorRegistry())
    for number in range(1200):
        recorder.record(answered(seconds=number / 1000, status=500 if number % 4 == 0 else 200))
    recorder.record(answered(endpoint="/multi/ticker/{symbol}", path="/multi/ticker/ETH-USDT", query=b"", cached=None))
    await recorder.flush()
    assert len(recorder) == 0
    client = CommandClient(own)
    async with consuming(own, documents_url, "test_analytics_figures"):
        found = await until_counted(client, 1201)
        assert found.success_rate == pytest.approx(1 - 300 / 1201)
        assert {(item.name, item.requests) for item in found.symbols} == {("BTC", 1200), ("ETH-USDT", 1)}
        assert found.cache_hit_rate == 1
        assert found.ms is not None
        assert 570 < found.ms.p50 < 640
        now = await client.request("analytics.realtime", RealtimeQuery(), Realtime)
        assert now.minute.requests == 1201
        assert now.slow[0].ms == 1199
        span = ExportQuery(start_ts=0, end_ts=clock.now_ns())
        page = await client.request("analytics.export", span, ExportReply)
        assert len(page.rows) == 500
        with pytest.raises(InvalidParameterError):
            await client.request("analytics.export", span.model_copy(update={"after": "x"}), ExportReply)


async def until_counted(client: CommandClient, count: int) -> Stats:
    async with asyncio.timeout(30):
        while True:
            found = await client.request("analytics.stats", StatsQuery(), Stats)
            if found.requests == count:
                return found
            await asyncio.sleep(0.1)


async def test_without_a_stream_requests_wait_and_what_has_no_room_is_counted(own: Bus, documents_url: str) -> None:
    await own.api("STREAM.DELETE.ANALYTICS")
    recorder = RequestRecorder(own, CollectorRegistry(), most=10)
    for _ in range(15):
        recorder.record(answered())
    flushing = asyncio.create_task(recorder.flush())
    await asyncio.sleep(0.5)
    assert len(recorder) == 10
    recorder.record(answered())
    flushing.cancel()
    assert len(recorder) == 11
    from runtime import provision  # noqa: PLC0415
    from tests.consumers.conftest import PLAN  # noqa: PLC0415

    await provision.apply(own, PLAN)
    await recorder.flush()
    assert len(recorder) == 0
    async with consuming(own, documents_url, "test_analytics_waiting"):
        found = await until_counted(CommandClient(own), 11)
        assert found.dropped == 5
