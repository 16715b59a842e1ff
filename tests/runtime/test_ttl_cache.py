"""Values kept by class: one call of many, expiry, bounds, and drops that what is under way does not undo."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from contracts.services.cache import ANALYTICS, CLASS_SECONDS, DEFAULT, MARKET
from runtime import clock
from runtime.clients.ttl_cache import TtlCache


class Source:
    """Counts what is fetched; waits while it is held."""

    def __init__(self) -> None:
        self.fetched = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self) -> int:
        self.fetched += 1
        number = self.fetched
        await self.go.wait()
        return number


def named(wanted: str) -> Callable[[Iterable[str]], bool]:
    return lambda names: wanted in names


async def dropped(cache: TtlCache, key: str) -> int:
    await asyncio.sleep(0)
    return cache.drop(named(key), lambda name: (name,))


@pytest.mark.parametrize(("key", "seconds"), [("analytics.stats.24", 60.0), ("market.a", 30.0), ("other.a", 7.0)])
async def test_a_value_is_kept_for_the_seconds_of_its_class(
    monkeypatch: pytest.MonkeyPatch, key: str, seconds: float
) -> None:
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    cache, source = TtlCache(default_seconds=7.0), Source()
    assert [await cache.get(key, source) for _ in range(3)] == [1, 1, 1]
    now += seconds - 0.01
    assert await cache.get(key, source) == 1
    now += 0.02
    assert await cache.get(key, source) == 2
    assert (cache.hits, cache.misses) == (3, 2)


async def test_concurrent_misses_are_one_call_and_count_once() -> None:
    cache, source = TtlCache(), Source()
    assert await asyncio.gather(*(cache.get("market.a", source) for _ in range(20))) == [1] * 20
    found = cache.figures()
    assert (found[MARKET].entries, found[MARKET].hits, found[MARKET].misses) == (1, 19, 1)
    assert set(found) == {MARKET}


async def test_what_is_dropped_is_fetched_again_and_what_was_under_way_is_not_kept() -> None:
    cache, source = TtlCache(), Source()
    await cache.get("market.a", source)
    await cache.get("market.b", source)
    assert await dropped(cache, "market.a") == 1
    assert await cache.get("market.a", source) == 3
    assert await cache.get("market.b", source) == 2

    await dropped(cache, "market.a")
    source.go.clear()
    early = asyncio.ensure_future(cache.get("market.a", source))
    assert await dropped(cache, "market.a") == 0
    late = asyncio.ensure_future(cache.get("market.a", source))
    await asyncio.sleep(0)
    source.go.set()
    assert (await early, await late) == (4, 5)
    assert await cache.get("market.a", source) == 5


async def test_a_failure_is_raised_to_all_and_not_kept() -> None:
    cache, calls = TtlCache(), 0

    async def fail() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        raise RuntimeError("no")

    failed = await asyncio.gather(*(cache.get("market.a", fail) for _ in range(3)), return_exceptions=True)
    assert ([type(error) for error in failed], calls) == ([RuntimeError] * 3, 1)
    assert await cache.get("market.a", Source()) == 1


async def test_closing_ends_what_is_under_way_dropped_or_not() -> None:
    cache, source = TtlCache(), Source()
    source.go.clear()
    waiting: list[Awaitable[int]] = [asyncio.ensure_future(cache.get(key, source)) for key in ("market.a", "market.b")]
    await dropped(cache, "market.a")
    await cache.close()
    assert [type(error) for error in await asyncio.gather(*waiting, return_exceptions=True)] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
    ]


def test_the_classes_keep_what_the_service_promises() -> None:
    assert CLASS_SECONDS["live"] <= 0.25
    assert 30 <= CLASS_SECONDS[MARKET] <= 60
    assert 10 <= CLASS_SECONDS["multi"] <= 30
    assert (CLASS_SECONDS[ANALYTICS], CLASS_SECONDS["static"]) == (60, 3600)
    assert DEFAULT not in CLASS_SECONDS
