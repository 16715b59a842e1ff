"""What execution does again and again while it acts: looks at the venues, rounds over orders, comparisons, audit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

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
        """Go round until the service is stopped; raises what the first of `failing` raises."""
        settle, reconcile = Every(self._pace.settle), Every(self._pace.reconcile)
        async for _ in ticks(self._service.stop, self._pace.tick, *failing):
            at_work = self._trading.opened.list()
            for one in at_work:
                await one.flush()
            if settle.is_due():
                self._service.report("accounts", len(self._trading.opened))
                await asyncio.gather(*(one.settle() for one in at_work), self._publish())
            if reconcile.is_due():
                await asyncio.gather(*(one.reconcile() for one in at_work))

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
