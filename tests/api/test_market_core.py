"""The market core as processes: killed, answers are the last known; of two one is killed, and nobody notices."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.app import ApiOptions
from api.http.access.admission import Limits
from api.http.access.limits import Limit
from contracts import subjects
from runtime.clock import monotonic
from runtime.nats.bus import BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.world import Api, Store, api_settings, serving

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(180)]
BTC = "/gpt/raw?symbol=BTC"
PRICE = "/api/market/price?symbol=BTC"


class CoreProcess:
    """`python -m consumers market`."""

    def __init__(self, url: str, data: str) -> None:
        self._url, self._data = url, data
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; returns once it says that it reads live."""
        environ = {**os.environ, "NATS_URL": self._url, "HYDROPHONE_DATA": self._data}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "consumers", "market"), env=environ, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while b"consumer.ready" not in (line := await self._process.stdout.readline()):
                assert line, "the core ended"

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


@asynccontextmanager
async def cores(url: str, count: int, data: Path) -> AsyncGenerator[list[CoreProcess]]:
    started = [CoreProcess(url, str(data)) for _ in range(count)]
    try:
        await asyncio.gather(*(core.start() for core in started))
        yield started
    finally:
        await asyncio.gather(*(core.kill() for core in started))


@asynccontextmanager
async def api_of(nats: NatsServer) -> AsyncGenerator[Api]:
    plenty = Limit("plenty", 1_000_000, 60)  # however long a core takes to start: limits are not what is tried here
    limits = Limits(key=plenty, address_known=plenty, address_anonymous=plenty, everybody=plenty)
    options = ApiOptions(settings=api_settings(), limits=limits, bus=BusOptions(servers=(nats.url,), name="api"))
    async with serving(options) as api:
        await api.until("/health/ready", lambda answer: answer.status_code == 200)
        yield api


async def keep_live(store: Store) -> None:
    """Write a ticker again and again, as the cache does."""
    number = 0
    while True:
        number += 1
        await store.put_ticker("binance", "BTC/USDT", f"91000.{number % 90 + 10}", volume_24h="5")
        await asyncio.sleep(0.2)


class Starvation:
    """How long this process had work and no processor: measured where its loop comes late and did not compute.

    The answers are made and timed in one process. A loop that is held up by its own work is not counted here.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    async def keep_measuring(self, step: float = 0.005) -> None:
        """Measure for ever."""
        while True:
            began, computed = monotonic(), time.process_time()
            await asyncio.sleep(step)
            late = monotonic() - began - step - (time.process_time() - computed)
            self.seconds += late if late > step else 0.0


async def seconds_until(api: Api, path: str, check: Callable[[dict[str, Any]], bool], within: float) -> float:
    began = monotonic()
    await api.until(path, lambda answer: answer.status_code == 200 and check(answer.json()), seconds=within)
    return monotonic() - began


async def test_with_the_core_killed_the_last_known_is_stale_and_live_again_after_its_return(
    store: Store, api_nats: NatsServer, tmp_path: Path
) -> None:
    writing = asyncio.create_task(keep_live(store))
    async with cores(api_nats.url, 1, tmp_path) as (core,), api_of(api_nats) as api:
        live = (await api.get(BTC)).json()
        assert live["quality"] == "live"
        await core.kill()
        assert await seconds_until(api, BTC, lambda body: body["quality"] == "stale", 2) <= 1
        began = monotonic()
        stale = (await api.get(BTC)).json()
        assert monotonic() - began <= 1
        assert stale["data"]["price"] > 90000
        assert {stale["data"]["quality"], *(item["quality"] for item in stale["data"]["exchanges"])} == {"stale"}
        assert stale["age"] == stale["data"]["age"] == stale["data"]["data_age"]
        older = await api.until(BTC, lambda answer: answer.json()["age"] > stale["age"] + 0.5)
        assert older.json()["data"]["exchanges"][0]["age"] > stale["data"]["exchanges"][0]["age"] + 0.5
        assert (await api.get("/gpt/raw?symbol=ETH")).json()["error"]["code"] == "NOT_READY"
        assert (await api.get("/health/ready")).json()["degraded"] == ["market core"]
        await core.start()
        assert await seconds_until(api, BTC, lambda body: body["quality"] == "live", 10) <= 5
    writing.cancel()


async def test_with_two_cores_nobody_notices_that_one_is_killed(
    store: Store, api_nats: NatsServer, tmp_path: Path
) -> None:
    writing = asyncio.create_task(keep_live(store))
    starvation = Starvation()
    measuring = asyncio.create_task(starvation.keep_measuring())
    async with cores(api_nats.url, 2, tmp_path) as pair, api_of(api_nats) as api:
        answers: list[tuple[int, str, float]] = []

        async def ask_on() -> None:
            while True:
                began, starved = monotonic(), starvation.seconds
                answer = await api.get(PRICE)
                seconds = monotonic() - began - (starvation.seconds - starved)
                answers.append((answer.status_code, answer.json().get("quality", answer.text), seconds))
                await asyncio.sleep(0.01)

        asking = [asyncio.create_task(ask_on()) for _ in range(4)]
        for core in pair:
            count = len(answers)
            await core.kill()
            await api.until("/health", lambda _, count=count: len(answers) > count + 200, seconds=30)
            await core.start()
        for task in (*asking, measuring, writing):
            task.cancel()
        assert {(status, quality) for status, quality, _ in answers} == {(200, "live")}
        assert max(seconds for _, _, seconds in answers) < 1


async def test_one_core_publishes_and_another_goes_on_when_it_is_killed(
    store: Store, api_nats: NatsServer, tmp_path: Path
) -> None:
    received: list[tuple[str, str]] = []
    subscription = await store.bus.client.subscribe(subjects.ALL_CONSOLIDATED_TICKERS, cb=partial(note, received))
    await store.bus.client.flush()
    writing = asyncio.create_task(keep_live(store))
    async with cores(api_nats.url, 2, tmp_path) as pair, asyncio.timeout(60):
        for core in pair:
            count = len(received)
            while len(received) < count + 15:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            ids = [name for _, name in received]
            assert len(ids) == len(set(ids)), "two publish at once"
            await core.kill()
            received.clear()
            if core is pair[-1]:
                break
    writing.cancel()
    await subscription.unsubscribe()


async def note(received: list[tuple[str, str]], message: Any) -> None:
    received.append((message.subject, message.headers[subjects.HEADER_MESSAGE_ID]))
