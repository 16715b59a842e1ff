"""What happens to an order in tests, step by step, and what has to be true at the end whatever was interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from consumers.execution.ports import ChangedElsewhereError, NotAllowedError
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Fill, Report
from tests.consumers.execution.stage import CrashError, Stage, Stepper, VenueOrder, intent, unclear

_PAUSES = (1, 1, 1, 3, 3, 5, 10, 10, 30, 30, 60, 60, 300, 300, 1800, 1800, 3600)
BUS_OR_STORE = (OSError, ChangedElsewhereError, asyncio.CancelledError)


class Play:
    """One run of a scenario over a stage; the executor is replaced when its process dies."""

    def __init__(self, stage: Stage, stepper: Stepper) -> None:
        self.stage, self.stepper = stage, stepper
        self.executor = stage.executor()
        self.cancel_wanted = False

    def run(self, work: Callable[[], Any]) -> Any:
        """Do it; a process that dies is started again, as a supervisor does."""
        try:
            return self.stepper.run(work())
        except CrashError:
            self.executor = self.stage.executor()
        except BUS_OR_STORE:
            pass
        return None

    def submit(self, **fields: Any) -> None:
        order = intent(**fields)
        self.run(lambda: self.executor.submit(order))

    def cancel(self) -> None:
        before = self.stage.written()
        self.run(lambda: self.executor.cancel("order1" if before is None else before.id))
        after = self.stage.written()
        self.cancel_wanted |= before is not None and after is not None and after.cancel_ns is not None

    def later(self, seconds: float) -> None:
        self.stage.advance(seconds)
        self.run(self.executor.settle)

    def say(self, report: Report) -> None:
        """Have the venue say something by itself."""
        self.run(lambda: self.executor.take(report))

    def rest(self) -> None:
        """Let hours pass without a fault."""
        self.stepper.interrupt = lambda _number, _place: None
        for seconds in _PAUSES:
            self.later(seconds)
            self.stepper.run(self.executor.reconcile())
            self.later(0)

    def venue_order(self) -> VenueOrder | None:
        return self.stage.orders[-1] if self.stage.orders else None

    def fill(self, amount: int) -> None:
        if (order := self.venue_order()) is not None:
            order.fill(Decimal(amount), self.stage.now)


@dataclass(frozen=True)
class Scenario:
    """What is done, and what the venue does by itself."""

    name: str
    steps: Callable[[Play], None]
    make: Callable[[], Stage] = field(default=Stage)

    def play(self, stepper: Stepper) -> Play:
        """Run it to the end, with hours of rest behind it."""
        play = Play(self.make(), stepper)
        self.steps(play)
        play.rest()
        return play


def check(play: Play) -> None:
    """Hold the end to what is promised: one order, each fill once, nothing lost, the bus up to date."""
    stage = play.stage
    assert len(stage.orders) <= 1
    assert stage.requests["place"] <= 1
    order = stage.written()
    if order is None:
        assert stage.orders == []
        return
    there = play.venue_order()
    expected: list[Fill] = [] if there is None else there.fills
    assert sorted(fill.id for fill in order.fills) == sorted(fill.id for fill in expected)
    assert order.filled == sum((fill.amount for fill in expected), Decimal(0))
    assert stage.published[f"{order.id}.{order.version}"].fills == order.fills
    if there is None:
        assert order.status in {"rejected", "cancelled"}
        assert order.is_finished
    else:
        assert order.status == there.status
        assert order.venue_order_id == str(there.number)
        assert order.is_finished == (there.status != "open")
        assert not (play.cancel_wanted and there.status == "open")
    assert (order.error is not None) == (order.status == "rejected")
    if order.error is not None:
        assert order.error.message == order.reason


def _rests_and_is_cancelled(play: Play) -> None:
    play.submit()
    play.later(1)
    play.cancel()
    play.later(2)


def _fills_in_parts(play: Play) -> None:
    play.submit()
    play.fill(3)
    play.later(5)
    play.fill(7)
    play.later(5)
    play.later(5)


def _filled_in_part_then_cancelled(play: Play) -> None:
    play.submit()
    play.fill(4)
    play.cancel()
    play.later(2)


def _submitted_twice(play: Play) -> None:
    play.submit()
    play.submit(id="order2")
    play.later(1)
    play.submit(id="order3")


def _said_twice(play: Play) -> None:
    play.submit()
    play.fill(10)
    if (there := play.venue_order()) is not None:
        play.say(there.report())
        play.say(there.report())
    play.later(5)


def _venue(**fields: Any) -> Callable[[], Stage]:
    return lambda: Stage(**fields)


def _fill(amount: int, *, hidden: int = 0) -> Callable[[Stage, VenueOrder], None]:
    def on_event(stage: Stage, order: VenueOrder) -> None:
        order.fill(Decimal(amount), stage.now)
        order.hidden = hidden if order.fills else 0

    return on_event


SCENARIOS = (
    Scenario("rests, is cancelled", _rests_and_is_cancelled),
    Scenario("fills in parts", _fills_in_parts),
    Scenario("fills in part, is cancelled", _filled_in_part_then_cancelled),
    Scenario("fills at once", _submitted_twice, _venue(on_place=_fill(10))),
    Scenario("fills at once, told late", _submitted_twice, _venue(on_place=_fill(10, hidden=1))),
    Scenario("fills while it is cancelled", _rests_and_is_cancelled, _venue(on_cancel=_fill(10))),
    Scenario(
        "fills in part while it is cancelled, told late", _rests_and_is_cancelled, _venue(on_cancel=_fill(6, hidden=1))
    ),
    Scenario("said twice by the venue", _said_twice),
)


@dataclass(frozen=True)
class Fault:
    """What goes wrong at an await: `places` begin so."""

    name: str
    places: tuple[str, ...]
    strike: Callable[[Play], BaseException | None]


def _late(seconds: float) -> Callable[[Play], BaseException]:
    def strike(play: Play) -> BaseException:
        order = play.stage.written()
        assert order is not None
        play.stage.late.append((play.stage.now + int(seconds * 1_000_000_000), order))
        return unclear()

    return strike


def _other_takes_over(play: Play) -> None:
    """Another process acts for a minute while this one stands still; then this one goes on."""
    other = play.executor = play.stage.executor()
    for seconds in (0, 1, 3, 10, 30, 20):
        play.stage.advance(seconds)
        Stepper().run(other.settle())
        Stepper().run(other.reconcile())


FAULTS = (
    Fault("crash", ("",), lambda _play: CrashError()),
    Fault("request ended", ("",), lambda _play: asyncio.CancelledError()),
    Fault("another process takes over", ("",), _other_takes_over),
    Fault("no answer", ("venue.",), lambda _play: unclear()),
    Fault(
        "refused", ("venue.place before", "venue.cancel before"), lambda _play: OrderRefusedError("not enough money")
    ),
    Fault("accepted 2 s later", ("venue.place before",), _late(2)),
    Fault("accepted 70 s later", ("venue.place before",), _late(70)),
    Fault("store or bus away", ("journal.", "bus", "gate."), lambda _play: OSError("away")),
    Fault("forbidden", ("gate.",), lambda _play: NotAllowedError("switched off", "TRADING_STOPPED")),
)
