"""REST budgets: kept within a process, shared over the bus by all processes, stopped for all when the venue says so."""

from __future__ import annotations

import asyncio
import time

import pytest

from contracts import streams, subjects
from contracts.streams import BucketSpec, StreamSpec
from producers.registry import VENUES
from producers.rest.budget import Budget
from producers.rest.rate_limit import LocalRateLimit, SharedRateLimit
from producers.venue import RestBudget
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.counter import add
from runtime.provision import Plan, apply
from runtime.servers.embedded import nats_server

SPEC = next(spec for spec in streams.STREAMS if spec.name == streams.BUDGETS)
BUCKET = next(spec for spec in streams.BUCKETS if spec.name == streams.PAUSES)


def test_budget_lets_through_what_the_window_holds_and_then_waits():
    budget = Budget(RestBudget(10, 60), share=1.0)
    for now in range(10):
        assert budget.wait_for(1, now=now) == 0
        budget.spend(1, now=now)
    assert budget.wait_for(1, now=10) == pytest.approx(50)
    assert budget.wait_for(1, now=60) == 0


def test_what_was_spent_is_kept_well_beyond_the_longest_window():
    longest = max(venue.rest.budget.seconds for venue in VENUES.values())
    assert SPEC.max_age >= 5 * longest, "clocks of machines differ"


def test_call_heavier_than_the_budget_still_gets_its_turn():
    assert Budget(RestBudget(10, 60), share=1.0).wait_for(50, now=0) == 0


def test_pause_stops_everything_for_its_time():
    budget = Budget(RestBudget(10, 60))
    budget.pause(30, now=0)
    assert budget.wait_for(1, now=10) == 20
    assert budget.wait_for(1, now=30) == 0


async def test_local_turns_wait_for_the_pause():
    rate_limit = LocalRateLimit(RestBudget(100, 1))
    await rate_limit.pause(0.3)
    began = time.monotonic()
    await rate_limit.wait(1)
    assert time.monotonic() - began >= 0.25


async def test_calls_a_minute_are_limited_whatever_their_weight():
    rate_limit = LocalRateLimit(RestBudget(1000, 60), requests=3)
    for _ in range(3):
        await rate_limit.wait(1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rate_limit.wait(1), 0.2)


@pytest.mark.nats
async def test_processes_share_one_budget_and_one_pause(tmp_path):
    async with nats_server(tmp_path) as server:
        one, two = [await Bus(BusOptions(servers=(server.url,), name=name)).connect() for name in ("one", "two")]
        await apply(one, Plan(streams=(SPEC,), buckets=(BUCKET,), durables=(), synced=True))
        assert isinstance(SPEC, StreamSpec)
        assert isinstance(BUCKET, BucketSpec)
        subject = f"{subjects.BUDGET}test.1"
        assert [await add(bus, subject, amount) for bus, amount in ((one, 3), (two, 4), (one, 5))] == [3, 7, 12]

        limit = RestBudget(10, 2.0)
        rate_limit = [SharedRateLimit(bus, "okx", limit) for bus in (one, two)]
        window = time.time_ns() // int(2e9)
        await asyncio.sleep((window + 1) * 2.0 - time.time() + 0.01)
        began = time.monotonic()
        await asyncio.gather(*(rate_limit[number % 2].wait(1) for number in range(8)))
        assert time.monotonic() - began < 1.5, "eight of ten (a fifth is kept in reserve) go at once"
        await rate_limit[0].wait(1)
        assert time.time_ns() // int(2e9) > window + 1, "the ninth waits for the next window"

        await rate_limit[0].pause(0.8)
        began = time.monotonic()
        await rate_limit[1].wait(1)
        assert time.monotonic() - began >= 0.7, "the other process heeds the pause"
        for bus in (one, two):
            await bus.close()
