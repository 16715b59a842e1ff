"""The clock: nanoseconds UTC, and a sleep that lets others run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from runtime import clock


def test_now_is_nanoseconds_since_1970_utc() -> None:
    before = datetime.now(UTC).timestamp()
    now = clock.now_ns()
    assert isinstance(now, int)
    assert before - 1 <= now / 1e9 <= datetime.now(UTC).timestamp() + 1


def test_monotonic_never_goes_back() -> None:
    assert clock.monotonic() <= clock.monotonic()


async def test_sleep_lets_other_tasks_run_and_takes_negative_as_zero() -> None:
    ran: list[str] = []

    async def other() -> None:
        ran.append("other")

    task = asyncio.create_task(other())
    await clock.sleep(-1)
    assert ran == ["other"]
    await task
