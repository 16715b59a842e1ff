"""DCA: buy at intervals, or once and again as the price falls; sell all at a profit, or at a stop. Pure.

A round is a first buy, safety orders below it, and the sale of all of it. With safety orders an interval is the
distance between first buys; without them each interval buys. An interval that was missed is not made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from pydantic import Field

from contracts.market import Nanoseconds
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.trading.strategy_events import WantedOrder
from contracts.services.trading.strategy_params import DcaParams, SafetyOrders
from runtime.strategies.figures import HUNDRED, ZERO, above, below, minus, over, plus, times
from runtime.strategies.orders import OwnOrder, Terms
from runtime.strategies.protocol import Clock, Draft, Event, Kind, Setup, State, is_market

BUY: Final = "buy"
SAFETY: Final = "safety"
SELL: Final = "sell"
_SECOND: Final = 1_000_000_000


class DcaState(State):
    """One round after the other; `slot_ns` is the interval that was bought in last."""

    phase: Literal["buying", "taking", "stopping"] = "buying"
    slot_ns: Nanoseconds | None = None
    amount: DecimalText = Field(default=ZERO, description="bought less sold in this round, by orders that have ended")
    cost: DecimalText = ZERO
    first_price: PriceText | None = None
    offered: bool = Field(default=False, description="whether a sale was tried in this round")


class Dca:
    """Dollar cost averaging over one instrument."""

    def __init__(self, setup: Setup[DcaParams]) -> None:
        self._setup, self._params = setup, setup.params

    def begin(self) -> DcaState:
        """Return the state before the first buy."""
        return DcaState()

    def decide(self, state: DcaState, event: Event, now_ns: int, /) -> tuple[DcaState, Sequence[WantedOrder]]:
        """Return the next state and the orders that follow from it."""
        draft = Draft(self._setup, state)
        for order in state.orders.ended:
            self._on_ended(draft, order)
        if draft.state.done is None:
            if is_market(event):
                self._watch(draft)
            self._sell(draft, event)
            if is_market(event) or isinstance(event, Clock):
                self._buy(draft, now_ns)
        return draft.result()

    def _on_ended(self, draft: Draft[DcaState], order: OwnOrder) -> None:
        state = draft.state
        draft.take_out(order.client_id)
        if order.tag != SELL:
            draft.set(amount=plus(state.amount, order.moved), cost=plus(state.cost, order.value))
            if order.tag == BUY and state.first_price is None and order.named > 0:
                draft.set(first_price=over(order.value, order.named))
                self._place_safety(draft)
            return
        if order.status == "filled":
            self._on_sold(draft)
        elif state.amount > 0:
            cost = over(times(state.cost, order.named), state.amount)
            draft.set(amount=minus(state.amount, order.moved), cost=minus(state.cost, cost))

    def _on_sold(self, draft: Draft[DcaState]) -> None:
        """End the round; what is left of it is less than the venue takes."""
        if draft.state.phase == "stopping":
            draft.set(done="the stop was reached")
        elif self._params.interval_seconds is None:
            draft.set(done="the profit was taken")
        draft.set(phase="buying", amount=ZERO, cost=ZERO, first_price=None, offered=False)

    def _place_safety(self, draft: Draft[DcaState]) -> None:
        safety, first = self._params.safety_orders, draft.state.first_price
        if safety is None or first is None or draft.state.phase != "buying":
            return
        for number in range(1, safety.count + 1):
            draft.place(_safety_terms(safety, number, first, self._params.amount), f"{SAFETY}.{number}")

    def _watch(self, draft: Draft[DcaState]) -> None:
        """Begin to sell where the price has reached the profit or the stop; a stop overtakes a profit."""
        state, price = draft.state, draft.state.prices.to_sell
        amount, cost = _position(state)
        if price is None or amount <= 0 or state.phase == "stopping":
            return
        average, params = over(cost, amount), self._params
        if params.stop_percent is not None and price <= below(average, params.stop_percent):
            draft.set(phase="stopping")
        elif (
            state.phase == "buying"
            and params.take_profit_percent is not None
            and price >= above(average, params.take_profit_percent)
        ):
            draft.set(phase="taking")
        if draft.state.phase != state.phase:
            draft.set(offered=False)
            draft.cancel_all()

    def _buy(self, draft: Draft[DcaState], now_ns: int) -> None:
        """Buy where it is time to; what found no counterpart is tried again with the next news of the market."""
        if draft.state.phase == "buying" and self._is_due(draft.state, now_ns):
            draft.set(slot_ns=self._slot(now_ns))
            draft.place(Terms(side="buy", amount=self._params.amount), BUY)

    def _sell(self, draft: Draft[DcaState], event: Event) -> None:
        """Sell once no order can change any more how much there is; again only with news of the market."""
        state = draft.state
        if state.phase == "buying" or state.orders.items or state.done is not None:
            return
        if state.amount <= 0:  # nothing was bought after all
            self._on_sold(draft)
        elif not state.offered or is_market(event):
            draft.set(offered=True)
            draft.place(Terms(side="sell", amount=state.amount, price=self._target(state)), SELL)

    def _target(self, state: DcaState) -> Decimal | None:
        """Return the price to sell at: of a stop none, which is at once."""
        if state.phase == "stopping" or self._params.take_profit_percent is None:
            return None
        return above(over(state.cost, state.amount), self._params.take_profit_percent)

    def _is_due(self, state: DcaState, now_ns: int) -> bool:
        if state.prices.to_buy is None or state.orders.tagged(BUY) is not None:
            return False
        in_round = state.first_price is not None and self._params.safety_orders is not None
        if in_round or (self._params.interval_seconds is None and state.first_price is not None):
            return False
        return state.slot_ns is None or self._params.interval_seconds is None or self._slot(now_ns) > state.slot_ns

    def _slot(self, now_ns: int) -> int:
        """Return when the interval began that it is now."""
        length = (self._params.interval_seconds or 1) * _SECOND
        return now_ns - (now_ns - self._setup.created_ns) % length


def _safety_terms(safety: SafetyOrders, number: int, first: Decimal, amount: Decimal) -> Terms:
    """Return what a safety order buys, and at what price."""
    size = amount
    for _ in range(number):
        size = times(size, safety.volume_scale)
    price = times(first, over(minus(HUNDRED, times(safety.step_percent, Decimal(number))), HUNDRED))
    return Terms(side="buy", amount=size, price=price)


def _position(state: DcaState) -> tuple[AmountText, Decimal]:
    """Return what is held and what it cost, with the executions of orders that have not ended."""
    amount, cost = state.amount, state.cost
    for order in state.orders.items.values():
        if order.tag != SELL:
            amount, cost = plus(amount, order.moved), plus(cost, order.value)
    return amount, cost


KIND: Final = Kind("dca", Dca, DcaParams, DcaState)
