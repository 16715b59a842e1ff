"""Tasks end, also where what they wait for keeps a cancellation to itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime import tasks
from runtime.tasks import end_tasks


async def test_tasks_are_cancelled_and_waited_for_however_they_end() -> None:
    tidied: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            tidied.append("done")

    async def fail() -> None:
        raise ValueError("no")

    begun: list[asyncio.Task[Any]] = [asyncio.create_task(tidy()), asyncio.create_task(fail())]
    await asyncio.sleep(0)
    await end_tasks(begun)
    assert all(task.done() for task in begun)
    assert tidied == ["done"]
    with pytest.raises(ValueError, match="no"):
        begun[1].result()


async def test_a_cancellation_that_was_swallowed_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_AGAIN_SECONDS", 0.01)
    swallowed: list[str] = []

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append("once")

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks([task])
    assert task.cancelled()
    assert swallowed == ["once"]
