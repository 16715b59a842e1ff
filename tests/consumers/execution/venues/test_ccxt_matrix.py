"""The order-timeout matrix over HTTP and CCXT: one order for one intent, each execution once, no money lost."""

from __future__ import annotations

import random

import pytest

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


async def run_at_random(world: World, runs: int) -> int:
    """Play random courses with up to three faults each; return how many faults struck."""
    chance = random.Random(f"{world.name} 20261126")
    struck = 0
    for _ in range(runs):
        world.reset()
        for trouble in chance.sample(TROUBLES, chance.randint(1, 3)):
            trouble.order(world)
        check(await play(world, COURSES[chance.choice(list(COURSES))]))
        struck += sum(world.side.faults.done.values())
    return struck


async def test_several_faults_in_one_run_double_and_lose_nothing(world: World) -> None:
    assert await run_at_random(world, 12) > 6


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_several_faults_in_each_of_many_runs_double_and_lose_nothing(world: World) -> None:
    assert await run_at_random(world, MANY) > MANY / 2
