"""Stops an owner's trading and cancels orders: by the journal, and past it where documents are away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from consumers.execution.account import describe
from consumers.execution.opened import Opened
from consumers.execution.ports import UnclearError
from consumers.execution.safety.heartbeat import DeadMansSwitch
from consumers.execution.trading import Trading
from contracts.errors import NotReadyError
from contracts.services.trading.accounts import Kill, Killed
from contracts.services.trading.orders import CancelOrder, OrderInfo
from runtime import clock
from runtime.store import StoreError
from runtime.trading import order as steps
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Order


class Stopping:
    """Kills and cancels. What documents cannot say is taken from what this process remembers of the venues."""

    def __init__(self, trading: Trading, switch: DeadMansSwitch, opened: Callable[[], Sequence[Opened]]) -> None:
        self._trading, self._switch, self._opened = trading, switch, opened

    async def kill(self, request: Kill) -> Killed:
        """Stop an owner's trading from now on, and cancel all that is open."""
        trading, now_ns = self._trading, clock.now_ns()
        trading.permits.switches.halt_here(request.owner, now_ns)
        if self._switch.reached:
            try:
                await trading.audit("kill", request.owner, request.caller)
                await trading.permits.switches.flush()
                return await trading.cancel_all(request.owner)
            except StoreError:
                pass  # what was not cancelled by the journal is cancelled past it
        trading.audit_later("kill", request.owner, request.caller)
        done = await asyncio.gather(*(one.watched.cancel_live() for one in self._of(request.owner)))
        return Killed(
            cancelled=[order for one in done for order in one.confirmed],
            waiting=[order for one in done for order in one.waiting],
        )

    async def cancel_order(self, request: CancelOrder) -> OrderInfo:
        """Cancel an order as far as can be said now; NotReadyError where nothing is known of it without documents."""
        if self._switch.reached:
            try:
                return await self._trading.cancel_order(request)
            except StoreError:
                pass
        for one in self._of(request.owner):
            for order in one.watched.live:
                if order.id == request.id:
                    return describe(await _cancel(one, order), one.account.name)
        raise NotReadyError(
            "The documents are away, and the order is not known without them", waiting_for=["documents"]
        )

    def _of(self, owner: str) -> list[Opened]:
        return [one for one in self._opened() if one.account.owner == owner]


async def _cancel(one: Opened, order: Order) -> Order:
    """Return the order as the venue reports it after a cancel; as it was without a clear answer."""
    try:
        report = await one.watched.cancel(order)
    except (OrderRefusedError, UnclearError):
        report = None
    return order if report is None else steps.on_report(order, report, clock.now_ns())
