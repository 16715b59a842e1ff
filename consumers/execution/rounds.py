"""What execution does again and again while it acts: looks at the venues, rounds over orders, comparisons, audit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog
from nats.errors import Error as NatsError

from consumers.execution.publishing import BusPublisher
from consumers.execution.trading import Trading
from runtime import clock
from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.nats.audit import publish_audit
from runtime.store import StoreError

_log = structlog.get_logger("execution")
_END_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between looks at the venues, between rounds over orders, and between comparisons with the venues."""

    tick: float
    settle: float
    reconcile: float


class Rounds:
    """The rounds over every account that is open."""

    def __init__(self, service: Service, pace: Pace, trading: Trading) -> None:
        self._service, self._pace, self._trading = service, pace, trading

    async def run(self, *failing: asyncio.Future[None]) -> None:
        """Go round until the service is stopped; raises what the first of `failing` raises.

        A venue that is slow delays its own accounts only.
        """
        settle, reconcile, each = Every(self._pace.settle), Every(self._pace.reconcile), Each()
        try:
            async for _ in ticks(self._service.stop, self._pace.tick, *failing):
                at_work = self._trading.opened.list()
                for one in at_work:
                    await one.flush()
                if settle.is_due():
                    self._service.report("accounts", len(self._trading.opened))
                    for one in at_work:
                        each.begin(f"settle {one.account.id}", one.settle)
                    await self._publish()
                if reconcile.is_due():
                    for one in at_work:
                        each.begin(f"reconcile {one.account.id}", one.reconcile)
        finally:
            await each.end()

    async def _publish(self) -> None:
        """Publish what changed and what has tripped; what fails is done again."""
        try:
            await self._trading.permits.flush(BusPublisher(self._service.bus))
            await self._trading.keep_audit()
            for event in await self._trading.accounts.list_audit():
                await publish_audit(self._service.bus, event)
                await self._trading.accounts.published(event)
        except (NatsError, StoreError) as error:
            _log.warning("execution.publishing_behind", error=str(error) or type(error).__name__)


class Each:
    """Work that goes on beside the rounds, one of a name at a time."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin some work, unless that of its name goes on still; raises what has failed since the last call."""
        for known, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[known]
                task.result()
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(work())

    async def end(self) -> None:
        """Wait a little for what goes on, then break it off."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_END_SECONDS)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


class Every:
    """Says when something is due again: at once, then every so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, clock.monotonic()

    def is_due(self) -> bool:
        """Return whether it is due; where it is, it begins to wait again."""
        if clock.monotonic() < self._next:
            return False
        self._next = clock.monotonic() + self._seconds
        return True
