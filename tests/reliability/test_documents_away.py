"""The document server away for a minute, with jobs that need it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from contracts import streams
from contracts.streams import DurableSpec
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.store import Store
from tests.reliability.workers import bench

Note = Callable[[str, object], None]
JOBS = 40
AWAY_SECONDS = 60.0
MOST_TRIES = DurableSpec("", "", "").max_deliver  # of a durable that gives no other number


@pytest.mark.nats
@pytest.mark.long
@pytest.mark.timeout(400)
async def test_jobs_wait_for_the_documents_and_are_done_after(tmp_path: Path, record_property: Note) -> None:
    async with bench(tmp_path) as made:
        working = asyncio.create_task(made.work(0, 0.0))
        async with asyncio.timeout(60):
            while "ready" not in made.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await made.documents.child.kill()
        began = time.monotonic()
        await made.publish(JOBS)
        await asyncio.sleep(AWAY_SECONDS - (time.monotonic() - began))
        await made.documents.child.start(120)
        back = time.monotonic()
        async with asyncio.timeout(150):
            while await made.left():  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        drained = time.monotonic() - back
        letters = await read_past(made.bus, streams.DLQ, ("dlq.v1.effects.>",), ALL)
        working.cancel()
        await asyncio.wait({working})
        store = Store(made.documents.url)
        effects = await store.collection("effects").count_documents({})
        await store.close()
    tries: dict[str, list[float]] = defaultdict(list)
    for _, job, at in (line.split() for line in made.lines if line.startswith("try ")):
        tries[job].append(float(at))
    most = max(len(times) for times in tries.values())
    closest = min(later - earlier for times in tries.values() for earlier, later in pairwise(times))
    record_property(
        "figure",
        f"{effects} of {JOBS} done, {len(letters)} dead letters, attempts of a job at least {closest:.1f} s apart "
        f"and at most {most}, drained {drained:.0f} s after it was back",
    )
    assert (effects, letters) == (JOBS, [])
    assert most < MOST_TRIES, "jobs of other durables would have been dead letters"
    assert closest >= 1.0
    assert drained <= 60
