"""What happens to an order at an exchange, what goes wrong with its requests, and what has to be true at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from consumers.execution.ports import ChangedElsewhereError, UnclearError
from producers.simulator.private import Order as ThereOrder
from runtime.trading.order import Order
from tests.consumers.execution.stage import intent
from tests.consumers.execution.venues.world import World, executor

D = Decimal
PAUSES = (1, 3, 10, 30, 60, 300, 1800)  # longer ones than the executor's
RECONCILED = 300  # with what is open, from this pause on
AMOUNT = D("0.01")
STATUSES = {"open": "open", "filled": "filled", "cancelled": "cancelled"}


class Play:
    """One order of one account; the executor is replaced when its process dies."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.venue = world.venue()
        self.executor = executor(world, self.venue)
        self.cancel_wanted = False
        self.foreign = 0

    def written(self) -> Order:
        order = self.world.stage.written()
        assert order is not None
        return order

    async def submit(self, **fields: Any) -> None:
        """Buy a hundredth at a price that nobody sells at."""
        order = intent(symbol=self.world.symbol, price=self.world.low, amount=AMOUNT, created_ns=self.world.stage.now)
        await self.executor.submit(replace(order, **fields))

    async def buy_now(self) -> None:
        """Buy of what is offered."""
        await self.submit(price=self.world.best("ask")[0])

    async def cancel(self) -> None:
        await self.executor.cancel(self.written().id)
        self.cancel_wanted = self.cancel_wanted or self.written().cancel_ns is not None

    async def later(self, seconds: float) -> None:
        """Let time pass; what is late arrives."""
        self.world.stage.advance(seconds)
        self.world.side.tick(self.world.now_us)
        await self.executor.settle()

    async def reconcile(self) -> None:
        try:
            self.foreign += len((await self.executor.reconcile()).foreign)
        except UnclearError:  # asked again in the next round
            return

    async def rest(self) -> None:
        """Let hours pass without a fault."""
        self.world.side.faults.clear()
        for seconds in PAUSES:
            await self.later(seconds)
            if seconds >= RECONCILED:
                await self.reconcile()
        await self.later(0)

    def restart(self) -> None:
        """A new process takes over."""
        self.venue = self.world.venue()
        self.executor = executor(self.world, self.venue)


async def _rests_then_cancelled(play: Play) -> None:
    await play.submit()
    await play.later(1)
    await play.cancel()
    await play.later(2)


async def _filled_at_once(play: Play) -> None:
    await play.buy_now()
    await play.later(1)
    await play.later(5)


async def _filled_in_parts(play: Play) -> None:
    await play.submit()
    for _ in range(2):
        play.world.offer(play.world.low, AMOUNT / 2)
        await play.later(5)
        play.world.offer(play.world.low, D(0))
    await play.later(5)


async def _filled_in_part_then_cancelled(play: Play) -> None:
    await play.submit()
    play.world.offer(play.world.low, D("0.004"))
    await play.later(1)
    await play.cancel()
    await play.later(2)


async def _market_order(play: Play) -> None:
    await play.submit(type="market", price=None)
    await play.later(1)
    await play.later(5)


async def _filled_while_it_is_cancelled(play: Play) -> None:
    await play.submit()
    await play.later(1)
    play.world.offer(play.world.low, AMOUNT)
    await play.cancel()
    await play.later(2)


async def _process_dies(play: Play) -> None:
    await play.submit()
    play.restart()
    play.world.offer(play.world.low, D("0.006"))
    await play.later(5)
    play.restart()
    await play.cancel()


COURSES: dict[str, Callable[[Play], Awaitable[None]]] = {
    "rests, is cancelled": _rests_then_cancelled,
    "fills at once": _filled_at_once,
    "fills in parts": _filled_in_parts,
    "fills in part, is cancelled": _filled_in_part_then_cancelled,
    "market order": _market_order,
    "fills while it is cancelled": _filled_while_it_is_cancelled,
    "the process dies": _process_dies,
}


@dataclass(frozen=True)
class Trouble:
    """A fault of a request that places (or, `cancels`, cancels) the order; for any request where neither is said."""

    kind: Any
    seconds: float = 1.0
    cancels: bool = False
    any_request: bool = False

    def order(self, world: World) -> None:
        method = None if self.any_request else world.cancel if self.cancels else world.place
        world.fault(self.kind, method, self.seconds)

    def __str__(self) -> str:
        what = "any request" if self.any_request else "cancel" if self.cancels else "order"
        return f"{self.kind} {self.seconds:g} s of {what}"


TROUBLES = (
    Trouble("lost_before"),
    Trouble("lost_after"),
    Trouble("late", 2),
    Trouble("late", 70),
    Trouble("duplicate"),
    Trouble("partial_fill"),
    Trouble("late_fill", 8),
    Trouble("maintenance", 4, any_request=True),
    Trouble("rate_limit", 4, any_request=True),
    Trouble("lost_before", cancels=True),
    Trouble("lost_after", cancels=True),
    Trouble("late", 2, cancels=True),
    Trouble("duplicate", cancels=True),
)


async def play(world: World, course: Callable[[Play], Awaitable[None]]) -> Play:
    """Run a course to its end, with hours of rest behind it."""
    one = Play(world)
    try:
        await course(one)
    except ChangedElsewhereError:
        one.restart()
    await one.rest()
    return one


def check(one: Play) -> None:
    """Hold the end to what is promised: one order, each execution once, the money as the exchange's books have it."""
    world, order = one.world, one.written()
    there = world.orders()
    assert len(there) <= 1
    assert one.foreign == 0
    assert world.side.exchange.imbalance() == {}
    expected = there[0].fills if there else []
    assert [(int(fill.id), fill.amount, fill.price, fill.fee) for fill in order.fills] == [
        (fill.id, fill.amount, fill.price, fill.fee) for fill in expected
    ]
    assert world.stage.published[f"{order.id}.{order.version}"].fills == order.fills
    assert world.balances() == _after(order, world)
    assert (order.error is not None) == (order.status == "rejected")
    if there:
        _check_there(order, there[0], cancel_wanted=one.cancel_wanted)
    else:
        assert order.status in {"rejected", "cancelled"}
        assert order.is_finished
        assert order.reason


def _check_there(order: Order, there: ThereOrder, *, cancel_wanted: bool) -> None:
    assert order.status == STATUSES[there.status]
    assert order.venue_order_id == str(there.id)
    assert order.filled == there.filled
    assert order.is_finished == (there.status != "open")
    assert not (cancel_wanted and there.status == "open")


def _after(order: Order, world: World) -> dict[str, Decimal]:
    """What the account has to have after the executions that are written."""
    left = dict(world.begin)
    base, _, quote = order.symbol.partition("/")
    for fill in order.fills:
        left[base] += fill.amount
        left[quote] -= fill.amount * fill.price
        left[fill.fee_currency] -= fill.fee
    return left
