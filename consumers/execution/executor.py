"""Takes orders through their steps, each written down before it is done; after a crash it goes on from what is written.

One executor acts for an account. Two that both believe so (one was paused) cannot both send an order: the step is
written against the version that was read, and who holds the account no longer does not send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from consumers.execution.ports import ChangedElsewhereError, NotAllowedError, Ports, UnclearError
from contracts.services.trading.refusals import refusal
from runtime.trading import order as steps
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Order, Report, next_step

_MOST_STEPS = 16  # of one order at a time: what goes on longer waits for the next round


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a comparison with the venue found: orders of ours that were put right, and reports of what is nobody's."""

    mended: tuple[Order, ...]
    foreign: tuple[Report, ...]


class Executor:
    """The orders of one account."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def submit(self, order: Order) -> Order:
        """Write an intent down and go as far with it as can be gone now; one with a known client id is that one."""
        return await self._drive(await self._ports.journal.insert(order))

    async def cancel(self, order_id: str) -> Order | None:
        """Cancel an order as far as can be said now; None where there is none."""
        order = await self._ports.journal.find(order_id)
        if order is None:
            return None
        async with self._lock(order.id):
            order = await self._ports.journal.find(order_id) or order
            wanted = await self._save(steps.on_cancel_wanted(order, self._ports.now()), order)
            return await self._go_on(wanted)

    async def take(self, report: Report) -> Order | None:
        """Take what the venue says by itself of an order; None where the order is not ours."""
        order = None if report.client_id is None else await self._ports.journal.find_client_id(report.client_id)
        if order is None:
            return None
        async with self._lock(order.id):
            kept = await self._ports.journal.find(order.id) or order
            if kept.status == "intended":  # nothing was sent: it is not about this one
                return kept
            return await self._go_on(await self._save(steps.on_report(kept, report, self._ports.now()), kept))

    async def settle(self) -> Sequence[Order]:
        """Go on with every order that is not finished, as after a restart; returns them as they are now."""
        settled: list[Order] = []
        for order in await self._ports.journal.list_unfinished():
            try:
                settled.append(await self._drive(order))
            except ChangedElsewhereError:  # by whoever acts for the account now, or another task of this one
                continue
        return settled

    async def reconcile(self) -> Reconciled:
        """Compare what the venue has open with what is written; raises UnclearError where it gives no clear answer."""
        mended: list[Order] = []
        foreign: list[Report] = []
        for report in await self._ports.venue.list_open():
            order = None if report.client_id is None else await self._ports.journal.find_client_id(report.client_id)
            if order is None:
                foreign.append(report)
            elif order.is_final and (found := await self._confirm_open(order)) is not None:
                mended.append(found)
        return Reconciled(tuple(mended), tuple(foreign))

    async def _confirm_open(self, order: Order) -> Order | None:
        """Ask for one that counts as ended: the list may be older than its end."""
        async with self._lock(order.id):
            kept = await self._ports.journal.find(order.id)
            report = await self._ports.venue.find(order)
            if kept is None or not kept.is_final or report is None or report.status != "open":
                return None
            return await self._go_on(await self._save(steps.on_found_open(kept, report, self._ports.now()), kept))

    def _lock(self, order_id: str) -> asyncio.Lock:
        return self._locks.setdefault(order_id, asyncio.Lock())

    async def _drive(self, order: Order) -> Order:
        async with self._lock(order.id):
            kept = await self._ports.journal.find(order.id)
            return await self._go_on(kept or order)

    async def _go_on(self, order: Order) -> Order:
        for _ in range(_MOST_STEPS):
            match next_step(order, self._ports.now()):
                case "send":
                    order = await self._send(order)
                case "look":
                    order = await self._look(order)
                case "cancel":
                    order = await self._cancel(order)
                case _:
                    break
        return await self._publish(order)

    async def _send(self, order: Order) -> Order:
        ports = self._ports
        if steps.is_stale(order, ports.now()):
            late = refusal("NOT_SENT_IN_TIME", "it could not be sent in time")
            return await self._save(steps.on_refused(order, late, ports.now()), order)
        try:
            await ports.gate.check(order)
        except NotAllowedError as error:
            return await self._save(steps.on_refused(order, error.refusal, ports.now()), order)
        sending = await self._save(steps.on_sending(order, ports.now()), order)
        if not ports.gate.holds():
            raise ChangedElsewhereError(f"another process acts for account {order.account}")
        try:
            after = steps.on_report(sending, await ports.venue.place(sending), ports.now())
        except OrderRefusedError as error:
            after = steps.on_refused(sending, error.refusal, ports.now())
        except UnclearError as error:
            after = steps.on_unclear(sending, str(error), ports.now())
        return await self._save(after, sending)

    async def _look(self, order: Order) -> Order:
        ports = self._ports
        try:
            report = await ports.venue.find(order)
        except UnclearError as error:
            return await self._save(steps.on_unclear(order, str(error), ports.now()), order)
        if report is None:
            return await self._save(steps.on_absent(order, ports.now()), order)
        return await self._save(steps.on_report(order, report, ports.now()), order)

    async def _cancel(self, order: Order) -> Order:
        ports = self._ports
        cancelling = await self._save(steps.on_cancelling(order, ports.now()), order)
        try:
            report = await ports.venue.cancel(cancelling)
        except (OrderRefusedError, UnclearError) as error:  # it may have been filled meanwhile: the venue is asked
            return await self._save(steps.on_unclear(cancelling, str(error), ports.now()), cancelling)
        if report is None:
            return cancelling
        return await self._save(steps.on_report(cancelling, report, ports.now()), cancelling)

    async def _save(self, after: Order, before: Order) -> Order:
        if after is not before:
            await self._ports.journal.save(after, before)
        return after

    async def _publish(self, order: Order) -> Order:
        if order.published >= order.version:
            return order
        await self._ports.publisher.publish(order)
        return await self._save(steps.on_published(order, order.version), order)
