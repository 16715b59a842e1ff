"""Health and the small HTTP endpoint, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
from prometheus_client import CollectorRegistry

from runtime.health import Health, connected_check
from runtime.metrics import BusMetrics
from runtime.monitor import monitor


class Hands:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_loop_without_a_beat_is_not_live_and_named() -> None:
    clock = Hands()
    health = Health(monotonic=clock)
    health.beat("fold", limit=5.0)
    clock.now += 4.9
    assert health.live().well
    clock.now += 1.1
    assert health.live().problems == {"fold": "last beat 6.0 s ago"}
    health.beat("fold", limit=5.0)
    assert health.live().well


def test_ended_loop_is_not_missed() -> None:
    clock = Hands()
    health = Health(monotonic=clock)
    health.beat("replay", limit=1.0)
    health.end("replay")
    clock.now += 10
    assert health.live().well


def test_failing_check_is_not_ready_but_live() -> None:
    connected = False
    health = Health()
    health.check("bus", connected_check(lambda: connected))
    health.check("mirror", lambda: "7.0 s old, at most 5 s")
    assert health.live().well
    assert health.ready().problems == {"bus": "not connected", "mirror": "7.0 s old, at most 5 s"}
    connected = True
    assert set(health.ready().problems) == {"mirror"}


async def test_endpoint_serves_metrics_and_both_answers() -> None:
    health, registry = Health(), CollectorRegistry()
    metrics = BusMetrics(registry)
    metrics.dropped.labels(event="md.v1.trade").inc(3)
    health.check("bus", lambda: "not connected")
    async with monitor("127.0.0.1", 0, health, registry) as port, httpx.AsyncClient() as client:
        base = f"http://127.0.0.1:{port}"
        page = await client.get(f"{base}/metrics")
        assert page.status_code == 200
        assert 'hydrophone_bus_dropped_total{event="md.v1.trade"} 3.0' in page.text
        assert (await client.get(f"{base}/health/live")).status_code == 200
        ready = await client.get(f"{base}/health/ready?verbose=1")
        assert ready.status_code == 503
        assert ready.json() == {"well": False, "problems": {"bus": "not connected"}}
        assert (await client.get(f"{base}/secret")).status_code == 404
        assert (await client.post(f"{base}/metrics")).status_code == 405


@pytest.mark.parametrize("garbage", [b"\r\n\r\n", b"x" * 20_000, b"GET\r\n\r\n"])
async def test_garbage_is_cut_off_and_the_endpoint_goes_on(garbage: bytes) -> None:
    async with monitor("127.0.0.1", 0, Health(), CollectorRegistry()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200
