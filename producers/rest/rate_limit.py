"""A venue's REST rate limit: of this process alone, or shared by all processes on the bus."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError

from contracts import streams, subjects
from contracts.instrument import escape_token
from producers.rest.budget import Budget
from producers.venue import RestBudget
from runtime import clock
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.counter import add

_log = structlog.get_logger("rest")
MINUTE: Final = 60.0
SECOND_NS: Final = 1_000_000_000
SHARE: Final = 0.8  # of a venue's budget: its own count may differ a little from ours


class RateLimit(Protocol):
    """When calls of one venue may be made."""

    async def wait(self, weight: int) -> None:
        """Wait until a call of this weight may be made; it counts as made."""
        ...

    async def pause(self, seconds: float) -> None:
        """Make no call for so long, as the venue demanded."""
        ...


class LocalRateLimit:
    """The budget of one process alone; `requests` limits the calls a minute besides, whatever their weight."""

    def __init__(self, limit: RestBudget, requests: int | None = None) -> None:
        self._budget = Budget(limit, share=SHARE)
        self._requests = None if requests is None else Budget(RestBudget(requests, MINUTE), share=1.0)
        self._lock = asyncio.Lock()

    async def wait(self, weight: int) -> None:
        """Wait for the own budget."""
        async with self._lock:
            while (seconds := self._seconds_for(weight)) > 0:
                await clock.sleep(seconds)
            now = clock.monotonic()
            self._budget.spend(weight, now=now)
            if self._requests is not None:
                self._requests.spend(1, now=now)

    async def pause(self, seconds: float) -> None:
        """Stop the calls of this process."""
        self._budget.pause(seconds, now=clock.monotonic())

    def _seconds_for(self, weight: int) -> float:
        now = clock.monotonic()
        seconds = self._budget.wait_for(weight, now=now)
        return seconds if self._requests is None else max(seconds, self._requests.wait_for(1, now=now))


class SharedRateLimit:
    """One budget for all processes: a counter on the bus for each window, and a pause that all of them heed.

    Where the bus does not answer, each process keeps to the budget by itself, and logs that.
    """

    def __init__(self, bus: Bus, venue: str, limit: RestBudget, requests: int | None = None) -> None:
        self._bus = bus
        self._venue = escape_token(venue)
        self._limit = limit
        self._local = LocalRateLimit(limit, requests)

    async def wait(self, weight: int) -> None:
        """Wait for the own budget, for the pause of the venue, and for the budget of all."""
        while True:
            await self._local.wait(weight)
            try:
                seconds = await self._paused_for() or await self._spend(weight)
            except (NatsError, NoAnswerError) as error:
                _log.warning("rest.budget_alone", venue=self._venue, error=str(error) or type(error).__name__)
                return
            if seconds <= 0:
                return
            await clock.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        """Stop the calls of all processes."""
        await self._local.pause(seconds)
        until = clock.now_ns() + int(seconds * SECOND_NS)
        try:
            bucket = await self._bus.jetstream(timeout=2.0).key_value(streams.PAUSES)
            await bucket.put(self._venue, str(until).encode())
        except NatsError as error:
            _log.warning("rest.pause_alone", venue=self._venue, error=str(error) or type(error).__name__)

    async def _paused_for(self) -> float:
        try:
            bucket = await self._bus.jetstream(timeout=2.0).key_value(streams.PAUSES)
            entry = await bucket.get(self._venue)
        except KeyNotFoundError:
            return 0.0
        return max(0.0, (int(entry.value or b"0") - clock.now_ns()) / SECOND_NS)

    async def _spend(self, weight: int) -> float:
        """Count the call in this window; returns the seconds to its end where the budget is spent."""
        window_ns = int(self._limit.seconds * SECOND_NS)
        window, into = divmod(clock.now_ns(), window_ns)
        total = await add(self._bus, f"{subjects.BUDGET}{self._venue}.{window}", weight)
        if total <= max(weight, self._limit.weight * SHARE):
            return 0.0
        return (window_ns - into) / SECOND_NS
