"""TP/SL: sell a position in steps of profit, or all of it at a stop, which may follow the price; one cancels the other.

The steps rest at the venue as limit orders. The stop is watched here: where the price reaches it the steps are
cancelled, and once none of them can execute any more the rest is sold at once. A stop that was reached stays reached.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, Final, Literal

from pydantic import Field

from contracts.numbers import DecimalText, PriceText
from contracts.services.trading.events import OrderChanged
from contracts.services.trading.strategy_events import WantedOrder
from contracts.services.trading.strategy_params import TpslParams
from runtime.strategies.figures import HUNDRED, ZERO, above, below, minus, over, plus, times
from runtime.strategies.orders import FINAL, OwnOrder, Terms
from runtime.strategies.protocol import Brought, Draft, Event, Kind, Setup, State, is_market

STOP: Final = "stop"


class TpslState(State):
    """The position as it was taken over is `brought`; `sold` counts orders that have ended."""

    phase: Literal["waiting", "guarding", "stopping"] = "waiting"
    high: PriceText | None = Field(default=None, description="the highest price since then")
    sold: DecimalText = ZERO
    offered: bool = Field(default=False, description="whether the stop was tried: again with news of the market only")
    steps_sold: tuple[DecimalText, ...] = Field(default=(), strict=False, description="of each step")
    steps_done: tuple[bool, ...] = Field(default=(), strict=False)


class Tpsl:
    """Takes profit and stops losses of one position."""

    def __init__(self, setup: Setup[TpslParams]) -> None:
        self._setup, self._params = setup, setup.params

    def begin(self) -> TpslState:
        """Return the state before the position is known."""
        steps = len(self._params.take_profit)
        return TpslState(steps_sold=(ZERO,) * steps, steps_done=(False,) * steps)

    def decide(self, state: TpslState, event: Event, now_ns: int, /) -> tuple[TpslState, Sequence[WantedOrder]]:
        """Return the next state and the orders that follow from it."""
        del now_ns
        draft = Draft(self._setup, state)
        for order in state.orders.ended:
            self._on_ended(draft, order)
        if draft.state.phase == "waiting":
            self._take_over(draft, event)
        if draft.state.brought is not None and draft.state.done is None:
            self._guard(draft, event)
        return draft.result()

    def _take_over(self, draft: Draft[TpslState], event: Event) -> None:
        """Begin with the position: of an amount at the first price, of an order at its end."""
        params = self._params
        if params.amount is not None:
            price = draft.state.prices.to_sell
            if price is not None:
                draft.set(brought=Brought(amount=params.amount, price=price), phase="guarding", high=price)
        elif isinstance(event, OrderChanged) and event.order_id == params.order_id and event.status in FINAL:
            if event.filled > 0 and event.average_price is not None:
                price = event.average_price
                draft.set(brought=Brought(amount=event.filled, price=price), phase="guarding", high=price)
            else:
                draft.set(done="the order ended without an execution")

    def _on_ended(self, draft: Draft[TpslState], order: OwnOrder) -> None:
        state = draft.state
        draft.take_out(order.client_id)
        draft.set(sold=plus(state.sold, order.moved))
        if order.tag == STOP:
            if order.status == "filled":
                draft.set(done="the stop was reached")
            return
        number = int(order.tag)
        draft.set(steps_sold=_put(state.steps_sold, number, plus(state.steps_sold[number], order.moved)))
        if order.status == "filled":
            draft.set(steps_done=_put(state.steps_done, number, True))  # noqa: FBT003  # the value itself

    def _guard(self, draft: Draft[TpslState], event: Event) -> None:
        state, price = draft.state, draft.state.prices.to_sell
        if price is not None and state.phase == "guarding" and is_market(event):
            if state.high is None or price > state.high:
                draft.set(high=price)
            if price <= self._stop_price(draft.state):
                draft.set(phase="stopping")
                draft.cancel_all(but=STOP)
        if self._rest(draft.state) <= 0 or (self._sells_all and all(draft.state.steps_done)):
            draft.set(done="the profit was taken")
        elif draft.state.phase == "guarding":
            self._place_steps(draft)
        elif not draft.state.orders.items and (not draft.state.offered or is_market(event)):
            draft.set(offered=True)
            draft.place(Terms(side="sell", amount=self._rest(draft.state), reduce_only=True), STOP)

    def _place_steps(self, draft: Draft[TpslState]) -> None:
        state = draft.state
        brought = _brought(state)
        for number, step in enumerate(self._params.take_profit):
            if state.steps_done[number] or state.orders.tagged(str(number)) is not None:
                continue
            left = minus(self._share(brought.amount, number), state.steps_sold[number])
            terms = Terms(side="sell", amount=left, price=above(brought.price, step.percent), reduce_only=True)
            draft.place(terms, str(number))

    def _share(self, amount: Decimal, number: int) -> Decimal:
        """Return how much a step sells; the last one of a whole position what the others leave."""
        steps = self._params.take_profit
        if self._sells_all and number == len(steps) - 1:
            return reduce(minus, (self._share(amount, other) for other in range(number)), amount)
        return over(times(amount, steps[number].share), HUNDRED)

    @property
    def _sells_all(self) -> bool:
        steps = self._params.take_profit
        return bool(steps) and reduce(plus, (step.share for step in steps)) == HUNDRED

    def _stop_price(self, state: TpslState) -> Decimal:
        stop = below(_brought(state).price, self._params.stop_percent)
        if self._params.trailing_percent is None or state.high is None:
            return stop
        return max(stop, below(state.high, self._params.trailing_percent))

    def _rest(self, state: TpslState) -> Decimal:
        return minus(_brought(state).amount, state.sold)


def _brought(state: TpslState) -> Brought:
    if state.brought is None:
        raise ValueError("the position is not known yet")
    return state.brought


def _put(values: tuple[Any, ...], number: int, value: object) -> tuple[Any, ...]:
    return (*values[:number], value, *values[number + 1 :])


KIND: Final = Kind("tpsl", Tpsl, TpslParams, TpslState)
