"""A strategy as it runs: what it is handed, what it wants done, when it pauses. Live and in backtests the same. Pure.

A strategy pauses itself where the data is not live (and goes on with it), where somebody else ends one of its orders,
where orders are refused again and again, and where it raises. While it is paused its orders are still followed: what it
wants placed then waits until it is resumed, what it wants cancelled does not wait.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

from contracts.market import BookSnapshot, Candle, FeedStatus, Ticker, Trade
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.strategies import Profit
from contracts.services.trading.strategy_events import Status, StrategyRefused, WantedOrder
from runtime.strategies.control import By, Control, Held
from runtime.strategies.protocol import Clock, Event, Kind, Setup, State, Strategy
from runtime.strategies.quality import Feed

MOST_REFUSALS: Final = 3  # in a row, before it pauses
MOST_ORDERS: Final = 500  # that it may want placed within a minute
_MINUTE: Final = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Running:
    """A strategy at a moment."""

    state: State
    control: Control

    @property
    def digest(self) -> str:
        """SHA-256 of its own state, as hexadecimal digits."""
        return hashlib.sha256(self.state.model_dump_json().encode()).hexdigest()

    @property
    def due(self) -> list[WantedOrder]:
        """What is to be sent now, in this order; nothing is placed while it does not run."""
        runs = self.control.status == "running"
        return [one.wanted for one in self.control.held if one.released and (runs or one.wanted.what == "cancel")]

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, and so has every order of it."""
        ended = self.control.status in {"stopped", "done"}
        return ended and not self.control.held and not self.state.orders.live

    def profit(self, symbol: str) -> Profit:
        """Return what it has made at the newest price."""
        currency = symbol.partition("/")[2].partition(":")[0]
        return self.control.holdings.profit(self.state.prices.last_known, self.state.grid_profit, currency)


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: what it saw, at what time, in what state, and what it wanted."""

    number: int
    event: Event
    now_ns: int
    before: State
    after: State
    wanted: tuple[WantedOrder, ...]


@dataclass(frozen=True, slots=True)
class Stepped:
    """What an event led to; `decided` only where something was wanted or its status changed."""

    running: Running
    decided: Decided | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What a strategy is, for as long as it lives."""

    kind: Kind
    setup: Setup[Any]
    accept_fallback: bool = False
    strategy: Strategy[Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Make the pure function, once."""
        object.__setattr__(self, "strategy", self.kind.make(self.setup))


def begin(definition: Definition) -> Running:
    """Return a strategy that has seen nothing yet."""
    return Running(definition.strategy.begin(), Control(feed=Feed(received_ns=definition.setup.created_ns)))


def step(definition: Definition, running: Running, event: Event, now_ns: int) -> Stepped:
    """Return what an event of the market, of its orders, of the clock or of a signal leads to."""
    own = isinstance(event, OrderChanged | OrderFilled | StrategyRefused)
    seen = _seen(definition, running, event, now_ns)
    control = seen.control
    if control.status in {"stopped", "done"} or (control.status == "paused" and not own):
        return Stepped(seen)
    return _decide(definition, seen, event, now_ns)


def on_feed(definition: Definition, running: Running, status: FeedStatus, now_ns: int) -> Running:
    """Return it after news of the feed that it lives on: paused while that is not live."""
    if status.symbol not in {None, definition.setup.symbol}:
        return running
    channels = frozenset(read.partition(".")[0] for read in definition.kind.reads)
    feed = running.control.feed.on_status(status, channels, now_ns)
    return _judged(definition, _with(running, feed=feed), now_ns)


def on_sent(running: Running, wanted: WantedOrder) -> Running:
    """Return it after something wanted was done, or is not to be done any more."""
    left = tuple(held for held in running.control.held if held.wanted != wanted)
    return _with(running, held=left)


def on_never_sent(running: Running, client_id: str) -> Running:
    """Return it with an order ended that no venue knows."""
    return replace(
        running,
        state=running.state.model_copy(update={"orders": running.state.orders.dropped(client_id, "never sent")}),
    )


def pause(running: Running, reason: str, by: By) -> Running:
    """Return it paused until it is resumed; one that has ended stays as it is."""
    control = running.control
    if control.status not in {"running", "paused"} or (control.status == "paused" and not control.waiting):
        return running
    return _turned(running, "paused", reason, by)


def resume(definition: Definition, running: Running, now_ns: int) -> Running:
    """Return it running, with what it had wanted meanwhile; one that is not paused stays as it is."""
    if running.control.status != "paused":
        return running
    resumed = _turned(running, "running", None, "owner")
    held = tuple(one.model_copy(update={"released": True}) for one in resumed.control.held)
    return _judged(definition, _with(resumed, held=held, refused=0, feed=resumed.control.feed.begun(now_ns)), now_ns)


def stop(running: Running, reason: str | None, by: By) -> Running:
    """Return it ended: what may still execute is to be cancelled, what was not sent never is."""
    if running.control.status in {"stopped", "done"}:
        return running
    return _ended(_turned(running, "stopped", reason, by))


def _seen(definition: Definition, running: Running, event: Event, now_ns: int) -> Running:
    """Return it with the event in its orders, its holdings, its prices and its view of the feed."""
    state, control = running.state, running.control
    match event:
        case OrderFilled():  # it may be of an order that the strategy only waits for
            return _on_fill(running, event) if event.strategy == definition.setup.id else running
        case OrderChanged() | StrategyRefused():
            return _on_order(running, event)
        case Ticker() | Trade() | BookSnapshot() | Candle():
            seen = Running(state.model_copy(update={"prices": state.prices.fold(event)}), control)
            return _judged(definition, _with(seen, feed=control.feed.on_event(event, now_ns)), now_ns)
        case Clock():
            return _judged(definition, running, now_ns)
        case _:
            return running


def _on_fill(running: Running, event: OrderFilled) -> Running:
    state, control = running.state, running.control
    if state.orders.knows(event):
        return running
    known = event.client_id in state.orders.items
    holdings = control.holdings.fold(event)
    after = Running(state.model_copy(update={"orders": state.orders.fold(event)}), control)
    after = _with(after, holdings=holdings)
    if known:
        return after
    return pause(after, f"order {event.client_id} executed after it had ended", "itself")


def _on_order(running: Running, event: OrderChanged | StrategyRefused) -> Running:
    state = running.state
    before = state.orders.items.get(event.client_id)
    orders = state.orders.fold(event)
    after = Running(state.model_copy(update={"orders": orders}), running.control)
    if before is None or orders is state.orders:
        return after
    order = orders.items[event.client_id]
    if order.status == "rejected" and before.status != "rejected":
        return _on_refused(after, order.reason or "no reason given")
    if order.status in {"open", "filled"}:
        after = _with(after, refused=0) if running.control.refused else after
    foreign = order.status == "cancelled" and before.is_live and not order.cancelling
    if foreign and order.terms.price is not None:  # what a market order finds no counterpart for ends by itself
        return pause(after, f"order {order.client_id} was cancelled by somebody else", "itself")
    return after


def _on_refused(running: Running, reason: str) -> Running:
    refused = running.control.refused + 1
    after = _with(running, refused=refused)
    if refused < MOST_REFUSALS:
        return after
    return pause(after, f"{refused} orders in a row were refused: {reason}", "itself")


def _decide(definition: Definition, running: Running, event: Event, now_ns: int) -> Stepped:
    before, control = running.state, running.control
    try:
        after, wanted = definition.strategy.decide(before, event, now_ns)
    except Exception as error:  # noqa: BLE001  # a strategy's own fault: it is paused with it
        return Stepped(pause(running, f"it failed: {type(error).__name__}: {error}", "itself"))
    places = sum(one.what == "place" for one in wanted)
    if places and (running := _counted(running, places, now_ns)).control.placed > MOST_ORDERS:
        return Stepped(pause(running, f"it wanted more than {MOST_ORDERS} orders within a minute", "itself"))
    control = running.control
    released = control.status == "running"
    held = tuple(Held(wanted=one, released=released or one.what == "cancel") for one in wanted)
    decided = Running(after, control.model_copy(update={"held": (*control.held, *held)}))
    if before.brought is None and after.brought is not None:
        holdings = control.holdings.brought(after.brought.amount, after.brought.price)
        decided = _with(decided, holdings=holdings)
    if after.done is not None:
        decided = _ended(_turned(decided, "done", after.done, "itself"))
    if not wanted and decided.control.status == control.status:
        return Stepped(decided)
    number = control.number + 1
    all_wanted = tuple(one.wanted for one in decided.control.held[len(control.held) :])
    return Stepped(_with(decided, number=number), Decided(number, event, now_ns, before, decided.state, all_wanted))


def _counted(running: Running, places: int, now_ns: int) -> Running:
    control = running.control
    if now_ns - control.minute_ns >= _MINUTE:
        return _with(running, minute_ns=now_ns, placed=places)
    return _with(running, placed=control.placed + places)


def _judged(definition: Definition, running: Running, now_ns: int) -> Running:
    """Return it paused where its data is not live, running again where it is."""
    control = running.control
    fault = control.feed.fault(now_ns, accept_fallback=definition.accept_fallback)
    if fault is not None and control.status == "running":
        return _turned(running, "paused", fault, "itself", waiting=True)
    if fault is None and control.status == "paused" and control.waiting:
        resumed = _turned(running, "running", None, "itself")
        held = tuple(one.model_copy(update={"released": True}) for one in resumed.control.held)
        return _with(resumed, held=held)
    return running


def _turned(running: Running, status: Status, reason: str | None, by: By, *, waiting: bool = False) -> Running:
    version = running.control.version + 1
    return _with(running, status=status, reason=reason, by=by, waiting=waiting, version=version)


def _ended(running: Running) -> Running:
    """Return one that has ended with a cancel of each order that may still execute."""
    state, control = running.state, running.control
    held: list[Held] = []
    for one in control.held:
        if one.wanted.what == "cancel":
            held.append(one)
        elif not one.released:
            state = state.model_copy(update={"orders": state.orders.dropped(one.wanted.client_id, "never sent")})
    for order in state.orders.live:
        orders, wanted = state.orders.cancel(order.client_id)
        state = state.model_copy(update={"orders": orders})
        if wanted is not None:
            held.append(Held(wanted=wanted, released=True))
    return Running(state, control.model_copy(update={"held": tuple(held)}))


def _with(running: Running, **fields: object) -> Running:
    return replace(running, control=running.control.model_copy(update=fields))


def dump(running: Running) -> tuple[str, str]:
    """Return a strategy's state and how it stands, as JSON."""
    return running.state.model_dump_json(), running.control.model_dump_json()


def load(kind: Kind, state: str, control: str) -> Running:
    """Return what was dumped; pydantic.ValidationError where it is not of that kind."""
    return Running(kind.state.model_validate_json(state), Control.model_validate_json(control))
