"""Looks after what is needed to act, and cancels what is open where it cannot be reached for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from nats.errors import Error as NatsError

from consumers.execution.opened import Opened
from consumers.execution.ports import CountsDown, UnclearError
from consumers.execution.safety.breaker import Breaker
from consumers.execution.safety.core import Heartbeat, Scope
from contracts.errors import InvalidParameterError
from runtime import clock
from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.leases.lease import find_grant
from runtime.nats.streams.api import ApiRefusalError
from runtime.store import Store, StoreError

_log = structlog.get_logger("execution")
BEAT_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 3.0
_COUNTDOWN_BEATS: Final = 3  # a venue receives so many requests of ours before its own countdown ends


class DeadMansSwitch:
    """Cancels what is open once nothing was reached for `seconds`, past the journal; `opened()` are the accounts.

    A venue that counts down by itself receives requests while all is well, and cancels by itself where it does not.
    """

    def __init__(self, store: Store, breaker: Breaker, opened: Callable[[], Sequence[Opened]], seconds: float) -> None:
        self._store, self._breaker, self._opened, self._seconds = store, breaker, opened, seconds
        self._counting: dict[str, set[str]] = {}  # symbols that a venue counts down for, by account
        self.reached = True  # whether documents answered when they were looked at last

    async def run(self, stop: asyncio.Event) -> None:
        """Look at the documents until stopped."""
        heartbeat = Heartbeat(self._seconds)
        beaten_at = clock.monotonic() - self._seconds
        async for _ in ticks(stop, min(BEAT_SECONDS, self._seconds / 3)):
            self.reached = await self._has_documents()
            if heartbeat.note(clock.monotonic(), reached=self.reached):
                await self.cancel("documents were not reached")
            if self.reached and clock.monotonic() - beaten_at >= self._seconds / _COUNTDOWN_BEATS:
                beaten_at = clock.monotonic()
                await self._count_down()

    async def outlive(self, service: Service, lease: str) -> None:
        """After the lease was lost, return once the bus answers, or cancel what is open where it does not in time."""
        heartbeat = Heartbeat(self._seconds)
        while not service.stop.is_set() and not await _has_bus(service.bus, lease):
            if heartbeat.note(clock.monotonic(), reached=False):
                await self.cancel("the bus was not reached")
                return
            await clock.sleep(min(BEAT_SECONDS, self._seconds / 3))

    async def cancel(self, reason: str) -> None:
        """Cancel what may be open in every account, and say so to its owner when that can be said."""
        for one in self._opened():
            if not one.watched.live:
                continue
            done = await one.watched.cancel_live()
            _log.error("execution.heartbeat_lost", account=one.account.id, cancelled=len(done.confirmed))
            scope = Scope(one.account.owner, "heartbeat", one.account.id)
            self._breaker.trip(scope, one.account, errors=0, reason=f"{reason} for {self._seconds:g} s")

    async def _count_down(self) -> None:
        for one in self._opened():
            venue = one.venue
            if not isinstance(venue, CountsDown):
                continue
            symbols = {order.symbol for order in one.watched.live}
            ended = self._counting.get(one.account.id, set()) - symbols
            try:
                if ended:  # else it would cancel what comes next there
                    await venue.count_down(sorted(ended), 0)
                if symbols:
                    await venue.count_down(sorted(symbols), self._seconds * 2)
            except (UnclearError, InvalidParameterError) as error:
                _log.warning("execution.countdown_failed", account=one.account.id, error=str(error))
                symbols |= ended
            self._counting[one.account.id] = symbols

    async def _has_documents(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._store.ping()
        except (StoreError, TimeoutError):
            return False
        return True


async def _has_bus(bus: Bus, lease: str) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await find_grant(bus, lease)
    except (NatsError, NoAnswerError, ApiRefusalError, TimeoutError):
        return False
    return True
