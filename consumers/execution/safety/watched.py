"""A venue as an executor meets it: what fails there is counted, and what may be open is remembered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from consumers.execution.account import Account
from consumers.execution.ports import UnclearError, Venue
from consumers.execution.safety.breaker import Breaker
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import FINAL, Order, Report


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of cancelling what is remembered: the orders' ids by whether the venue confirmed that they ended."""

    confirmed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class WatchedVenue:
    """Passes an executor's requests on to the venue of an account."""

    def __init__(self, venue: Venue, account: Account, breaker: Breaker) -> None:
        self._venue, self._account, self._breaker = venue, account, breaker
        self._live: dict[str, Order] = {}

    @property
    def live(self) -> list[Order]:
        """The orders that may be open at the venue, as far as is known here."""
        return list(self._live.values())

    async def place(self, order: Order) -> Report:
        """Send an order; as the venue does."""
        self._live[order.client_id] = order  # from before it is there until it is known to have ended
        async with self._counted(order.strategy, placed=True):
            try:
                report = await self._venue.place(order)
            except OrderRefusedError:
                self._live.pop(order.client_id, None)
                raise
        return self._noted(order, report)

    async def find(self, order: Order) -> Report | None:
        """Look for an order; as the venue does."""
        async with self._counted(order.strategy):
            report = await self._venue.find(order)
        return None if report is None else self._noted(order, report)

    async def cancel(self, order: Order) -> Report | None:
        """Cancel an order; as the venue does."""
        async with self._counted(order.strategy):
            report = await self._venue.cancel(order)
        return None if report is None else self._noted(order, report)

    async def list_open(self) -> Sequence[Report]:
        """Return what is open; as the venue does."""
        async with self._counted(None):
            return await self._venue.list_open()

    async def cancel_live(self) -> Cancelled:
        """Cancel what is remembered, past the journal, which receives that when the venue is asked again."""
        confirmed: list[str] = []
        waiting: list[str] = []
        for order in self.live:
            try:
                report = await self.cancel(order)
            except (OrderRefusedError, UnclearError):  # it may have ended meanwhile: the journal's owner looks for it
                report = None
            ended = report is not None and report.status in FINAL
            (confirmed if ended else waiting).append(order.id)
        return Cancelled(tuple(confirmed), tuple(waiting))

    def _noted(self, order: Order, report: Report) -> Report:
        if report.status in FINAL:
            self._live.pop(order.client_id, None)
        else:
            self._live[order.client_id] = replace(order, venue_order_id=report.venue_order_id)
        return report

    @asynccontextmanager
    async def _counted(self, strategy: str | None, *, placed: bool = False) -> AsyncGenerator[None]:
        try:
            yield
        except UnclearError as error:
            self._breaker.on_error(self._account, strategy, str(error))
            raise
        except OrderRefusedError as error:
            self._breaker.on_success(self._account, None, placed=False)
            if placed:
                self._breaker.on_error(self._account, strategy, str(error), at_venue=False)
            raise
        self._breaker.on_success(self._account, strategy, placed=placed)
