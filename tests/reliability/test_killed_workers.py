"""Four workers, killed again and again between an effect and its acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.store import Store
from tests.reliability.workers import bench

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.nats, pytest.mark.long, pytest.mark.timeout(600)]
JOBS_A_KILL = 8
WORKERS = 4


@pytest.mark.parametrize(
    "kills",
    [
        4,
        50,
    ],
)
async def test_each_job_has_one_effect_however_often_its_worker_is_killed(
    tmp_path: Path, record_property: Note, kills: int
) -> None:
    jobs = kills * JOBS_A_KILL
    async with bench(tmp_path) as made:

        def died() -> int:
            return made.lines.count("dies")

        async def keep(number: int) -> None:
            seed = number
            while True:
                await made.work(seed, 0.3 if died() < kills else 0.0)
                seed += WORKERS

        await made.publish(jobs)
        working = [asyncio.create_task(keep(number)) for number in range(WORKERS)]
        async with asyncio.timeout(550):
            while await made.left():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        for task in working:
            task.cancel()
        await asyncio.wait(working)
        store = Store(made.documents.url)
        effects = await store.collection("effects").count_documents({})
        await store.close()
    tries = sum(line.startswith("try ") for line in made.lines)
    record_property("figure", f"{jobs} jobs, {died()} kills after the effect, {tries} tries: {effects} effects")
    assert effects == jobs
    assert died() >= min(kills, 2)
    assert tries >= jobs + died()
