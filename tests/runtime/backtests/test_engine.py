"""Backtests: the same decisions and executions as live on paper, and figures that an own recomputation confirms."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from contracts.market import BookSnapshot, Trade
from contracts.services.trading.events import OrderFilled
from runtime.backtests.decisions import first_difference, line_of
from runtime.backtests.engine import Backtest, Outcome, Terms
from runtime.backtests.figures import Coverage, Worth
from runtime.store import Store
from runtime.strategies.protocol import MarketEvent
from runtime.strategies.running import Decided
from runtime.trading.ledger import Execution
from tests.runtime.backtests.live import LivePaper
from tests.runtime.backtests.simulated import SECOND, START, definition, market, stamped, terms

D = Decimal
Events = list[tuple[MarketEvent, int]]


def run(asked: Terms, events: Events) -> tuple[Outcome, list[Decided]]:
    decided: list[Decided] = []
    backtest = Backtest(asked, lambda one, _digest: decided.append(one))
    for event, now_ns in events:
        backtest.take(event, now_ns)
    return backtest.end(), decided


@pytest.mark.parametrize("kind", ["grid", "dca"])
async def test_decisions_and_executions_are_those_of_live_paper(kind: str, documents: Store) -> None:
    events, asked = list(market(3, 60)), terms(definition(kind), 60)
    outcome, decided = run(asked, events)
    live = LivePaper(asked, documents)
    await live.run(events)
    one, other = [line_of(found) for found in decided], [line_of(found) for found, _ in live.decided]
    assert first_difference(one, other) is None
    assert len(one) > 2
    assert [booked.execution for booked in outcome.booked] == [_execution(fill) for fill in live.fills]
    assert [one.after for one in decided] == [found.after for found, _ in live.decided]  # the states, too
    held = await live.balances()
    assert outcome.profit == held["USDT"] + held["BTC"] * last_price(events) - 10_000


def _execution(fill: OrderFilled) -> Execution:
    fields: dict[str, Any] = {name: getattr(fill, name) for name in Execution.__dataclass_fields__ if name != "ts"}
    return Execution(ts=fill.ts_event, **fields)


def last_price(events: Events) -> Decimal:
    """Return the price that the end is valued at: the middle of a book, or the last trade or ticker after it."""
    price = D(0)
    for event, _ in events:
        match event:
            case BookSnapshot():
                price = (event.bids[0][0] + event.asks[0][0]) / 2
            case Trade():
                price = event.price
            case _:
                price = event.last or price  # type: ignore[union-attr]
    return price


def test_the_same_run_gives_the_same_bytes() -> None:
    events, asked = list(market(5, 60)), terms(definition(), 60)
    first, second = run(asked, events), run(asked, events)
    assert first[0] == second[0]
    assert [line_of(one) for one in first[1]] == [line_of(one) for one in second[1]]


def test_profit_fees_and_drawdown_are_those_of_the_executions_alone() -> None:
    events = list(market(11, 480))
    outcome, _ = run(terms(definition(), 480), events)
    money, coins = Fraction(10_000), Fraction(0)
    fees = Fraction(0)
    for booked in outcome.booked:
        one = booked.execution
        sign = 1 if one.side == "buy" else -1
        coins += sign * Fraction(one.amount)
        money -= sign * Fraction(one.amount) * Fraction(one.price) + Fraction(one.fee)
        fees += Fraction(one.fee)
    assert len(outcome.booked) > 7
    assert Fraction(outcome.profit) == money + coins * Fraction(last_price(events)) - 10_000
    assert Fraction(outcome.fees["USDT"]) == fees
    highest, deepest = Fraction(0), Fraction(0)
    for _, value in outcome.curve:  # every event of this run is a point of the curve
        highest = max(highest, Fraction(value))
        deepest = max(deepest, (highest - Fraction(value)) / highest)
    assert abs(Fraction(outcome.max_drawdown) - deepest * 100) <= Fraction(1, 10_000)


def test_over_an_hour_paper_fills_at_most_what_was_traded_or_shown_at_each_price() -> None:
    """Shown counts as often as an amount grew at a price; traded with what came through the price."""
    events = list(market(17, 3600, every=3 * SECOND))
    outcome, _ = run(terms(definition(), 3600), events)
    shown: dict[tuple[str, Decimal], Decimal] = defaultdict(D)
    before: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    traded: dict[Decimal, Decimal] = defaultdict(D)
    for event, _ in events:
        match event:
            case BookSnapshot():
                for side, levels in (("buy", dict(event.asks)), ("sell", dict(event.bids))):
                    for price, amount in levels.items():
                        shown[side, price] += max(D(0), amount - before[side].get(price, D(0)))
                    before[side] = levels
            case Trade():
                traded[event.price] += event.amount or D(0)
            case _:
                pass
    filled: dict[tuple[str, Decimal], Decimal] = defaultdict(D)
    for booked in outcome.booked:
        filled[booked.execution.side, booked.execution.price] += booked.execution.amount
    assert len(filled) > 5
    for (side, price), amount in filled.items():
        reached = [other for other in traded if (other <= price if side == "buy" else other >= price)]
        through = sum((traded[other] for other in reached), D(0))
        offered = [key for key in shown if key[0] == side and (key[1] <= price if side == "buy" else key[1] >= price)]
        assert amount <= through + sum((shown[key] for key in offered), D(0)), (side, price)


def test_an_order_is_not_filled_by_what_came_before_it_reached_the_venue() -> None:
    """Vnpy #3521: an order that an event made was filled by that same event."""
    book: dict[str, Any] = {"seq": None, "quality": "sim", "unit": "base"}
    thick = BookSnapshot(**stamped("book", 1, START), bids=[(D(99), D(9))], asks=[(D(100), D(9))], **book)
    gone = START + SECOND // 20  # before the order is there
    thin = BookSnapshot(**stamped("book", 2, gone), bids=[(D(99), D(9))], asks=[(D(101), D(9))], **book)
    (_, ticker_at), *_ = events = [(event, now) for event, now in market(1, 2) if event.kind == "ticker"]
    shifted = events[0][0].model_copy(update={"ts_recv": START + 1})
    asked = terms(definition("dca"), 60)
    outcome, decided = run(asked, [(thick, START), (shifted, START + 1), (thin, gone), (thin, START + 2 * SECOND)])
    assert ticker_at > START
    assert decided[0].now_ns == START + 1
    assert [booked.execution.price for booked in outcome.booked] == [101]


def test_an_order_waits_for_a_book_and_a_strategy_whose_orders_always_wait_is_paused() -> None:
    events = list(market(1, 30))
    bare = [
        (event.model_copy(update={"bid_amount": None, "ask_amount": None}), now)
        for event, now in events
        if event.kind == "ticker"
    ]
    outcome, decided = run(terms(definition("dca"), 30), bare)
    assert (outcome.booked, outcome.status, len(decided)) == ((), "paused", 1)
    assert "no live book" in str(outcome.reason)
    late = [*bare[:3], *((event, now) for event, now in events if now > bare[2][1])]
    assert run(terms(definition("dca"), 30), late)[0].booked[0].execution.ts > bare[2][1]


def test_coverage_counts_a_minute_after_each_event() -> None:
    coverage = Coverage(0, 1000 * SECOND)
    assert coverage.percent() == 0
    for at in (100, 130, 400):
        coverage.on_event(at * SECOND)
    assert coverage.percent() == D(15)  # 30 + 60 + 60 of 1000 seconds


def test_worth_and_exposure_are_over_the_whole_span() -> None:
    worth = Worth(0, 100, 10)
    worth.on_held(D(0), 0)
    for at, value in ((0, 100), (15, 120), (25, 90), (90, 110)):
        worth.on_value(D(value), at)
    worth.on_held(D(1), 10)
    worth.on_held(D(0), 30)
    worth.on_held(D(1), 90)
    assert (worth.profit, worth.max_drawdown, worth.exposure) == (10, 25, 30)
    assert [value for _, value in worth.curve] == [100, 120, 90, 110]
