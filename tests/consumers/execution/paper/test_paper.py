"""Paper fills: queue, partial fills, fees, funds; and never more than was traded or shown, over any span."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.trading.figures import Fees, OrderRefusedError, Print
from runtime.trading.order import Side
from runtime.trading.paper.account import PaperAccount
from tests.consumers.execution.stage import START, intent

BTC = "BTC/USDT"
D = Decimal


def account(**balances: Any) -> PaperAccount:
    made = {"USDT": D(100_000), "BTC": D(1000)} | {name: D(value) for name, value in balances.items()}
    return PaperAccount(made, Fees(maker=D("0.001"), taker=D("0.002")))


def levels(*pairs: tuple[Any, Any]) -> list[tuple[Decimal, Decimal]]:
    return [(D(price), D(amount)) for price, amount in pairs]


def show(paper: PaperAccount, bids: list[tuple[Any, Any]], asks: list[tuple[Any, Any]]) -> None:
    paper.on_book(BTC, (levels(*bids), levels(*asks)), START)


def place(paper: PaperAccount, number: int = 1, **fields: Any) -> Any:
    values = {
        name: D(value) if name in {"amount", "price"} and value is not None else value for name, value in fields.items()
    }
    return paper.place(intent(number, **values), START)


def trade(paper: PaperAccount, price: Any, amount: Any, side: Side | None = "sell") -> None:
    paper.on_trade(BTC, Print(D(price), D(amount), side), START)


def test_a_market_order_eats_the_book_at_its_prices_and_pays_the_takers_fee() -> None:
    paper = account()
    show(paper, [(99, 1)], [(101, 2), (102, 5)])
    order = place(paper, type="market", price=None, amount=3)
    assert [(fill.price, fill.amount, fill.fee) for fill in order.fills] == [
        (D(101), D(2), D("0.404")),
        (D(102), D(1), D("0.204")),
    ]
    assert order.status == "filled"
    assert paper.balances == {"USDT": D(100_000) - D(304) - D("0.608"), "BTC": D(1003)}


def test_what_was_eaten_is_not_there_for_the_next_order() -> None:
    paper = account()
    show(paper, [], [(101, 2)])
    place(paper, type="market", price=None, amount=2)
    show(paper, [], [(101, 2)])
    second = place(paper, 2, type="market", price=None, amount=2)
    assert (second.status, second.filled, second.reason) == ("cancelled", 0, "the book showed no more")
    show(paper, [], [(101, 3)])
    assert place(paper, 3, type="market", price=None, amount=2).filled == 1


def test_a_limit_takes_what_is_better_and_rests_with_what_is_left() -> None:
    paper = account()
    show(paper, [(99, 1)], [(101, 2), (103, 5)])
    order = place(paper, price=102, amount=3)
    assert (order.status, order.filled) == ("open", 2)
    show(paper, [(99, 1)], [(102, "0.4"), (103, 5)])
    assert (order.status, order.filled, order.fills[-1].price) == ("open", D("2.4"), 102)
    assert order.fills[-1].fee == D("0.0408")  # as a maker


def test_a_limit_waits_behind_what_was_shown_at_its_price() -> None:
    paper = account()
    show(paper, [(100, 5)], [(101, 1)])
    order = place(paper, price=100, amount=2)
    trade(paper, 100, 4)
    assert order.filled == 0
    trade(paper, 100, 2)
    assert order.filled == 1
    trade(paper, 100, 10)
    assert (order.status, order.filled) == ("filled", 2)


def test_those_ahead_who_leave_let_it_come_nearer() -> None:
    paper = account()
    show(paper, [(100, 5)], [(101, 1)])
    order = place(paper, price=100, amount=2)
    show(paper, [(100, 1)], [(101, 1)])
    show(paper, [(100, 9)], [(101, 1)])  # who comes later stands behind
    trade(paper, 100, 2)
    assert order.filled == 1


def test_a_trade_through_its_price_fills_it_at_its_price() -> None:
    paper = account()
    show(paper, [(100, 5)], [(101, 1)])
    order = place(paper, price=100, amount=2)
    trade(paper, 99, 1, None)
    assert [(fill.price, fill.amount) for fill in order.fills] == [(100, 1)]


@pytest.mark.parametrize("side", ["buy", None])
def test_a_trade_that_did_not_hit_the_bids_fills_no_bid_at_its_price(side: Any) -> None:
    paper = account()
    show(paper, [(100, 0), (99, 1)], [(101, 1)])
    order = place(paper, price=100, amount=2)
    trade(paper, 100, 5, side)
    assert order.filled == 0


def test_one_trade_serves_several_orders_no_more_than_it_has() -> None:
    paper = account()
    show(paper, [(99, 1)], [(101, 1)])
    first, second, better = (
        place(paper, number, price=price, amount=2) for number, price in ((1, 99), (2, 99), (3, 100))
    )
    trade(paper, 98, 3)
    assert (better.filled, first.filled, second.filled) == (2, 1, 0)


def test_a_price_out_of_sight_has_a_queue_that_nobody_knows() -> None:
    paper = account()
    show(paper, [(100, 1)], [(101, 1)])
    order = place(paper, price=90, amount=2)
    trade(paper, 90, 50)
    assert order.filled == 0
    show(paper, [(90, 4)], [(91, 1)])
    trade(paper, 90, 5)
    assert order.filled == 1


def test_what_others_have_bought_is_not_there_any_more() -> None:
    paper = account()
    show(paper, [], [(101, 5)])
    trade(paper, 101, 4, "buy")
    assert place(paper, type="market", price=None, amount=3).filled == 1


def test_what_was_eaten_is_remembered_while_it_is_out_of_sight() -> None:
    paper = account()
    show(paper, [], [(101, 1), (105, 2)])
    place(paper, type="market", price=None, amount=3)
    show(paper, [], [(100, 1)])
    show(paper, [], [(101, 1), (105, 2)])
    assert place(paper, 2, type="market", price=None, amount=3).filled == 0


def test_sells_are_as_buys() -> None:
    paper = account()
    show(paper, [(100, 1)], [(101, 3)])
    order = place(paper, side="sell", price=101, amount=2)
    trade(paper, 101, 4, "buy")
    assert order.filled == 1
    show(paper, [(102, "0.5")], [(103, 1)])
    assert (order.filled, order.fills[-1].price) == (D("1.5"), 101)
    assert paper.balances["BTC"] == D("998.5")


def test_post_only_is_refused_where_it_would_take() -> None:
    paper = account()
    show(paper, [(100, 1)], [(101, 3)])
    with pytest.raises(OrderRefusedError, match="taker"):
        place(paper, price=101, amount=1, post_only=True)
    assert place(paper, price="100.5", amount=1, post_only=True).status == "open"


def test_money_that_is_held_is_not_spent_twice() -> None:
    paper = account(USDT=1000)
    show(paper, [(99, 1)], [(200, 9)])
    place(paper, price=100, amount=9)
    assert paper.held() == {"USDT": D("901.8")}
    with pytest.raises(OrderRefusedError, match=r"needs 200.4 USDT; 98.2 USDT are free"):
        place(paper, 2, price=100, amount=2)
    with pytest.raises(OrderRefusedError, match="USDT are free"):
        place(paper, 2, type="market", price=None, amount=1)
    paper.cancel("client1")
    assert place(paper, 2, price=100, amount=2).status == "open"


def test_coins_that_are_not_there_are_not_sold() -> None:
    paper = account(BTC=1)
    show(paper, [(99, 1)], [(200, 9)])
    with pytest.raises(OrderRefusedError, match="needs 2 BTC; 1 BTC are free"):
        place(paper, side="sell", price=300, amount=2)


def test_without_a_book_nothing_is_placed() -> None:
    with pytest.raises(OrderRefusedError, match="no live book"):
        place(account(), price=100, amount=1)


# ---- over any span the volume filled at or through a price is at most what was traded or shown there
PRICES = st.integers(95, 105).map(Decimal)
AMOUNTS = st.integers(1, 8).map(Decimal)
SIDE = st.sampled_from(["buy", "sell"])


@st.composite
def books(draw: st.DrawFn) -> tuple[str, Any]:
    middle = draw(st.integers(96, 104))
    bids = draw(st.lists(st.integers(95, middle), unique=True, max_size=4))
    asks = draw(st.lists(st.integers(middle + 1, 106), unique=True, max_size=4))
    return "book", (
        [(D(price), draw(AMOUNTS)) for price in sorted(bids, reverse=True)],
        [(D(price), draw(AMOUNTS)) for price in sorted(asks)],
    )


ACTIONS = st.one_of(
    books(),
    st.tuples(st.just("trade"), st.tuples(PRICES, AMOUNTS, st.sampled_from(["buy", "sell", None]))),
    st.tuples(st.just("limit"), st.tuples(PRICES, AMOUNTS, SIDE)),
    st.tuples(st.just("market"), st.tuples(st.none(), AMOUNTS, SIDE)),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
)


@dataclass
class Record:
    """What was shown, traded and filled, moment by moment: made without any of the venue's own figures."""

    shown: dict[str, dict[Decimal, Decimal]] = field(default_factory=lambda: {"buy": {}, "sell": {}})
    grown: list[dict[tuple[str, Decimal], Decimal]] = field(default_factory=list[Any])
    before: list[dict[tuple[str, Decimal], Decimal]] = field(default_factory=list[Any])
    filled: list[list[tuple[str, Decimal, Decimal]]] = field(default_factory=list[Any])

    def next(self) -> None:
        self.before.append({(side, price): amount for side, at in self.shown.items() for price, amount in at.items()})
        self.grown.append({})
        self.filled.append([])

    def offer(self, side: str, price: Decimal, amount: Decimal) -> None:
        """Count what somebody could have traded with, of one side of the book."""
        self.grown[-1][side, price] = self.grown[-1].get((side, price), D(0)) + amount

    def on_book(self, side: str, levels: list[tuple[Decimal, Decimal]]) -> None:
        for price, amount in levels:
            self.offer(side, price, max(D(0), amount - self.shown[side].get(price, D(0))))
        self.shown[side] = dict(levels)

    def check(self) -> None:
        """Hold every span and every price to it."""
        for begin in range(len(self.filled)):
            for price in range(95, 107):
                for side, other in (("buy", "sell"), ("sell", "buy")):
                    self._check_from(begin, D(price), side, other)

    def _check_from(self, begin: int, limit: Decimal, side: str, other: str) -> None:
        def within(price: Decimal) -> bool:
            return price <= limit if side == "buy" else price >= limit

        there = sum(
            (amount for (of, price), amount in self.before[begin].items() if of == other and within(price)), D(0)
        )
        filled = D(0)
        for grown, fills in zip(self.grown[begin:], self.filled[begin:], strict=True):
            there += sum((amount for (of, price), amount in grown.items() if of == other and within(price)), D(0))
            filled += sum((amount for of, price, amount in fills if of == side and within(price)), D(0))
            assert filled <= there


@settings(max_examples=100, deadline=None)
@given(actions=st.lists(ACTIONS, min_size=2, max_size=18))
def test_no_more_is_filled_than_was_traded_or_shown(actions: list[tuple[str, Any]]) -> None:
    paper, record = account(), Record()
    orders: dict[str, Any] = {}
    begun = dict(paper.balances)
    for number, (kind, what) in enumerate(actions):
        counts = {name: len(order.fills) for name, order in orders.items()}
        record.next()
        match kind:
            case "book":
                record.on_book("buy", what[0])
                record.on_book("sell", what[1])
                paper.on_book(BTC, what, START)
            case "trade":
                price, amount, aggressor = what
                for resting in ("buy", "sell"):  # who hits the bids sells to them: as an ask would have been
                    if aggressor != resting:
                        record.offer("sell" if resting == "buy" else "buy", price, amount)
                paper.on_trade(BTC, Print(price, amount, aggressor), START)
            case "cancel":
                paper.cancel(f"client{what}")
            case _:
                price, amount, side = what
                try:
                    order = place(paper, number, type=kind, price=price, amount=amount, side=side)
                except OrderRefusedError:
                    continue
                orders[order.client_id] = order
        for name, order in orders.items():
            record.filled[-1] += [(order.side, fill.price, fill.amount) for fill in order.fills[counts.get(name, 0) :]]
            assert order.filled <= order.amount
            assert order.price is None or all(
                fill.price <= order.price if order.side == "buy" else fill.price >= order.price for fill in order.fills
            )
    record.check()
    assert paper.balances == expected(begun, orders.values())
    assert all(paper.balances[name] >= held for name, held in paper.held().items())


def expected(begun: dict[str, Decimal], orders: Any) -> dict[str, Decimal]:
    """The money by the executions alone."""
    money = dict(begun)
    for order in orders:
        sign = 1 if order.side == "buy" else -1
        for fill in order.fills:
            money["BTC"] += sign * fill.amount
            money["USDT"] -= sign * fill.amount * fill.price + fill.fee
    return money


def test_the_record_would_notice_a_level_that_fills_twice() -> None:
    record = Record()
    record.next()
    record.on_book("sell", levels((100, 5)))
    record.next()
    record.filled[-1].append(("buy", D(100), D(6)))
    with pytest.raises(AssertionError):
        record.check()
