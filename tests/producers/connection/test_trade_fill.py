"""Which rows of a venue's history lie in a hole, and what is missing after them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.instrument import make_instrument
from producers.connection.trade_fill import STREAMED_NS, Edge, Fill, edge_of
from producers.rest.history import make_trade

BTC = make_instrument("kraken", "BTC/USD", "BTC/USD")
MS = 1_000_000


def row(number: int, ms: int | None = None, *, seq: int | None = None) -> Any:
    ts = (1000 + (number if ms is None else ms)) * MS
    return make_trade(BTC, str(number), ts, ts_recv=ts, sim=False, price="1", amount="1", side="buy", seq=seq)


def rows(first: int, last: int) -> list[Any]:
    return [row(number) for number in range(first, last + 1)]


def hole(before: int, after: int, **more: Any) -> Fill:
    """Return the fill of what lies between two trades by their numbers."""
    first, last = row(before), row(after)
    return Fill(
        edge_of(first, "trade_id"), edge_of(last, "trade_id"), {first.id}, {last.id}, counted="trade_id", **more
    )


def found(fill: Fill) -> list[str]:
    return [trade.trade_id for trade in fill.take_found()]


def test_rows_between_two_trades_are_found_by_their_numbers_in_order() -> None:
    fill = hole(5, 9)
    fill.on_rows([row(4), row(8), row(6), row(9), row(5), row(7), row(10)], pageable=False)
    assert (fill.next, found(fill)) == ("done", ["6", "7", "8"])
    (filled,), missing = fill.ranges(fill.take_found())
    assert (filled.first_id, filled.last_id, filled.trades) == ("6", "8", 3)
    assert (filled.start_ts, filled.end_ts, missing) == (row(5).ts_event, row(9).ts_event, [])


def test_rows_that_lag_behind_the_stream_are_fetched_again_and_then_given_up() -> None:
    fill = hole(5, 9)
    fill.on_rows(rows(1, 6), pageable=True)
    assert fill.next == "again"
    fill.on_rows(rows(1, 7), pageable=True)
    assert fill.next == "again"
    fill.on_rows(rows(1, 7), pageable=True)
    assert (fill.next, found(fill)) == ("done", ["6", "7"])
    (filled,), (missing,) = fill.ranges(fill.take_found())
    assert (filled.start_ts, filled.end_ts) == (row(5).ts_event, row(7).ts_event)
    assert (missing.start_ts, missing.end_ts) == (row(7).ts_event, row(9).ts_event)


def test_older_rows_are_fetched_where_the_venue_gives_them_and_named_where_not() -> None:
    fill = hole(5, 900)
    fill.on_rows(rows(600, 900), pageable=True)
    assert (fill.next, fill.oldest) == ("older", row(600))
    fill.on_rows(rows(300, 600), pageable=True)
    fill.on_rows(rows(1, 300), pageable=True)
    assert (fill.next, len(fill.take_found())) == ("done", 894)
    assert [len(one) for one in fill.ranges(fill.take_found())] == [1, 0]
    short = hole(5, 900)
    short.on_rows(rows(600, 900), pageable=False)
    (filled,), (missing,) = short.ranges(short.take_found())
    assert (filled.trades, missing.trades, missing.start_ts) == (300, 594, row(5).ts_event)


def test_pages_that_bring_nothing_older_end() -> None:
    fill = hole(5, 900)
    fill.on_rows(rows(600, 900), pageable=True)
    fill.on_rows(rows(600, 600), pageable=True)
    assert fill.next == "done"


def test_answers_that_do_not_touch_leave_a_hole_that_is_named() -> None:
    fill = hole(5, 100)
    fill.on_rows(rows(1, 20), pageable=False)
    fill.on_rows(rows(50, 101), pageable=False)
    assert fill.next == "done"
    filled, missing = fill.ranges(fill.take_found())
    assert [(one.first_id, one.last_id, one.trades) for one in filled] == [("6", "20", 15), ("50", "99", 50)]
    assert [(one.start_ts, one.end_ts) for one in missing] == [(row(20).ts_event, row(50).ts_event)]


@pytest.mark.parametrize("newest_first", [True, False])
def test_without_numbers_the_venues_order_and_known_ids_decide(newest_first: bool) -> None:
    before, same, after, late = row(71, 5), row(3, 5), row(44, 9), row(12, 9)
    fill = Fill(edge_of(before, None), edge_of(after, None), {before.id, same.id}, {after.id, late.id}, counted=None)
    lost = [row(90, 5), row(1, 4), row(2, 10)]  # times need not follow the venue's order
    history = [row(8, 6), before, same, *lost, after, row(13, 9), late, row(6, 10)]
    fill.on_rows(history[::-1] if newest_first else history, pageable=False)
    assert (fill.next, found(fill)) == ("done", ["90", "1", "2"])
    assert fill.ranges(fill.take_found())[1] == []


@pytest.mark.parametrize("newest_first", [True, False])
def test_history_that_begins_in_a_hole_gives_all_of_it_though_times_step_back_at_its_end(newest_first: bool) -> None:
    before, after = row(1, 10), row(9, 74)
    fill = Fill(edge_of(before, None), edge_of(after, None), {before.id}, {after.id}, counted=None)
    history = [row(5, 50), row(6, 70), row(7, 90), row(8, 91), after, row(10, 80), row(11, 95)]
    fill.on_rows(history[::-1] if newest_first else history, pageable=False)
    assert (fill.next, found(fill)) == ("done", ["5", "6", "7", "8"])
    (filled,), (missing,) = fill.ranges(fill.take_found())
    assert (missing.start_ts, missing.end_ts) == (before.ts_event, row(5, 50).ts_event)
    assert (filled.first_id, filled.last_id, filled.trades, filled.end_ts) == ("5", "8", 4, row(8, 91).ts_event)


def test_history_that_ends_in_a_hole_gives_all_of_it_though_times_step_back_at_its_begin() -> None:
    before, after = row(1, 50), row(9, 90)
    fill = Fill(edge_of(before, None), edge_of(after, None), {before.id}, {after.id}, counted=None)
    for _ in range(3):
        fill.on_rows([row(0, 1), before, row(2, 44), row(3, 50), row(4, 60)], pageable=False)
    assert (fill.next, found(fill)) == ("done", ["2", "3", "4"])


def test_open_hole_leaves_to_the_stream_what_follows_the_first_trade_that_is_late_enough() -> None:
    before = row(1, 0)
    fill = Fill(edge_of(before, None), None, {before.id}, set(), counted=None, known_ts=row(0, 100).ts_event)
    late = 100 + STREAMED_NS // MS
    fill.on_rows([before, row(2, 50), row(3, late), row(4, late + 1), row(5, late - 1)], pageable=False)
    assert (fill.next, found(fill)) == ("done", ["2", "3"])


def test_rows_that_are_all_before_the_hole_are_not_taken() -> None:
    fill = Fill(edge_of(row(71, 50), None), edge_of(row(44, 90), None), {"a"}, {"b"}, counted=None)
    for _ in range(3):
        fill.on_rows([row(number) for number in range(10, 40)], pageable=False)
    filled, (missing,) = fill.ranges(fill.take_found())
    assert (fill.next, filled, missing.end_ts) == ("done", [], row(90).ts_event)


def test_what_comes_by_the_stream_meanwhile_is_not_taken() -> None:
    fill = hole(5, 9)
    fill.on_rows(rows(1, 9), pageable=False)
    fill.after_ids.add(row(7).id)
    assert found(fill) == ["6", "8"]


def test_last_trade_of_a_heartbeat_belongs_to_the_hole() -> None:
    first = row(5)
    fill = Fill(edge_of(first, "trade_id"), None, {first.id}, set(), counted="trade_id", last=8, known_ts=99)
    fill.on_rows(rows(1, 7), pageable=False)
    assert fill.next == "again"
    fill.on_rows(rows(1, 9), pageable=False)
    assert (fill.next, found(fill)) == ("done", ["6", "7", "8"])
    assert fill.ranges(fill.take_found())[0][0].end_ts == row(8).ts_event


def test_what_cannot_be_had_is_missing_with_its_number_where_it_is_known() -> None:
    fill = hole(5, 9)
    for _ in range(3):
        fill.on_failure()
    filled, (missing,) = fill.ranges(())
    assert (fill.next, filled, missing.trades) == ("done", [], 3)
    assert (missing.start_ts, missing.end_ts) == (row(5).ts_event, row(9).ts_event)
    unknown = Fill(Edge(1, None), Edge(9, None), set(), set(), counted=None)
    assert unknown.ranges(())[1][0].trades is None


def test_row_that_cannot_be_read_leaves_the_span_missing() -> None:
    fill = hole(5, 9)
    fill.on_rows([row(5), row(6), row(8), row(9)], pageable=False, unreadable=True)
    filled, missing = fill.ranges(fill.take_found())
    assert ([one.trades for one in filled], [one.trades for one in missing]) == ([2], [None])


def test_rows_without_the_numbers_of_the_stream_are_found_by_their_place() -> None:
    first, last = row(5, seq=105), row(9, seq=109)
    fill = Fill(edge_of(first, "seq"), edge_of(last, "seq"), {first.id}, {last.id}, counted="seq")
    fill.on_rows(rows(1, 11)[::-1], pageable=False)
    assert (fill.next, found(fill)) == ("done", ["6", "7", "8"])
    assert [one.trades for one in fill.ranges(fill.take_found())[0]] == [3]
