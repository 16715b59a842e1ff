"""The rounds of execution: a venue that does not answer delays nobody else."""

from __future__ import annotations

import asyncio

import pytest

from consumers.execution.rounds import Each


async def test_work_that_hangs_is_not_begun_again_and_delays_no_other() -> None:
    each, begun = Each(), list[str]()

    async def hang() -> None:
        begun.append("slow")
        await asyncio.Event().wait()

    async def work() -> None:
        begun.append("quick")

    for _ in range(3):
        each.begin("slow", hang)
        each.begin("quick", work)
        await asyncio.sleep(0)
    assert begun == ["slow", "quick", "quick", "quick"]
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def test_what_fails_is_raised_by_the_next_round() -> None:
    each = Each()

    async def fail() -> None:
        raise RuntimeError("broken")

    each.begin("one", fail)
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="broken"):
        each.begin("two", fail)
    await each.end()
