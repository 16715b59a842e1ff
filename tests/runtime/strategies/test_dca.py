"""DCA: never more than its plan, at its intervals, and one sale of all of it at the profit or the stop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.strategies.kinds.dca import SAFETY
from tests.runtime.strategies.exchange import BTC, Exchange, definition

D = Decimal
SAFE: dict[str, Any] = {
    "amount": "1",
    "safety_orders": {"count": 3, "step_percent": "2", "volume_scale": "1.5"},
    "take_profit_percent": "1",
    "stop_percent": "10",
}
PLAN = 1 + D("1.5") + D("2.25") + D("3.375")
PRICES = st.integers(min_value=800, max_value=1150).map(lambda tenths: D(tenths) / 10)
MOVES = st.lists(st.one_of(PRICES, st.sampled_from(["restart", "again", "once", "later"])), max_size=25)


def dca(**params: Any) -> Exchange:
    return Exchange(definition("dca", SAFE | params))


def test_safety_orders_stand_below_the_first_buy_each_larger_than_the_one_before() -> None:
    exchange = dca()
    exchange.show("100")
    assert [(order.price, order.amount) for order in exchange.open] == [
        (98, D("1.5")),
        (96, D("2.25")),
        (94, D("3.375")),
    ]
    assert exchange.held == 1


def test_all_of_it_is_sold_at_the_profit_over_the_average_and_safety_orders_go() -> None:
    exchange = dca()
    exchange.show("100")
    exchange.show("97")  # 2.5 at 98.8 on average: the profit is at 99.788
    exchange.show("99.7")
    assert exchange.status == "running"
    exchange.show("99.8")
    assert (exchange.status, exchange.running.control.reason) == ("done", "the profit was taken")
    assert exchange.held == 0
    assert exchange.open == []
    assert exchange.fills[-1].price == D("99.8")


def test_a_stop_sells_all_at_once_and_ends_it() -> None:
    exchange = dca()
    exchange.show("100")
    exchange.show("93")
    held = exchange.held
    assert held == PLAN
    exchange.show("86")
    assert (exchange.status, exchange.running.control.reason) == ("done", "the stop was reached")
    assert exchange.held == 0
    assert exchange.open == []


def test_a_profit_that_the_market_left_waits_and_the_stop_overtakes_it() -> None:
    exchange = dca()
    exchange.show("100")
    exchange.show("101.5", size="0.4")
    assert exchange.prices("sell") == [101]
    exchange.show("89")
    assert exchange.running.control.reason == "the stop was reached"
    assert exchange.held == 0


def test_each_interval_buys_once_and_one_that_was_missed_is_not_made_up_for() -> None:
    exchange = Exchange(definition("dca", {"amount": "1", "interval_seconds": 3600}))
    exchange.show("100")
    for _ in range(5):
        exchange.later(600)
    assert exchange.held == 1
    exchange.later(600)
    assert exchange.held == 2
    exchange.restart()
    exchange.later(5 * 3600)
    assert exchange.held == 3
    exchange.later(3599)
    assert exchange.held == 3
    exchange.later(1)
    assert exchange.held == 4


def test_with_an_interval_the_next_round_begins_with_it() -> None:
    exchange = dca(interval_seconds=3600)
    exchange.show("100")
    exchange.show("102")
    assert (exchange.held, exchange.status) == (0, "running")
    exchange.later(1800)
    assert exchange.held == 0
    exchange.later(1800)
    assert exchange.held == 1


@settings(max_examples=25)
@given(MOVES, st.sampled_from(["1000", "0.7"]))
def test_it_never_holds_more_than_its_plan_and_never_sells_more_than_it_holds(
    moves: list[Decimal | str], size: str
) -> None:
    exchange = dca(interval_seconds=600)
    exchange.show("100", size=size)
    for move in moves:
        match move:
            case "restart":
                exchange.restart()
            case "later":
                exchange.later(600)
            case "again" | "once":
                exchange.again = move == "again"
            case _:
                exchange.show(move, size=size)
        assert 0 <= exchange.held <= PLAN
        waiting = [order for order in exchange.open if order.side == "buy"]
        assert exchange.held + sum((order.left for order in waiting), D(0)) <= PLAN
        assert len({order.price for order in waiting}) == len(waiting)
        profit = exchange.running.profit(BTC)
        assert profit.unrealized is not None
        assert profit.realized + profit.unrealized - profit.fees == pytest.approx(exchange.made, abs=D("1e-18"))
    assert [(one.wanted, one.after) for one in exchange.replayed()] == [
        (one.wanted, one.after) for one in exchange.decided
    ]


def test_a_buy_that_is_refused_again_and_again_pauses() -> None:
    exchange = dca()
    exchange.refuse = "too small"
    for _ in range(9):
        exchange.show("100")
    assert exchange.status == "paused"
    assert len(exchange.sent) == 3


def test_a_first_buy_in_parts_places_safety_orders_by_what_it_paid() -> None:
    exchange = dca()
    exchange.show("100", size="0.25")
    assert exchange.held == D("0.25")
    assert [order.price for order in exchange.open if order.side == "buy"] == [98, 96, 94]
    assert all(order.tag.startswith(SAFETY) for order in exchange.running.state.orders.items.values())
