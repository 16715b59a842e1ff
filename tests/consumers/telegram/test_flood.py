"""15,000 alerts for 500 groups: what is urgent goes first, and storms of refusals and a kill cost nothing.

The first is measured by Telegram's own clock. For the rest that clock runs `SPEED` times as fast on both sides: the
server counts its windows in those seconds, and the gateway waits in them; 15,000 messages at 30 a second would take
more than eight minutes otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import streams
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import SendMessage
from runtime.clock import monotonic
from runtime.nats.bus import Bus
from runtime.nats.streams.api import call
from runtime.nats.telegram_jobs import publish_job
from runtime.servers.embedded import NatsServer
from tests.consumers.telegram.world import TOKEN

Note = Callable[[str, object], None]

ROOT = Path(__file__).parents[3]
SPEED = 10.0
GROUPS, ALERTS = 500, 30
URGENT = 20
IDS = [-1_000_000_001_000 - number for number in range(GROUPS)]
LATEST = 5.0  # seconds until an urgent message is there
STORM = {"error": "429", "times": 60, "seconds": 4}
pytestmark = [pytest.mark.nats, pytest.mark.long, pytest.mark.timeout(900)]


@asynccontextmanager
async def started(*command: str, word: bytes) -> AsyncGenerator[tuple[asyncio.subprocess.Process, bytes]]:
    """Run a program until the end of the block; gives it once it has said `word`, and the line."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    reading: asyncio.Task[bytes] | None = None
    try:
        line = b""
        async with asyncio.timeout(90):
            while word not in line:
                line = await process.stdout.readline()
                assert line or process.returncode is None
        reading = asyncio.create_task(process.stdout.read())
        yield process, line
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if reading is not None:
            await reading


class Far:
    """The server's side, over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.url = str(client.base_url)

    async def post(self, deed: str, **given: Any) -> None:
        (await self._client.post(f"/test/{deed}", json=given)).raise_for_status()

    async def sent(self, after: int = 0) -> list[dict[str, Any]]:
        return (await self._client.get("/test/sent", params={"after": after}, timeout=60)).json()

    async def breaches(self) -> list[dict[str, Any]]:
        return (await self._client.get("/test/breaches", timeout=60)).json()


async def left(bus: Bus) -> int:
    return (await call(bus, f"STREAM.INFO.{streams.JOBS}"))["state"]["messages"]


async def publish(bus: Bus, jobs: list[TelegramJob]) -> None:
    for start in range(0, len(jobs), 200):
        await asyncio.gather(*(publish_job(bus, job) for job in jobs[start : start + 200]))


def alert(chat_id: int, name: str, **given: Any) -> TelegramJob:
    return TelegramJob(id=name, chat_id=chat_id, operation=SendMessage(text=name), **given)


async def urgent_ones(bus: Bus, far: Far, groups: list[int]) -> list[float]:
    """Queue an urgent message for each of some groups; how many seconds each took."""
    took: dict[str, float] = {}
    began: dict[str, float] = {}
    seen = 0
    for group in groups:
        name = f"urgent for {group}"
        began[name] = monotonic()
        await publish_job(bus, alert(group, name, priority="urgent"))
    async with asyncio.timeout(60):
        while len(took) < len(groups):
            for row in await far.sent(seen):
                seen = row["seq"]
                if row["text"] in began:
                    took[row["text"]] = monotonic() - began[row["text"]]
            await asyncio.sleep(0.02)
    return sorted(took.values())


async def wait_left(bus: Bus, most: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await left(bus) > most:  # noqa: ASYNC110  # the condition is in another process
            await asyncio.sleep(0.1)


@asynccontextmanager
async def flooded(bus: Bus, speed: float) -> AsyncGenerator[tuple[Far, list[TelegramJob]]]:
    """A server with 500 groups, and 30 alerts for each on the queue."""
    jobs = [alert(group, f"alert {number} for {group}") for number in range(ALERTS) for group in IDS]
    simulator = ("-m", "bot.simulator", "--token", TOKEN, "--speed", str(speed))
    async with (
        started(*simulator, word=b"url") as (_, line),
        httpx.AsyncClient(base_url=json.loads(line)["url"]) as client,
    ):
        far = Far(client)
        for group in IDS:
            await far.post("chat", chat_id=group)
        await publish(bus, jobs)
        yield far, jobs


def gateway(server: NatsServer, far: Far, speed: float) -> tuple[str, ...]:
    return str(Path(__file__).with_name("process.py")), server.url, far.url, TOKEN, str(speed)


async def test_an_urgent_message_is_there_within_5_seconds_while_15000_wait(own: Bus, server: NatsServer) -> None:
    async with flooded(own, 1.0) as (far, jobs), started(*gateway(server, far, 1.0), word=b"ready"):
        await wait_left(own, len(jobs) - 100, 60)
        waiting = await left(own)
        took = await urgent_ones(own, far, IDS[:: GROUPS // URGENT])
        print(f"urgent with {waiting} waiting: median {took[len(took) // 2]:.2f} s, longest {took[-1]:.2f} s")
        assert waiting > 14_000
        assert took[-1] <= LATEST
        assert await far.breaches() == []


async def test_500_groups_30_alerts_storms_and_a_kill(own: Bus, server: NatsServer, record_property: Note) -> None:
    async with flooded(own, SPEED) as (far, jobs):
        began = monotonic()
        async with started(*gateway(server, far, SPEED), word=b"ready") as (process, _):
            await far.post("fail", **STORM)
            await wait_left(own, len(jobs) * 2 // 3, 400)
            await far.post("fail", **STORM)
            process.send_signal(signal.SIGKILL)
        killed = len(await far.sent())
        async with started(*gateway(server, far, SPEED), word=b"ready"):
            await wait_left(own, len(jobs) // 3, 400)
            await far.post("fail", **STORM)
            await wait_left(own, 0, 400)
        seconds = monotonic() - began
        texts = Counter(row["text"] for row in await far.sent())
        breaches = await far.breaches()
    lost, repeated = {job.id for job in jobs} - texts.keys(), texts.total() - len(texts)
    figure = (
        f"{len(jobs)} alerts in {seconds:.0f} s ({seconds * SPEED:.0f} s of Telegram's clock), killed after {killed}: "
        f"breaches {len(breaches)}, lost {len(lost)}, repeated {repeated}"
    )
    print(figure)
    record_property("figure", figure)
    assert breaches == []
    assert lost == set()
    assert repeated <= 30
