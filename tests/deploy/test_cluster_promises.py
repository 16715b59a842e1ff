"""What is judged after faults: each promise is found broken where it is."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from deploy.cluster.promises import (
    AFTER,
    SECOND,
    Hole,
    Order,
    Trade,
    find_holes,
    judge_orders,
    judge_trades,
    judge_webhooks,
    longest_pause,
)
from deploy.cluster.tables import WIDE, Pauses, draw

NOW = 1_000 * SECOND


def trades(*numbers: int, symbol: str = "BTC/USDT") -> list[Trade]:
    return [Trade(symbol, number, NOW + number * SECOND) for number in numbers]


def test_missing_numbers_are_holes_of_their_symbol() -> None:
    kept = [*trades(1, 2, 5), *trades(7, 9, symbol="ETH/USDT")]
    assert find_holes(kept) == [
        Hole("BTC/USDT", 2, NOW + 2 * SECOND, NOW + 5 * SECOND),
        Hole("ETH/USDT", 1, NOW + 7 * SECOND, NOW + 9 * SECOND),
    ]


def test_a_hole_is_kept_where_it_was_announced_and_broken_where_not() -> None:
    kept = trades(1, 2, 5)
    assert [one.kept for one in judge_trades(kept, [NOW + 4 * SECOND])] == [True, True]
    assert [one.kept for one in judge_trades(kept, [])] == [False, True]
    assert [one.kept for one in judge_trades(kept, [NOW + 6 * SECOND + AFTER])] == [False, True]


def test_a_trade_that_is_stored_twice_and_nothing_stored_at_all_are_broken() -> None:
    assert [one.kept for one in judge_trades(trades(1, 2, 2), [])] == [True, False]
    assert not judge_trades([], [])[0].kept


def orders(*ids: str, status: str = "filled") -> list[Order]:
    return [Order(name, status, Decimal("0.2")) for name in ids]


def fills(*ids: str) -> list[tuple[str, Decimal]]:
    return [(name, Decimal("0.1")) for name in ids]


def test_an_order_may_be_filled_in_parts_but_by_its_amount() -> None:
    sent = ["a", "b"]
    assert judge_orders(sent, orders("b", "a"), fills("a", "a", "b", "b")).kept
    assert "1 not filled by their amount" in judge_orders(sent, orders("a", "b"), fills("a", "a", "b")).figures
    assert not judge_orders(sent, orders("a", "b"), fills("a", "a", "a", "a", "b", "b")).kept


def test_an_order_is_lost_doubled_or_open() -> None:
    assert "1 lost (b)" in judge_orders(["a", "b"], orders("a"), fills("a", "a")).figures
    assert "1 doubled (a)" in judge_orders(["a"], orders("a", "a"), fills("a", "a")).figures
    assert "1 open (a)" in judge_orders(["a"], orders("a", status="pending"), []).figures
    assert not judge_orders([], [], []).kept


def test_a_refused_order_is_not_filled() -> None:
    assert judge_orders(["a"], orders("a", status="rejected"), []).kept
    assert not judge_orders(["a"], orders("a", status="rejected"), fills("a")).kept


def test_a_webhook_may_repeat_an_event_but_not_lose_it_or_give_it_two_ids() -> None:
    assert judge_webhooks("whale", ["a", "b"], ["b", "a"], 3).kept
    assert not judge_webhooks("whale", ["a", "b"], ["a"], 0).kept
    assert not judge_webhooks("whale", ["a"], ["a", "a"], 0).kept


def test_the_longest_pause_counts_from_the_fault_to_its_end() -> None:
    assert longest_pause([1.0, 4.0, 5.0], 2.0, 6.0) == 2.0
    assert longest_pause([], 2.0, 6.0) == 4.0


def test_what_broke_a_promise_is_named_the_first_few() -> None:
    figures = judge_webhooks("whale", [f"w{number}" for number in range(9)], ["w0", "w0"], 0).figures
    assert figures == "9 happened, 8 lost (w1, w2, w3, w4, w5, …), 1 under two ids (w0), 0 repeats"


@pytest.mark.parametrize("width", [WIDE, 60])
def test_tables_are_whole_whatever_the_width(width: int) -> None:
    notes = "bus-2 has all again 12.5 s after its start; all ready 0.1 s after the last"
    verdict = judge_webhooks("whale", ["a"], ["a"], 3)
    rows = [Pauses("a server of the bus killed, 4 s away", (60.4, 3.6, 160.7), notes)]
    text = draw(("orders", "market data", "webhooks"), rows, [verdict], width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    whole = f"{rows[0].fault} {notes} 60.4 3.6 160.7 {verdict.promise} {verdict.figures} kept"
    assert Counter("".join(whole.split())) <= Counter("".join(text.split())), "letters are missing"
    if width == WIDE:
        assert any(notes in line and "60.4" in line for line in text.splitlines())
