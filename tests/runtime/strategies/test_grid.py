"""Grid: one order at a level, whatever comes again, restarts or is refused; its profit adds up to what was gained."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.services.trading.strategy_params import GridParams
from runtime.strategies.kinds.grid import GridState, levels_of
from tests.runtime.strategies.exchange import BTC, Exchange, definition

D = Decimal
PARAMS: dict[str, Any] = {"lower": "90", "upper": "110", "levels": 11, "spacing": "arithmetic", "amount": "1"}
PRICES = st.integers(min_value=850, max_value=1150).map(lambda tenths: D(tenths) / 10)
MOVES = st.lists(st.one_of(PRICES, st.sampled_from(["restart", "again", "once"])), max_size=20)
FEW = settings(max_examples=20)


def grid(**params: Any) -> Exchange:
    return Exchange(definition("grid", PARAMS | params))


def cells(exchange: Exchange) -> GridState:
    state = exchange.running.state
    assert isinstance(state, GridState)
    return state


def play(exchange: Exchange, moves: list[Decimal | str]) -> Exchange:
    exchange.show("100.5", "100.7")
    for move in moves:
        match move:
            case "restart":
                exchange.restart()
            case "again" | "once":
                exchange.again = move == "again"
            case _:
                exchange.show(move)
                check(exchange)
    return exchange


def check(exchange: Exchange) -> None:
    """Hold what is open to one order a level and one a cell, and what is held to the fills."""
    prices = Counter(order.price for order in exchange.open)
    assert [price for price, count in prices.items() if count > 1] == []
    state = cells(exchange)
    assert len([cell for cell in state.cells if cell.order is not None]) == len(exchange.open)
    assert len(exchange.open) <= len(state.cells)
    assert sum((cell.held for cell in state.cells), D(0)) == exchange.held
    profit = exchange.running.profit(BTC)
    assert profit.unrealized is not None
    assert profit.grid is not None
    assert profit.trend is not None
    assert profit.realized + profit.unrealized - profit.fees == pytest.approx(exchange.made, abs=D("1e-20"))
    assert profit.grid + profit.trend == profit.realized + profit.unrealized


def test_it_buys_below_the_price_and_sells_above_it_what_it_bought_at_the_start() -> None:
    exchange = grid()
    exchange.show("100.5", "100.7")
    assert exchange.prices("buy") == [90, 92, 94, 96, 98, 100]
    assert exchange.prices("sell") == [104, 106, 108, 110]
    assert exchange.held == 4
    exchange.show("97")
    assert exchange.prices("sell")[:2] == [100, 102]
    exchange.show("101")
    assert exchange.prices("buy")[-1] == 98
    assert exchange.running.profit(BTC).grid == 2


def test_a_grid_without_a_price_waits_for_one() -> None:
    exchange = grid()
    exchange.wait(1)
    assert exchange.open == []
    assert cells(exchange).cells == ()


@FEW
@given(MOVES)
def test_no_level_is_ever_doubled_and_the_profit_adds_up(moves: list[Decimal | str]) -> None:
    play(grid(), moves)


@FEW
@given(MOVES)
def test_the_same_events_give_the_same_decisions_byte_for_byte(moves: list[Decimal | str]) -> None:
    exchange = play(grid(), moves)
    replayed = exchange.replayed()
    assert [(one.number, one.wanted, one.after.model_dump_json()) for one in replayed] == [
        (one.number, one.wanted, one.after.model_dump_json()) for one in exchange.decided
    ]


@FEW
@given(MOVES)
def test_thin_books_fill_in_parts_and_double_nothing(moves: list[Decimal | str]) -> None:
    exchange = grid()
    exchange.show("100.5", "100.7", size="0.3")
    for move in moves:
        if isinstance(move, Decimal):
            exchange.show(move, size="0.3")
            prices = Counter(order.price for order in exchange.open)
            assert max(prices.values(), default=0) <= 1
            named = sum((order.moved for order in exchange.running.state.orders.items.values()), D(0))
            sells = [order for order in exchange.running.state.orders.items.values() if order.terms.side == "sell"]
            sold = sum((order.named for order in sells), D(0))
            held = sum((cell.held for cell in cells(exchange).cells), D(0))
            assert held + named - sold - sold == exchange.held
        elif move == "restart":
            exchange.restart()


def test_levels_are_equal_steps_or_equal_factors_between_its_ends() -> None:
    assert levels_of(GridParams.model_validate(PARAMS)) == tuple(map(D, range(90, 111, 2)))
    levels = levels_of(
        GridParams.model_validate(PARAMS | {"lower": "100", "upper": "400", "levels": 5, "spacing": "geometric"})
    )
    assert levels == (100, D("141.421356237309505"), 200, D("282.84271247461901"), 400)


def test_a_level_that_was_refused_is_tried_again_and_none_is_lost() -> None:
    exchange = grid()
    exchange.show("100.5", "100.7")
    exchange.refuse = "the venue has a headache"
    exchange.show("97")
    exchange.refuse = None
    exchange.show("97.1")
    assert exchange.status == "running"
    assert len(exchange.open) == 10


def test_a_grid_without_money_pauses_in_place_of_trying_forever() -> None:
    exchange = grid()
    exchange.account.balances["USDT"] = D(0)
    exchange.show("100.5", "100.7")
    for _ in range(20):
        exchange.show("100.5", "100.7")
    assert exchange.status == "paused"
    assert "orders in a row were refused" in str(exchange.running.control.reason)
    assert len(exchange.sent) < 20


def test_a_sell_that_was_cancelled_in_part_by_others_pauses_and_later_sells_the_rest_only() -> None:
    exchange = grid()
    exchange.show("100.5", "100.7")
    (order,) = [order for order in exchange.open if order.price == 104]
    exchange.show("104.5", size="0.4")
    assert order.filled == D("0.4")
    exchange.cancel(order.client_id)
    assert exchange.status == "paused"
    assert 104 not in exchange.prices("sell")
    exchange.resume()
    (again,) = [order for order in exchange.open if order.price == 104]
    assert again.amount == D("0.6")
    check(exchange)
