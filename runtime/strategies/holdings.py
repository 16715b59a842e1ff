"""What a strategy has made: its executions at average cost, so that realised and unrealised sum to the cash flow. Pure.

Whatever a sale's cost is rounded to, it leaves the cost of what is held: realised + unrealised - fees is what came in
less what was paid, and what is held at its price, to the last unit.
"""

from __future__ import annotations

from decimal import Decimal

from contracts.numbers import AmountText, DecimalText
from contracts.services.trading.events import OrderFilled
from contracts.services.trading.strategies import Profit
from runtime.strategies.figures import ZERO, minus, over, plus, times
from runtime.strategies.orders import StateModel


class Holdings(StateModel):
    """How much is held, what it cost, and what was made; in the base coin and the quote."""

    amount: DecimalText = ZERO
    cost: DecimalText = ZERO
    realized: DecimalText = ZERO
    fees: DecimalText = ZERO
    executions: int = 0

    def brought(self, amount: AmountText, price: Decimal) -> Holdings:
        """Return them with a position that was taken over at a price."""
        return self.model_copy(
            update={"amount": plus(self.amount, amount), "cost": plus(self.cost, times(amount, price))}
        )

    def fold(self, fill: OrderFilled) -> Holdings:
        """Return them after an execution; a fee in another currency than base and quote is not counted."""
        base, _, quote = fill.symbol.partition("/")
        value = times(fill.amount, fill.price)
        after = self._bought(fill.amount, value) if fill.side == "buy" else self._sold(fill.amount, value)
        if fill.fee_currency == base:  # it was paid with coins that cost as much as the others
            value = times(fill.fee, fill.price)
            after = after._sold(fill.fee, value)  # noqa: SLF001  # of the same class
            after = after.model_copy(update={"fees": plus(after.fees, value)})
        elif fill.fee_currency == quote.partition(":")[0]:
            after = after.model_copy(update={"fees": plus(after.fees, fill.fee)})
        return after.model_copy(update={"executions": after.executions + 1})

    def profit(self, price: Decimal | None, grid: Decimal | None, currency: str) -> Profit:
        """Return it at a price of the base coin; what a grid's cells did not make is the trend's."""
        unrealized = None if price is None else minus(times(self.amount, price), self.cost)
        trend = None if grid is None or unrealized is None else minus(plus(self.realized, unrealized), grid)
        return Profit(
            realized=self.realized,
            unrealized=unrealized,
            fees=self.fees,
            grid=grid,
            trend=trend,
            currency=currency,
        )

    def _bought(self, amount: Decimal, value: Decimal) -> Holdings:
        return self.model_copy(update={"amount": plus(self.amount, amount), "cost": plus(self.cost, value)})

    def _sold(self, amount: Decimal, value: Decimal) -> Holdings:
        cost = self._cost_of(amount)
        return self.model_copy(
            update={
                "amount": minus(self.amount, amount),
                "cost": minus(self.cost, cost),
                "realized": plus(self.realized, minus(value, cost)),
            }
        )

    def _cost_of(self, amount: Decimal) -> Decimal:
        """Return the cost of so much of it; of what is not held, which was there before, it is not known: none."""
        if self.amount <= 0:
            return ZERO
        return self.cost if amount >= self.amount else over(times(self.cost, amount), self.amount)
