"""Several faults in each of many seeded runs on paper: one order, each execution once, the money exact."""

from __future__ import annotations

import pytest

from tests.consumers.execution.seeded.paper_world import PaperWorld, check, play
from tests.consumers.execution.seeded.runs import SHARES, count

FEW, MANY = 300, 100_000
CASES = {
    194: "an order of the process before reached the paper account after it was taken over, and nobody followed it",
}


@pytest.mark.parametrize("seed", CASES)
async def test_what_has_failed_once_holds(seed: int) -> None:
    await play(seed)


async def test_several_faults_in_one_run_double_and_lose_nothing() -> None:
    counted = await count(play, range(FEW))
    assert (counted.runs, counted.failed) == (FEW, {})
    assert counted.struck > FEW / 2


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_several_faults_in_each_of_many_runs_double_and_lose_nothing() -> None:
    counted = await count(play, range(MANY))
    assert (counted.runs, counted.failed) == (MANY, {})
    assert counted.struck > MANY / 2


async def test_a_run_whose_end_is_not_as_promised_is_named_by_its_seed() -> None:
    async def lose(seed: int) -> int:
        world = PaperWorld()
        await world.submit()
        await world.trade(3)
        await world.later(5)
        for document in world.documents.collection("trading_orders").documents.values():
            document["fills"] = document["fills"] if seed else []
        check(world)
        return world.struck

    counted = await count(lose, range(3))
    assert (counted.runs, list(counted.failed)) == (3, [0])
    assert sum(SHARES.values()) == pytest.approx(1)
