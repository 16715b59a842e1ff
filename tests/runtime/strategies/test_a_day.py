"""A grid and a DCA through simulated hours with restarts: the account is what their executions sum to, exactly."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from functools import reduce

import pytest

from contracts.arithmetic.exact import EXACT
from runtime.strategies.holdings import Holdings
from tests.runtime.strategies.exchange import BTC, Exchange, definition
from tests.runtime.strategies.test_dca import PLAN, SAFE
from tests.runtime.strategies.test_grid import PARAMS

D = Decimal
GRID = definition("grid", PARAMS | {"levels": 21})
DCA = definition("dca", SAFE | {"interval_seconds": 1800})


def exactly(*values: Decimal) -> Decimal:
    return reduce(EXACT.add, values, D(0))


def live(exchange: Exchange, hours: int, restarts: int, seed: int) -> None:
    """Walk a price for hours, a step every 5 s, with restarts, repeated events and repeated sends among it."""
    chance = random.Random(seed)
    steps = hours * 720
    stops = set(chance.sample(range(steps), restarts))
    tenths = 1000
    for number in range(steps):
        exchange.again = chance.random() < 0.1
        tenths = min(1120, max(880, tenths + chance.randint(-4, 4)))
        exchange.now += 5_000_000_000
        exchange.show(D(tenths) / 10, D(tenths + 1) / 10, size=chance.choice(["0.4", "3", "1000"]))
        if number in stops:
            exchange.restart()
        prices = Counter(order.price for order in exchange.open)
        assert max(prices.values(), default=0) <= 1


def check(exchange: Exchange) -> None:
    """Recompute what was made from the executions alone, and hold account, ledger and strategy to it."""
    fills = {fill.id: fill for fill in exchange.fills}.values()
    signs = {"buy": D(1), "sell": D(-1)}
    held = exactly(*(EXACT.multiply(signs[fill.side], fill.amount) for fill in fills))
    paid = exactly(*(EXACT.multiply(signs[fill.side], EXACT.multiply(fill.amount, fill.price)) for fill in fills))
    fees = exactly(*(fill.fee for fill in fills))
    balances = exchange.account.balances
    assert balances["BTC"] == exactly(exchange.balances["BTC"], held)
    assert balances["USDT"] == exactly(exchange.balances["USDT"], -paid, -fees)
    price = exchange.running.state.prices.last_known
    assert price is not None
    profit = exchange.running.profit(BTC)
    assert profit.unrealized is not None
    assert profit.fees == fees
    assert exactly(profit.realized, profit.unrealized) == exactly(EXACT.multiply(held, price), -paid)
    ledger = reduce(Holdings.fold, fills, Holdings())
    assert (ledger.realized, ledger.amount) == (profit.realized, held)


def check_parity(exchange: Exchange) -> None:
    """Decide everything again in one life: no difference in any decision or state."""
    decided = [(one.number, one.wanted, one.after.model_dump_json()) for one in exchange.decided]
    assert [(one.number, one.wanted, one.after.model_dump_json()) for one in exchange.replayed()] == decided


def day(hours: int, restarts: int) -> None:
    grid, dca = Exchange(GRID), Exchange(DCA)
    for seed, exchange in enumerate((grid, dca)):
        live(exchange, hours, restarts, seed)
        assert exchange.status == "running" or exchange.running.control.reason == "the stop was reached"
        assert len(exchange.fills) > hours
        check(exchange)
        check_parity(exchange)
    assert 0 <= dca.held <= PLAN


def test_an_hour_with_restarts_is_accounted_for() -> None:
    exchange = Exchange(GRID)
    live(exchange, 1, 10, seed=7)
    check(exchange)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_day_with_fifty_restarts_is_accounted_for_and_decides_alike() -> None:
    day(24, 50)
