"""The whole demo on a disk that fills up and is freed again: how long until every venue flows, and what says so."""

from __future__ import annotations

import asyncio
import time

import httpx
import nats
import pytest

from contracts import codec, subjects
from producers.registry import VENUES
from tests.deploy.filesystem import fill, small_disk
from tests.e2e.conftest import Copy
from tests.running import measure_slowness

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("product")]
AGAIN_SECONDS = 40.0  # beside other tests, on any machine
FLOWING_WITHIN = 10.0  # on a quiet one
KINDS = ("trade", "ticker", "book")
SECOND = 1_000_000_000


class Flow:
    """What a subscriber saw: when the newest event of each kind and venue was received."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, str], int] = {}

    async def on_message(self, message) -> None:
        event = codec.decode(message.subject, message.data)
        self.newest[event.kind, event.venue if event.kind in KINDS else "any"] = event.ts_recv

    def missing(self, since: int) -> list[str]:
        wanted = [*((kind, venue) for kind in KINDS for venue in VENUES), ("candle", "any")]
        return [f"{kind} of {venue}" for kind, venue in wanted if self.newest.get((kind, venue), 0) <= since]


def ready(copy) -> tuple[int, str]:
    answer = httpx.get(f"{copy.facts['api']['url']}/health/ready", timeout=5)
    return answer.status_code, answer.text


async def until(check, seconds, what):
    deadline = time.monotonic() + seconds
    while not (found := await asyncio.to_thread(check)):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        await asyncio.sleep(0.1)
    return found


@pytest.mark.parametrize("within", [AGAIN_SECONDS, pytest.param(FLOWING_WITHIN, marks=pytest.mark.long)])
async def test_everything_flows_again_after_a_full_disk_is_freed(tmp_path, within):
    with small_disk(tmp_path, 2500) as disk:
        copy = Copy(
            "demo",
            disk / "data",
            {"HYDROPHONE_STREAM_SCALE": "0.1", "HYDROPHONE_SIMULATOR_RATE": "1"},
            log=tmp_path / "demo.log",
        ).wait_ready()
        try:
            await full_and_freed(copy, disk, within)
        finally:
            copy.stop()


async def full_and_freed(copy, disk, within):
    flow = Flow()
    bus = await nats.connect(copy.facts["nats"]["url"], max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    await bus.subscribe(subjects.ALL_MARKET_DATA, cb=flow.on_message)
    began = time.time_ns()
    await until(lambda: not flow.missing(began), 60, lambda: flow.missing(began))
    filler = fill(disk)
    await until(lambda: ready(copy)[0] == 503, 20, lambda: ready(copy))
    assert "is full: make room" in copy.log.read_text()
    await asyncio.sleep(5)
    filler.unlink()
    freed = time.time_ns()
    slower = asyncio.create_task(measure_slowness())
    await until(lambda: not flow.missing(freed), 60, lambda: flow.missing(freed))
    flowing = (time.time_ns() - freed) / SECOND
    await until(lambda: ready(copy)[0] == 200, 60, lambda: ready(copy))
    answering = (time.time_ns() - freed) / SECOND
    await bus.close()
    print(f"\nall of {len(VENUES)} venues flow {flowing:.1f} s after the disk was freed, ready after {answering:.1f} s")
    assert max(flowing, answering) <= within + await slower
