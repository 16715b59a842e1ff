"""Seeded runs over the adapters: one order of one account, several faults, and its end held to what is promised."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.consumers.execution.seeded import paper_world
from tests.consumers.execution.venues.indodax_world import IndodaxWorld, opened_indodax
from tests.consumers.execution.venues.matrix import COURSES, TROUBLES, check, play
from tests.consumers.execution.venues.world import World, opened

SHARES: Final = {"paper": 0.4, "binance": 0.2, "bybit": 0.2, "indodax": 0.2}
MOST_FAULTS: Final = 3
Run = Callable[[int], Awaitable[int]]


@dataclass
class Counted:
    """What some runs came to: how many faults struck, and the seeds whose end was not as promised, with the reason."""

    runs: int = 0
    struck: int = 0
    failed: dict[int, str] = field(default_factory=dict[int, str])
    cpu: float = 0.0

    def add(self, more: Counted) -> None:
        """Add what other runs came to."""
        self.runs, self.struck, self.cpu = self.runs + more.runs, self.struck + more.struck, self.cpu + more.cpu
        self.failed |= more.failed


async def play_at(world: World, seed: int) -> int:
    """Play one seeded course at an exchange with up to three faults; return how many struck. AssertionError."""
    chance = random.Random(f"{world.name} {seed}")
    world.reset()
    for trouble in chance.sample(TROUBLES, chance.randint(1, MOST_FAULTS)):
        trouble.order(world)
    check(await play(world, COURSES[chance.choice(list(COURSES))]))
    if isinstance(world, IndodaxWorld):
        assert "nonce_errors" not in world.account.memory
    return sum(world.side.faults.done.values())


@asynccontextmanager
async def opened_runs(name: str) -> AsyncGenerator[Run]:
    """Give what plays one seed at a venue: on paper in memory, at an exchange over HTTP."""
    if name == "paper":
        yield paper_world.play
        return
    async with opened_indodax() if name == "indodax" else opened(name) as world:

        async def run(seed: int) -> int:
            return await play_at(world, seed)

        yield run


async def count(run: Run, seeds: Iterable[int], until: float | None = None) -> Counted:
    """Play seeds, to the end whatever fails; those that are left at `until` (monotonic seconds) are not played."""
    counted, began = Counted(), time.process_time()
    for seed in seeds:
        if until is not None and time.monotonic() >= until:
            break
        counted.runs += 1
        try:
            counted.struck += await run(seed)
        except Exception as error:  # noqa: BLE001  # a run that fails is named by its seed, and the others go on
            place = traceback.extract_tb(error.__traceback__)[-1]
            counted.failed[seed] = f"{place.name}: {place.line} {type(error).__name__} {str(error)[:200]}"
    counted.cpu = time.process_time() - began
    return counted
