"""The private side of simulated exchanges: what is shown fills orders once, and no money is made or lost."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from producers.simulator.hub import Answer
from producers.simulator.private import (
    Account,
    Exchange,
    PrivateFault,
    PrivateFaults,
    PrivateSide,
    Refusals,
    RefusedError,
    Spot,
    Wanted,
)
from producers.simulator.private.faults import FAULT_KINDS

D = Decimal
PAIR = "BTC/IDR"
SPOT = Spot(
    symbol=PAIR,
    base="BTC",
    quote="IDR",
    price_step=D(10),
    amount_step=D("0.01"),
    least_amount=D("0.05"),
    least_value=D(100),
)
RECEIVED = Spot(symbol=PAIR, base="BTC", quote="IDR", price_step=D(10), amount_step=D("0.01"), fee_in="received")
ASKS = [(D(1010), D(1)), (D(1020), D(2))]
BIDS = [(D(1000), D(1)), (D(990), D(2))]
REFUSALS = Refusals(lambda: Answer(503, "closed"), lambda: Answer(429, "slower"))


def opened(market: Spot = SPOT) -> tuple[Exchange, Account]:
    exchange = Exchange([market])
    account = exchange.add_account("key", "secret", {"view", "trade"}, {"IDR": D(10_000), "BTC": D(5)})
    exchange.on_book(PAIR, BIDS, ASKS, 1)
    return exchange, account


def limit(side: str = "buy", price: int = 1000, amount: str = "1", **fields: object) -> Wanted:
    values: dict[str, object] = {"symbol": PAIR, "side": side, "type": "limit", "amount": D(amount), "price": D(price)}
    return Wanted(**(values | fields))  # type: ignore[arg-type]


def test_an_order_takes_what_is_shown_once_and_rests_with_what_is_left() -> None:
    exchange, account = opened()
    order = exchange.place(account, limit(price=1010, amount="1.5"), 2)
    assert (order.status, order.filled, order.left) == ("open", D(1), D("0.5"))
    assert exchange.place(account, limit(price=1010, amount="1"), 3).filled == 0  # it was shown once
    exchange.on_book(PAIR, BIDS, [(D(1010), D("0.3")), (D(1020), D(2))], 4)
    assert order.filled == D("1.3")
    exchange.cancel(account, order.id, 5)
    assert (order.status, order.held) == ("cancelled", 0)
    assert exchange.imbalance() == {}
    assert account.has("BTC") == D("6.3")
    assert account.has("IDR") == D(10_000) - order.spent - order.fee


def test_a_market_buy_by_its_cost_never_costs_more() -> None:
    for market in (SPOT, RECEIVED):
        exchange, account = opened(market)
        order = exchange.place(account, Wanted(symbol=PAIR, side="buy", type="market", cost=D(2000)), 2)
        assert order.status == "filled"
        assert D(1900) < D(10_000) - account.has("IDR") <= D(2000)
        assert exchange.imbalance() == {}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (limit(price=1001), "price_step"),
        (limit(amount="0.105"), "amount_step"),
        (limit(amount="0.04"), "least_amount"),
        (limit(price=900, amount="0.1"), "least_value"),
        (limit(amount="20"), "funds"),
        (limit(price=1010, post_only=True), "would_take"),
        (limit(client_id="c-1"), "duplicate"),
        (limit(symbol="ETH/IDR"), "symbol"),
        (limit(type="market"), "terms"),
    ],
)
def test_what_is_refused_changes_nothing(wanted: Wanted, code: str) -> None:
    exchange, account = opened()
    exchange.place(account, limit(price=500, client_id="c-1"), 2)
    before = dict(account.free), dict(account.held), len(exchange.orders)
    with pytest.raises(RefusedError) as refused:
        exchange.place(account, wanted, 3)
    assert refused.value.code == code
    assert (dict(account.free), dict(account.held), len(exchange.orders)) == before


def test_an_account_sees_nothing_of_another() -> None:
    exchange, account = opened()
    other = exchange.add_account("other", "secret", {"trade"}, {})
    order = exchange.place(account, limit(client_id="c-1"), 2)
    assert exchange.find(other, order_id=order.id) is None
    assert exchange.find(other, client_id="c-1") is None
    with pytest.raises(RefusedError):
        exchange.cancel(other, order.id, 3)
    assert exchange.find(account, client_id="c-1") is order


def test_a_countdown_cancels_unless_it_is_set_again() -> None:
    exchange, account = opened()
    order = exchange.place(account, limit(), 2)
    exchange.count_down(account, [PAIR], 100)
    exchange.count_down(account, [PAIR], 200)
    assert exchange.tick(150) == []
    assert exchange.tick(200) == [order]
    exchange.count_down(account, [PAIR], 300)
    exchange.count_down(account, [PAIR], None)
    resting = exchange.place(account, limit(), 2)
    assert exchange.tick(1000) == []
    assert resting.status == "open"


@pytest.mark.parametrize("seed", range(20))
def test_no_unit_of_money_is_made_or_lost(seed: int) -> None:
    rng = random.Random(seed)
    exchange, account = opened(rng.choice([SPOT, RECEIVED]))
    other = exchange.add_account("other", "secret", {"trade"}, {"IDR": D(5000), "BTC": D("2.5")})
    for now in range(2, 150):
        who, side, amount = rng.choice([account, other]), rng.choice(["buy", "sell"]), D(rng.randrange(5, 200)) / 100
        price = D(rng.randrange(95, 107) * 10)
        kind = rng.choice(["limit", "limit", "market", "cost", "cancel", "book"])
        try:
            if kind == "limit":
                exchange.place(who, limit(side, int(price), str(amount), post_only=rng.random() < 0.2), now)
            elif kind == "market":
                exchange.place(who, Wanted(symbol=PAIR, side=side, type="market", amount=amount), now)  # type: ignore[arg-type]
            elif kind == "cost":
                exchange.place(who, Wanted(symbol=PAIR, side="buy", type="market", cost=amount * 900), now)
            elif kind == "cancel" and (there := exchange.list_orders(who, is_open=True)):
                exchange.cancel(who, rng.choice(there).id, now)
            else:
                amounts = [D(rng.randrange(1, 300)) / 100 for _ in range(4)]
                bids = [(price - 10, amounts[0]), (price - 20, amounts[1])]
                exchange.on_book(PAIR, bids, [(price, amounts[2]), (price + 10, amounts[3])], now)
        except RefusedError:
            pass
        assert exchange.imbalance() == {}
        for one in (account, other):
            assert all(amount >= 0 for amount in (*one.free.values(), *one.held.values()))
    assert exchange.list_fills(account, 200)
    for one in (account, other):
        for order in exchange.list_orders(one, is_open=True):
            exchange.cancel(one, order.id, 200)
        assert not any(one.held.values())


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_each_fault_does_what_it_says(kind: str) -> None:
    exchange, account = opened()
    side = PrivateSide(exchange)
    side.faults.order(PrivateFault(kind, "trade", seconds=1, share=D("0.5")), 2)  # type: ignore[arg-type]

    def act(now_us: int) -> Answer:
        try:
            exchange.place(account, limit(price=1010, client_id="c-1"), now_us)
        except RefusedError as error:
            return Answer(200, error.code)
        return Answer(200, "taken")

    assert side.answer("getInfo", lambda _now: Answer(200, "info"), REFUSALS, 2).body in {"info", "closed", "slower"}
    answer = side.answer("trade", act, REFUSALS, 2)
    found = exchange.find(account, client_id="c-1")
    lost = kind in {"lost_before", "lost_after", "late"}
    assert answer.lost == lost
    assert (found is None) == (kind in {"lost_before", "late", "maintenance", "rate_limit"})
    expected = {"maintenance": 503, "rate_limit": 429}.get(kind, 0 if lost else 200)
    assert answer.status == expected
    assert answer.body == {"duplicate": "duplicate", "maintenance": "closed", "rate_limit": "slower"}.get(
        kind, "" if lost else "taken"
    )
    side.tick(2_000_000)
    found = exchange.find(account, client_id="c-1")
    assert (found is not None) == (kind not in {"lost_before", "maintenance", "rate_limit"})
    if kind == "partial_fill":
        assert found is not None
        assert found.filled == D("0.5")
    if kind == "late_fill":
        assert exchange.list_fills(account, 3) == []
        assert len(exchange.list_fills(account, 2_000_000)) == 1
    assert side.faults.done[kind] == 1


def test_seeded_rates_strike_the_same_requests_again() -> None:
    def strikes(seed: int) -> list[str | None]:
        faults = PrivateFaults(random.Random(seed), {"lost_before": 0.3, "lost_after": 0.3}, frozenset({"trade"}))
        found = [faults.find("trade", 1) for _ in range(50)]
        assert faults.find("getInfo", 1) is None
        return [None if fault is None else fault.kind for fault in found]

    assert strikes(1) == strikes(1) != strikes(2)
