"""Every await of the executor, interrupted by every fault: one order, each fill once, nothing lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.consumers.execution.scenarios import FAULTS, SCENARIOS, Fault, Play, Scenario, check
from tests.consumers.execution.stage import Stepper

SEEDS = 400
MANY_SEEDS = 100_000


class Striker:
    """Lets faults strike at awaits that are named by their numbers."""

    def __init__(self, strikes: dict[int, Fault]) -> None:
        self.strikes, self.struck = strikes, 0
        self.play: Play | None = None

    def __call__(self, number: int, place: str) -> BaseException | None:
        fault = self.strikes.get(number)
        if fault is None or self.play is None or not place.startswith(fault.places):
            return None
        self.struck += 1
        return fault.strike(self.play)


def played(scenario: Scenario, strikes: dict[int, Fault]) -> Striker:
    striker = Striker(strikes)
    stepper = Stepper(striker)
    play = Play(scenario.make(), stepper)
    striker.play = play
    scenario.steps(play)
    play.rest()
    check(play)
    return striker


@cache
def awaits(scenario: Scenario) -> int:
    """How many awaits the scenario has before its rest, with nothing interrupted."""
    stepper = Stepper()
    scenario.steps(Play(scenario.make(), stepper))
    return len(stepper.places)


def cases(scenario: Scenario) -> Iterator[tuple[int, Fault]]:
    return ((number, fault) for number in range(awaits(scenario)) for fault in FAULTS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_without_a_fault_it_ends_as_the_venue_says(scenario: Scenario) -> None:
    played(scenario, {})


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_a_fault_at_any_await_doubles_and_loses_nothing(
    scenario: Scenario, record_property: Callable[[str, object], None]
) -> None:
    struck = sum(played(scenario, {number: fault}).struck for number, fault in cases(scenario))
    record_property("interruptions", struck)
    print(f"{scenario.name}: {awaits(scenario)} awaits, {struck} interruptions")
    assert struck >= 3 * awaits(scenario)  # a crash, an end and a takeover at each


def strike_at_random(seeds: int) -> int:
    chance = random.Random(20261126)
    struck = 0
    for _ in range(seeds):
        scenario = chance.choice(SCENARIOS)
        numbers = chance.sample(range(awaits(scenario) + 30), chance.randint(2, 6))
        struck += played(scenario, {number: chance.choice(FAULTS) for number in numbers}).struck
    return struck


def test_several_faults_in_one_run_double_and_lose_nothing() -> None:
    assert strike_at_random(SEEDS) > SEEDS / 2


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_several_faults_in_each_of_many_runs_double_and_lose_nothing() -> None:
    assert strike_at_random(MANY_SEEDS) > MANY_SEEDS / 2
