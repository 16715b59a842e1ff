"""One bar at its bounds: the most that it takes, and which writing of a price stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import pytest

from consumers.candles import bars
from contracts.arithmetic import patterns
from contracts.arithmetic.exact import EXACT, FigureError

START = 1_767_225_600 * 1_000_000_000
Make = Callable[..., Any]


@pytest.mark.parametrize(("price", "amount"), [("0.000001", "1000000000000000000"), ("1000000000000000", "1")])
def test_a_trade_of_just_too_much_is_refused_by_a_bar_that_holds_nothing(trade: Make, price: str, amount: str) -> None:
    with localcontext(EXACT):
        bar = bars.open_bar(START, trade(1, amount="0"), START, 1)
        before = replace(bar)
        assert bars.fold_in_order(bar, [trade(2, price=price, amount=amount)], START + 1, 2) is False
        with pytest.raises(FigureError):
            bars.fold_trade(bar, trade(2, price=price, amount=amount), START, 2)
        assert bar == before


def test_of_equal_prices_the_writing_of_the_first_stays(trade: Make) -> None:
    with localcontext(EXACT):
        bar = bars.open_bar(START, trade(1, price="100"), START, 1)
        bars.fold_trade(bar, trade(2, price="100.00"), START + 1, 2)
        assert (str(bar.high), str(bar.low), str(bar.close)) == ("100", "100", "100.00")
        assert bars.fold_in_order(bar, [trade(3, price="100.0")], START + 2, 3)
        assert (str(bar.high), str(bar.low), str(bar.close)) == ("100", "100", "100.0")
        bars.merge(bar, bars.open_bar(START, trade(1, price="100.000"), START + 3, 1))
        assert (str(bar.high), str(bar.low), str(bar.close)) == ("100", "100", "100.000")


@pytest.mark.parametrize(
    ("trade_id", "seq", "number"), [("5", None, "5"), ("5", 9, "5"), ("a", None, "a"), ("a", 9, "9")]
)
def test_trades_of_one_time_are_ordered_by_their_id_or_else_by_their_sequence(
    trade: Make, trade_id: str, seq: int | None, number: str
) -> None:
    assert bars.number_text(trade(1, trade_id=trade_id, seq=seq)) == number


def test_a_bar_was_received_when_the_last_of_its_trades_was(trade: Make) -> None:
    with localcontext(EXACT):
        bar = bars.open_bar(START, trade(1, ts_recv=START + 5), START, 1)
        bars.fold_trade(bar, trade(2, ts_recv=START + 3), START, 2)
        assert bar.ts_recv == START + 5
        bars.fold_trade(bar, trade(3, ts_recv=START + 8), START, 3)
        assert bar.ts_recv == START + 8
        assert bars.fold_in_order(bar, [trade(4, ts_recv=START + 6)], START + 1, 4)
        assert bar.ts_recv == START + 8


@pytest.mark.parametrize("sum_up", [bars.sum_up, patterns.sum_up], ids=["as used", "python"])
def test_trades_are_summed_together_with_their_highest_and_lowest_price(
    trade: Make, sum_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bars, "sum_up", sum_up)
    with localcontext(EXACT):
        bar = bars.open_bar(START, trade(1, price="100", amount="1"), START, 1)
        few = [("105", "2"), ("90", "0.5"), ("95", "4")]
        trades = [trade(2 + at, price=price, amount=amount) for at, (price, amount) in enumerate(few)]
        assert bars.fold_in_order(bar, trades, START + 3, 4)
        assert (bar.high, bar.low, bar.close, bar.trades) == (105, 90, 95, 4)
        assert (str(bar.volume), str(bar.quote_volume)) == ("7.5", "735.0")
        assert bars.fold_in_order(bar, trades[2:], START + 4, 5)
        assert (bar.high, bar.low, bar.volume, bar.quote_volume) == (105, 90, Decimal("11.5"), 1115)
