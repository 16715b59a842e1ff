"""TP/SL: steps of profit and a stop over one position; one cancels the other, and never more than the position goes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.services.trading.events import OrderChanged, OrderFilled
from runtime.strategies import running as steps
from tests.runtime.strategies.exchange import BTC, ID, START, Exchange, definition

D = Decimal
PARAMS: dict[str, Any] = {
    "amount": "3",
    "take_profit": [{"percent": "2", "share": "33"}, {"percent": "4", "share": "67"}],
    "stop_percent": "3",
}
PRICES = st.integers(min_value=940, max_value=1070).map(lambda tenths: D(tenths) / 10)
MOVES = st.lists(st.one_of(PRICES, st.sampled_from(["restart", "again", "once"])), max_size=25)


def tpsl(**params: Any) -> Exchange:
    return Exchange(definition("tpsl", PARAMS | params))


def test_steps_rest_at_the_venue_and_the_last_sells_what_the_others_leave() -> None:
    exchange = tpsl()
    exchange.show("100")
    assert [(order.price, order.amount) for order in exchange.open] == [(102, D("0.99")), (104, D("2.01"))]
    exchange.show("102.5")
    assert exchange.held == D("-0.99")
    exchange.show("104.5")
    assert (exchange.held, exchange.status) == (-3, "done")
    assert exchange.running.control.reason == "the profit was taken"


def test_the_stop_cancels_the_steps_before_it_sells_the_rest() -> None:
    exchange = tpsl()
    exchange.show("100")
    exchange.show("102.5")
    exchange.show("97")
    assert (exchange.held, exchange.status, exchange.open) == (-3, "done", [])
    wanted = [one for decided in exchange.decided for one in decided.wanted]
    assert [one.what for one in wanted] == ["place", "place", "cancel", "place"]
    assert (wanted[-1].type, wanted[-1].amount) == ("market", D("2.01"))


def test_a_stop_that_was_reached_stays_reached_where_the_market_was_thin() -> None:
    exchange = tpsl()
    exchange.show("100")
    exchange.show("97", size="1")
    assert exchange.held == -1
    exchange.show("101")
    assert (exchange.held, exchange.status) == (-3, "done")


def test_a_trailing_stop_follows_the_highest_price_and_never_goes_back() -> None:
    exchange = tpsl(trailing_percent="1", take_profit=[])
    exchange.show("100")
    exchange.show("110")
    exchange.restart()
    exchange.show("109")
    assert exchange.status == "running"
    exchange.show("108.9")
    assert (exchange.status, exchange.held) == ("done", -3)


def test_a_wider_trailing_stop_does_not_lower_the_fixed_one() -> None:
    exchange = tpsl(trailing_percent="10", take_profit=[])
    exchange.show("100")
    exchange.show("97.1")
    assert exchange.status == "running"
    exchange.show("97")
    assert exchange.status == "done"


@settings(max_examples=30)
@given(MOVES, st.sampled_from(["1000", "0.8"]))
def test_no_more_than_the_position_is_ever_sold_or_offered(moves: list[Decimal | str], size: str) -> None:
    exchange = tpsl(trailing_percent="2")
    exchange.show("100")
    for move in moves:
        match move:
            case "restart":
                exchange.restart()
            case "again" | "once":
                exchange.again = move == "again"
            case _:
                exchange.show(move, size=size)
        offered = sum((order.left for order in exchange.open), D(0))
        assert offered - exchange.held <= 3
        if exchange.status == "done":
            assert exchange.held == -3
            assert exchange.open == []
    assert [(one.wanted, one.after) for one in exchange.replayed()] == [
        (one.wanted, one.after) for one in exchange.decided
    ]


def bought(status: str, filled: str) -> OrderChanged:
    values: dict[str, Any] = {"status": status, "filled": D(filled), "average_price": D("99.5"), "reason": None}
    values |= {"account": "9f86d081884c7d65", "owner": "alice", "venue": "paper", "symbol": BTC, "strategy": None}
    values |= {"order_id": ID, "client_id": "c-1", "number": 2, "side": "buy", "type": "limit", "price": D(100)}
    return OrderChanged(**values, id=f"{ID}.2", ts=START, amount=D(2))


def executed() -> OrderFilled:
    values: dict[str, Any] = {"account": "9f86d081884c7d65", "owner": "alice", "venue": "paper", "symbol": BTC}
    values |= {"order_id": ID, "client_id": "c-1", "fill_id": "1", "side": "buy", "fee": D(0), "fee_currency": "USDT"}
    return OrderFilled(**values, id="1", ts=START, amount=D(2), price=D("99.5"), ts_event=START, strategy=None)


def test_over_an_order_it_waits_for_its_end_and_takes_over_what_it_executed() -> None:
    made = definition("tpsl", PARAMS | {"amount": None, "order_id": ID})
    exchange = Exchange(made)
    exchange.show("100")
    for status in ("open", "filled"):
        assert exchange.open == []
        exchange.running = steps.step(made, exchange.running, executed(), exchange.now).running
        stepped = steps.step(made, exchange.running, bought(status, "2"), exchange.now)
        exchange.running = stepped.running
        exchange.settle()
    assert [(order.price, order.amount) for order in exchange.open] == [
        (D("101.49"), D("0.66")),
        (D("103.48"), D("1.34")),
    ]
    profit = exchange.running.profit(BTC)
    assert (profit.realized, profit.unrealized) == (0, 1)


def test_over_an_order_that_executed_nothing_it_is_done() -> None:
    made = definition("tpsl", PARAMS | {"amount": None, "order_id": ID})
    stepped = steps.step(made, steps.begin(made), bought("cancelled", "0"), START)
    assert stepped.running.control.status == "done"
