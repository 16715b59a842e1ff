"""A strategy of one's own: buys when the price has fallen, or when a signal says so, and sells at a profit.

Put it into the directory that `HYDROPHONE_STRATEGIES` names; its params are
`{"amount":"0.01","fall_percent":"2","profit_percent":"1"}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pydantic import Field

from contracts.numbers import AmountText, PriceText
from contracts.services.trading.orders import Amount
from contracts.services.trading.strategy_events import StrategySignalled, WantedOrder
from contracts.services.trading.strategy_params import Below, ParamsModel, Percent
from runtime.strategies.figures import above, below, over
from runtime.strategies.orders import Terms
from runtime.strategies.protocol import Draft, Event, Kind, Setup, State, is_market


class DipParams(ParamsModel):
    """What it is given: decimals as text."""

    amount: Amount
    fall_percent: Below = Field(description="below the highest price since the last sale: buy")
    profit_percent: Percent = Field(description="above the price paid: sell")


class DipState(State):
    """What it remembers, beside its orders and the newest prices."""

    high: PriceText | None = None
    held: AmountText | None = None


class Dip:
    """One position at a time."""

    def __init__(self, setup: Setup[DipParams]) -> None:
        self._setup, self._params = setup, setup.params

    def begin(self) -> DipState:
        """Return the state before the first price."""
        return DipState()

    def decide(self, state: DipState, event: Event, now_ns: int, /) -> tuple[DipState, Sequence[WantedOrder]]:
        """Return the next state, and what is wanted done."""
        del now_ns
        draft = Draft(self._setup, state)
        for order in state.orders.ended:
            draft.take_out(order.client_id)
            if order.tag == "sell":
                draft.set(held=None, high=None)
            elif order.named > 0:
                draft.set(held=order.moved)
                price = above(over(order.value, order.named), self._params.profit_percent)
                draft.place(Terms(side="sell", amount=order.moved, price=price), "sell")
        if draft.state.held is None and not draft.state.orders.items and self._wants_in(draft, event):
            draft.place(Terms(side="buy", amount=self._params.amount), "buy")
        return draft.result()

    def _wants_in(self, draft: Draft[DipState], event: Event) -> bool:
        if isinstance(event, StrategySignalled):
            return json.loads(event.body).get("side") == "buy"
        price = draft.state.prices.to_buy
        if price is None or not is_market(event):
            return False
        if draft.state.high is None or price > draft.state.high:
            draft.set(high=price)
        return price <= below(draft.state.high or price, self._params.fall_percent)


KIND: Final = Kind("dip", Dip, DipParams, DipState, reads=("ticker",))
