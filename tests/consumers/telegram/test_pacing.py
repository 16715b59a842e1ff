"""The pace to the second."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.telegram import pacing
from consumers.telegram.pacing import Pace

ANN, GROUP = 42, -100
FOREVER = float("inf")


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=1e-6)


def test_a_new_process_starts_nothing_for_a_second_because_of_the_one_before() -> None:
    pace = Pace(100.0)
    assert pace.wait_overall(100.0, urgent=True) == near(1.01)
    assert pace.paused(100.5) == near(0.51)
    assert pace.paused(102.0) == 0.0
    assert pace.wait_overall(101.01, urgent=True) == near(0.0)


def test_of_thirty_calls_a_second_three_are_for_what_is_urgent() -> None:
    pace = Pace(-1000.0)
    for _ in range(27):
        assert pace.wait_overall(0.0, urgent=False) <= 0.0
        pace.start(ANN, message=False)
    assert pace.wait_overall(0.0, urgent=False) == FOREVER
    for _ in range(3):
        assert pace.wait_overall(0.0, urgent=True) <= 0.0
        pace.start(ANN, message=False)
    assert pace.wait_overall(0.0, urgent=True) == FOREVER
    pace.end(ANN, 0.5, message=False)
    assert pace.wait_overall(0.6, urgent=True) == near(0.91)
    for _ in range(29):
        pace.end(ANN, 0.7, message=False)
    assert pace.wait_overall(1.0, urgent=True) == near(0.51)  # the first of them counts until 1.51
    assert pace.wait_overall(1.0, urgent=False) == near(0.71)
    assert pace.wait_overall(1.52, urgent=True) <= 0.0


def test_a_chat_takes_a_message_a_second_and_any_number_of_acts() -> None:
    pace = Pace(-1000.0)
    pace.start(ANN, message=True)
    assert pace.wait_chat(ANN, 0.0, message=True, urgent=True) == FOREVER
    assert pace.wait_chat(ANN, 0.0, message=False, urgent=False) <= 0.0
    pace.end(ANN, 2.0, message=True)
    assert pace.wait_chat(ANN, 2.5, message=True, urgent=True) == near(0.51)
    assert pace.wait_chat(ANN, 3.02, message=True, urgent=True) <= 0.0
    assert pace.wait_chat(0, 0.0, message=True, urgent=True) <= 0.0
    pace.start(GROUP, message=False)
    assert pace.wait_chat(GROUP, 0.0, message=True, urgent=True) <= 0.0  # an act is no message


def sent(chat_id: int, count: int, began: float = -1000.0) -> Pace:
    pace = Pace(began)
    for number in range(count):
        pace.recall(chat_id, float(number))
    return pace


def test_a_group_takes_twenty_messages_a_minute_of_which_three_are_urgent() -> None:
    assert sent(GROUP, 16).wait_chat(GROUP, 30.0, message=True, urgent=False) <= 0.0
    assert sent(GROUP, 17).wait_chat(GROUP, 30.0, message=True, urgent=False) == near(30.6)
    assert sent(GROUP, 19).wait_chat(GROUP, 30.0, message=True, urgent=True) <= 0.0
    assert sent(GROUP, 20).wait_chat(GROUP, 30.0, message=True, urgent=True) == near(30.6)
    assert sent(ANN, 20).wait_chat(ANN, 30.0, message=True, urgent=True) <= 0.0  # a private chat has no such limit
    assert sent(0, 20).wait_chat(0, 30.0, message=True, urgent=True) <= 0.0  # only what is negative is a group
    assert sent(GROUP, 25).wait_chat(GROUP, 30.0, message=False, urgent=False) <= 0.0


def test_for_its_first_minute_a_process_leaves_room_for_one_message_that_it_may_not_know() -> None:
    assert sent(GROUP, 16, 0.0).wait_chat(GROUP, 59.9, message=True, urgent=False) == near(0.7)
    assert sent(GROUP, 16, 0.0).wait_chat(GROUP, 60.0, message=True, urgent=False) <= 0.0


def test_a_refusal_holds_its_chat_and_two_within_a_second_hold_all() -> None:
    pace = Pace(-1000.0)
    pace.refuse(1, 10.0, 0.0)
    pace.refuse(1, 2.0, 0.5)  # never shorter than was said before
    assert pace.wait_chat(1, 1.0, message=False, urgent=True) == near(9.1)
    assert pace.paused(1.0) == 0.0  # the same chat twice is that chat's limit
    pace.refuse(2, 10.0, 1.5)
    assert pace.paused(1.5) == near(10.1)
    other = Pace(-1000.0)
    other.refuse(1, 10.0, 0.0)
    other.refuse(2, 10.0, 1.1)
    assert other.paused(1.1) == 0.0
    other.pause(3.0, 2.0)
    other.pause(1.0, 2.0)
    assert other.wait_overall(2.0, urgent=True) == near(3.03)


def test_chats_are_forgotten_only_once_they_hold_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pacing._MOST_IDLE == 10_000
    monkeypatch.setattr(pacing, "_MOST_IDLE", 4)
    pace = Pace(-1000.0)
    pace.start(1, message=True)  # under way
    pace.refuse(2, 100.0, 0.0)  # paused
    pace.recall(3, 10.0)  # sent within the minute
    pace.recall(4, -100.0)
    pace.start(5, message=False)
    pace.end(5, 70.5, message=False)
    assert set(pace._chats) == {1, 2, 3, 4}  # not more than may stay
    pace.recall(6, -100.0)
    pace.start(5, message=False)
    pace.end(5, 70.5, message=False)
    assert set(pace._chats) == {1, 2, 3}
    pace.recall(7, 70.0)
    pace.recall(8, 70.0)
    pace.start(5, message=False)
    pace.end(5, 70.7, message=False)
    assert set(pace._chats) == {1, 2, 7, 8}  # 60.6 seconds, and the next is forgotten
