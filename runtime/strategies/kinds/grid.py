"""Grid: buy at each level, sell one level above it, again and again. Pure.

Between two levels is a cell: it holds nothing and buys at its lower level, or it holds what it bought and sells at its
upper one. It has one order at a time, and what it holds follows from the executions of its orders, so that no restart
and no order that comes again can double a level. Cells above the price of the start are bought at once, together.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from pydantic import Field

from contracts.arithmetic.exact import FINE, as_text
from contracts.numbers import DecimalText
from contracts.services.trading.strategy_events import StrategyRefused, WantedOrder
from contracts.services.trading.strategy_params import GridParams
from runtime.strategies.figures import ZERO, minus, over, plus, times
from runtime.strategies.orders import OwnOrder, StateModel, Terms
from runtime.strategies.protocol import Draft, Event, Kind, Setup, State

START: Final = "start"
_DIGITS: Final = Context(prec=18, rounding=ROUND_HALF_EVEN)  # of a level: finer than any venue's step


class Cell(StateModel):
    """What a cell holds, what that counts as having cost, and its order."""

    held: DecimalText = ZERO
    cost: DecimalText = ZERO
    order: str | None = Field(default=None, description="client id")


class GridState(State):
    """The cells from the lowest to the highest; none before the first price."""

    grid_profit: DecimalText | None = ZERO
    cells: tuple[Cell, ...] = Field(default=(), strict=False)
    to_fill: tuple[int, ...] = Field(default=(), strict=False, description="cells that the start's buy is for")


class Grid:
    """A grid over one instrument."""

    def __init__(self, setup: Setup[GridParams]) -> None:
        self._setup, self._params = setup, setup.params
        self._levels = levels_of(setup.params)

    def begin(self) -> GridState:
        """Return the state before the first price."""
        return GridState()

    def decide(self, state: GridState, event: Event, now_ns: int, /) -> tuple[GridState, Sequence[WantedOrder]]:
        """Return the next state and the orders that follow from it."""
        del now_ns
        draft = Draft(self._setup, state)
        for order in state.orders.ended:
            self._on_ended(draft, order)
        if not draft.state.cells:
            self._start(draft)
        refused = isinstance(event, StrategyRefused)  # tried again with the next event, not at once
        if draft.state.cells and not refused and draft.state.orders.tagged(START) is None:
            self._place(draft)
        return draft.result()

    def _start(self, draft: Draft[GridState]) -> None:
        """Make the cells, and buy what those above the price are to sell."""
        price = draft.state.prices.to_buy
        if price is None:
            return
        lower = self._levels[:-1]
        above = tuple(number for number, level in enumerate(lower) if level >= price)
        draft.set(cells=tuple(Cell() for _ in lower), to_fill=above)
        if above:
            draft.place(Terms(side="buy", amount=times(self._params.amount, Decimal(len(above)))), START)

    def _on_ended(self, draft: Draft[GridState], order: OwnOrder) -> None:
        draft.take_out(order.client_id)
        if order.tag == START:
            self._fill_cells(draft, order.moved)
            return
        number = int(order.tag)
        cell = draft.state.cells[number]
        if order.terms.side == "buy":
            after = Cell(held=plus(cell.held, order.moved), cost=plus(cell.cost, order.value))
        else:
            after = self._sold(draft, cell, order)
        self._put(draft, number, after)

    def _fill_cells(self, draft: Draft[GridState], amount: Decimal) -> None:
        """Share out what the start has bought, the lowest cells first; each counts as bought at its level."""
        for number in draft.state.to_fill:
            share = min(self._params.amount, amount)
            amount = minus(amount, share)
            if share > 0:
                self._put(draft, number, Cell(held=share, cost=times(share, self._levels[number])))
        draft.set(to_fill=())

    def _sold(self, draft: Draft[GridState], cell: Cell, order: OwnOrder) -> Cell:
        """Return a cell after its sale has ended; what the venue's steps left over is nobody's."""
        whole = order.status == "filled" or order.named >= cell.held
        cost = cell.cost if whole else over(times(cell.cost, order.named), cell.held)
        profit = draft.state.grid_profit or ZERO
        draft.set(grid_profit=plus(profit, minus(order.value, cost)))
        return Cell() if whole else Cell(held=minus(cell.held, order.named), cost=minus(cell.cost, cost))

    def _place(self, draft: Draft[GridState]) -> None:
        """Give each cell without an order the one that it needs; a level that has an order waits for its end."""
        cells, price = draft.state.cells, draft.state.prices.to_buy
        if all(cell.order is not None for cell in cells):
            return
        taken = {order.terms.price for order in draft.state.orders.live}
        for number, cell in enumerate(cells):
            if cell.order is not None:
                continue
            buys = cell.held <= 0
            level = self._levels[number if buys else number + 1]
            if level in taken or (buys and (price is None or level >= price)):
                continue
            terms = Terms(
                side="buy" if buys else "sell", amount=self._params.amount if buys else cell.held, price=level
            )
            draft.place(terms, str(number))
            taken.add(level)
            order = draft.state.orders.tagged(str(number))
            self._put(draft, number, cell.model_copy(update={"order": None if order is None else order.client_id}))

    def _put(self, draft: Draft[GridState], number: int, cell: Cell) -> None:
        cells = draft.state.cells
        draft.set(cells=(*cells[:number], cell, *cells[number + 1 :]))


def levels_of(params: GridParams) -> tuple[Decimal, ...]:
    """Return the prices of a grid's levels, from the lowest to the highest."""
    steps = params.levels - 1
    if params.spacing == "arithmetic":
        width = FINE.divide(FINE.subtract(params.upper, params.lower), Decimal(steps))
        inner = [FINE.add(params.lower, FINE.multiply(width, Decimal(number))) for number in range(1, steps)]
    else:
        factor = FINE.power(FINE.divide(params.upper, params.lower), FINE.divide(Decimal(1), Decimal(steps)))
        inner = [FINE.multiply(params.lower, FINE.power(factor, Decimal(number))) for number in range(1, steps)]
    return (params.lower, *(Decimal(as_text(_DIGITS.plus(level))) for level in inner), params.upper)


KIND: Final = Kind("grid", Grid, GridParams, GridState)
