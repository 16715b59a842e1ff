"""The order-timeout matrix over HTTP and CCXT: one order for one intent, each execution once, no money lost."""

from __future__ import annotations

from functools import partial

import pytest

from tests.consumers.execution.seeded.runs import count, play_at
from tests.consumers.execution.venues.matrix import COURSES, TROUBLES, check, play
from tests.consumers.execution.venues.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = 1500


@pytest.mark.parametrize("course", COURSES)
async def test_whatever_is_lost_there_is_one_order_and_its_money(world: World, course: str) -> None:
    check(await play(world, COURSES[course]))
    for trouble in TROUBLES:
        world.reset()
        trouble.order(world)
        check(await play(world, COURSES[course]))


async def test_several_faults_in_one_run_double_and_lose_nothing(world: World) -> None:
    counted = await count(partial(play_at, world), range(12))
    assert (counted.runs, counted.failed) == (12, {})
    assert counted.struck > 6


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_several_faults_in_each_of_many_runs_double_and_lose_nothing(world: World) -> None:
    counted = await count(partial(play_at, world), range(MANY))
    assert (counted.runs, counted.failed) == (MANY, {})
    assert counted.struck > MANY / 2
