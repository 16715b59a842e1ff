"""Errors in a row and a heartbeat that is missed: counted without a clock."""

from __future__ import annotations

from consumers.execution.safety.core import Heartbeat, Scope, Streaks

VENUE = Scope("telegram:7", "venue", "indodax")
STRATEGY = Scope("telegram:7", "strategy", "5" * 16)


def test_only_errors_in_a_row_trip_and_only_once() -> None:
    streaks = Streaks(3)
    assert [streaks.on_error(VENUE) for _ in range(2)] == [None, None]
    streaks.on_success(VENUE)
    assert [streaks.on_error(VENUE) for _ in range(5)] == [None, None, 3, None, None]


def test_scopes_are_counted_apart() -> None:
    streaks = Streaks(2)
    other = Scope("telegram:8", "venue", "indodax")
    assert [streaks.on_error(scope) for scope in (VENUE, STRATEGY, other)] == [None] * 3
    assert streaks.on_error(VENUE) == 2
    streaks.forget("telegram:7")
    assert streaks.on_error(STRATEGY) is None
    assert streaks.on_error(other) == 2


def test_a_heartbeat_is_lost_once_after_the_limit_and_again_after_it_was_back() -> None:
    beat = Heartbeat(30)
    noted = [
        beat.note(now, reached=reached)
        for now, reached in [(0, True), (1, False), (30, False), (31, False), (32, False), (33, True), (34, False)]
    ]
    assert noted == [False, False, False, True, False, False, False]
    assert beat.note(64, reached=False)
