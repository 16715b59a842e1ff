"""Trades that are numbered without holes: what is missing is named."""

from __future__ import annotations

from producers.connection.trade_gaps import MOST_BEHIND, Hole, TradeGaps


def test_hole_names_what_is_missing() -> None:
    gaps = TradeGaps()
    assert gaps.on_trade("A", 10, 10) is None
    assert gaps.on_trade("A", 11, 11) is None
    assert gaps.on_trade("A", 13, 13) == Hole("trade 12 was not received", 12, 12)
    assert gaps.on_trade("A", 20, 22) == Hole("trades 14 to 19 were not received", 14, 19)
    assert gaps.on_trade("A", 23, 25) is None
    assert gaps.on_trade("B", 7, 7) is None


def test_backlog_that_is_sent_again_is_no_hole() -> None:
    gaps = TradeGaps()
    for number in (10, 11, 10, 11, 12):
        assert gaps.on_trade("A", number, number) is None
    assert gaps.on_trade("A", 11, 14) is None, "part of it is new, nothing is missing"


def test_newest_of_a_heartbeat_shows_what_did_not_come() -> None:
    gaps = TradeGaps()
    assert gaps.on_last("A", 10) is None, "nothing is known of before"
    assert gaps.on_trade("A", 11, 11) is None
    assert gaps.on_last("A", 11) is None
    assert gaps.on_last("A", 13) == Hole("trades 12 to 13 were not received", 12, 13)
    assert gaps.on_trade("A", 14, 14) is None


def test_numbering_that_begins_again_is_a_gap_once() -> None:
    gaps = TradeGaps()
    gaps.on_trade("A", 1_000_000, 1_000_000)
    found = [gaps.on_trade("A", number, number) for number in range(1, MOST_BEHIND + 3)]
    assert [number for number, reason in enumerate(found, 1) if reason] == [MOST_BEHIND + 1]
    assert gaps.on_trade("A", MOST_BEHIND + 5, MOST_BEHIND + 5) is not None
