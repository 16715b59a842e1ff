"""The order-timeout matrix over real HTTP and Indodax: one order for one intent, each execution once, no money lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import pytest
import pytest_asyncio

from runtime.trading.order import Order, Report
from tests.consumers.execution.seeded.runs import count, play_at
from tests.consumers.execution.stage import intent
from tests.consumers.execution.venues.indodax_world import IndodaxWorld, opened_indodax
from tests.consumers.execution.venues.matrix import AMOUNT, COURSES, TROUBLES, Play, Trouble, check, play
from tests.consumers.execution.venues.world import executor

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = 2500


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncGenerator[IndodaxWorld]:
    """Indodax on loopback."""
    async with opened_indodax() as world:
        yield world


@pytest.fixture
def world(served: IndodaxWorld) -> IndodaxWorld:
    """Indodax with a new account."""
    served.reset()
    return served


@pytest.mark.parametrize("course", COURSES)
async def test_whatever_is_lost_there_is_one_order_and_its_money(world: IndodaxWorld, course: str) -> None:
    """Every third trouble: all of them over all courses are in the long run."""
    check(await play(world, COURSES[course]))
    for trouble in TROUBLES[list(COURSES).index(course) % 3 :: 3]:
        await run_with(world, course, trouble)


@pytest.mark.long
@pytest.mark.parametrize("course", COURSES)
async def test_each_fault_in_each_course_doubles_and_loses_nothing(world: IndodaxWorld, course: str) -> None:
    for trouble in TROUBLES:
        await run_with(world, course, trouble)


async def run_with(world: IndodaxWorld, course: str, trouble: Trouble) -> None:
    world.reset()
    trouble.order(world)
    check(await play(world, COURSES[course]))
    assert "nonce_errors" not in world.account.memory


async def test_several_faults_in_one_run_double_and_lose_nothing(world: IndodaxWorld) -> None:
    counted = await count(partial(play_at, world), range(8))
    assert (counted.runs, counted.failed) == (8, {})
    assert counted.struck > 4


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_several_faults_in_each_of_many_runs_double_and_lose_nothing(world: IndodaxWorld) -> None:
    counted = await count(partial(play_at, world), range(MANY))
    assert (counted.runs, counted.failed) == (MANY, {})
    assert counted.struck > MANY / 2


class Paused:
    """An account whose process stands still when it is about to send an order, until it is let go on."""

    def __init__(self, world: IndodaxWorld) -> None:
        self._venue = world.venue()
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._venue, name)

    async def place(self, order: Order) -> Report:
        self.reached.set()
        await self.go_on.wait()
        return await self._venue.place(order)


@pytest.mark.parametrize("seconds", [(0,), (0, 1), (0, 1, 3, 10, 30), (0, 1, 3, 10, 30, 60)])
async def test_a_paused_leader_and_its_successor_send_one_order(world: IndodaxWorld, seconds: tuple[int, ...]) -> None:
    """The first stands still at its request while the second takes over and goes on for so long; then it sends."""
    one = Play(world)
    paused = Paused(world)
    first = executor(world, paused)  # type: ignore[arg-type]  # it has everything of an account
    order = intent(symbol=world.symbol, price=world.low, amount=AMOUNT, created_ns=world.stage.now)
    sending = asyncio.create_task(first.submit(order))
    await paused.reached.wait()
    one.restart()
    for pause in seconds:
        await one.later(pause)
    assert world.orders() == []
    paused.go_on.set()
    await asyncio.gather(sending, return_exceptions=True)
    one.cancel_wanted = True
    await one.executor.cancel(order.id)
    await one.rest()
    check(one)
    assert len(world.orders()) == 1
    assert {"nonce_errors", "timestamp_errors"}.isdisjoint(world.account.memory)
