"""The pace and the queues to the second and to the job."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.telegram import pacing
from consumers.telegram.core import DIGEST_FROM, Batch, Gateway, Queued, Rules
from consumers.telegram.pacing import Pace
from consumers.telegram.texts import LONGEST, digest
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import BanMember, SendMessage

ANN, GROUP = 42, -100
FOREVER = float("inf")


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=1e-6)


# ---- the pace
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


# ---- the queues
class Play:
    def __init__(self, rules: Rules | None = None) -> None:
        self.dropped: list[tuple[str, str]] = []
        self.gateway = Gateway(Pace(-1000.0), rules or Rules(), lambda one, why: self.dropped.append((one.job.id, why)))
        self.count = 0

    def add(self, name: str, chat_id: int = ANN, now: float = 0.0, **given: Any) -> Queued:
        self.count += 1
        operation = given.pop("operation", None) or SendMessage(text="x")
        one = Queued(
            TelegramJob(id=name, chat_id=chat_id, operation=operation, **given), ("q", self.count), now, chat_id
        )
        self.gateway.add(one, now)
        return one

    def next(self, now: float, now_ns: int = 0) -> list[str] | float | None:
        found = self.gateway.next(now, now_ns)
        return [one.job.id for one in found.jobs] if isinstance(found, Batch) else found

    def send(self, now: float, now_ns: int = 0) -> list[str]:
        found = self.gateway.next(now, now_ns)
        assert isinstance(found, Batch)
        self.gateway.finish(found, now)
        return [one.job.id for one in found.jobs]


def test_it_says_what_waits_for_whom() -> None:
    play = Play()
    assert (play.next(0.0), play.gateway.jobs(), play.gateway.chats()) == (None, [], 0)
    for name, chat_id, priority in (("a", 1, "low"), ("b", 1, "normal"), ("c", 2, "normal")):
        play.add(name, chat_id, priority=priority)
    assert [job.id for job in play.gateway.jobs()] == ["a", "b", "c"]
    assert (play.gateway.waiting("normal"), play.gateway.waiting("low"), play.gateway.waiting("urgent")) == (2, 1, 0)
    assert play.gateway.chats() == 2


def test_it_says_in_how_many_seconds_something_may_start() -> None:
    play = Play()
    play.add("a")
    play.add("b")
    assert play.next(0.0) == ["a"]
    assert play.next(0.1) is None  # that depends on an answer
    play.gateway.finish(
        Batch((Queued(TelegramJob(id="a", chat_id=ANN, operation=SendMessage(text="x")), ("", 0), 0, ANN),)), 0.2
    )
    assert play.next(0.2) == near(1.01)
    assert play.next(1.22) == ["b"]
    play.add("urgent", 7, 1.3, priority="urgent")
    play.add("c", 7, 1.3)
    play.gateway.pace.pause(5.0, 1.3)
    assert play.next(1.3) == near(5.05)


def test_the_soonest_of_all_priorities_is_said() -> None:
    play = Play()
    play.gateway.pace.refuse(1, 10.0, 0.0)
    play.gateway.pace.refuse(2, 4.0, 5.0)
    play.add("urgent", 1, 5.0, priority="urgent")
    play.add("low", 2, 5.0, priority="low")
    assert play.next(5.0) == near(4.04)


def test_what_was_tried_goes_again_before_what_waits_in_its_order() -> None:
    play = Play()
    tried = [play.add(name, operation=BanMember(user_id=1)) for name in "ab"]
    assert [play.send(0.0) for _ in range(2)] == [["a"], ["b"]]
    play.add("c", operation=BanMember(user_id=1))
    play.gateway.put_back(tried, 0.0)
    assert [play.send(0.0) for _ in range(3)] == [["a"], ["b"], ["c"]]
    assert (play.next(0.0), play.gateway.chats()) == (None, 0)


def test_a_job_is_too_old_at_its_end_and_what_stands_behind_it_goes() -> None:
    play = Play()
    play.add("old", expires=100)
    play.add("older", expires=1)
    play.add("good", expires=101)
    play.add("ageless", 7)
    assert play.send(0.0, now_ns=100) == ["good"]
    assert play.dropped == [("old", "too old"), ("older", "too old")]
    play.add("alone", 8, expires=1)
    assert play.send(0.0, now_ns=100) == ["ageless"]
    assert (play.next(0.0, now_ns=100), play.gateway.chats()) == (None, 0)


def test_a_chat_that_moved_twice_is_where_it_is_now_and_its_acts_move_too() -> None:
    play = Play()
    play.add("act", 1, operation=BanMember(user_id=1))
    play.add("message", 1)
    play.gateway.move(1, 2, 0.0)
    play.gateway.move(2, 3, 0.0)
    assert {job.chat_id for job in play.gateway.jobs()} == {3}
    assert play.add("late", 1).job.chat_id == 3
    assert play.gateway.chats() == 1


def test_dropping_messages_names_each_with_why_and_leaves_acts() -> None:
    play = Play()
    for name, priority in (("a", "urgent"), ("b", "normal"), ("c", "low")):
        play.add(name, priority=priority)
    play.add("act", operation=BanMember(user_id=1))
    play.gateway.drop_messages(ANN, "blocked")
    assert play.dropped == [("a", "blocked"), ("b", "blocked"), ("c", "blocked")]
    assert play.send(0.0) == ["act"]


# ---- digests
def wait(play: Play, count: int, line: str = "line", **given: Any) -> None:
    for number in range(count):
        play.add(f"{number}", digest=line, **given)


def test_five_that_wait_ten_seconds_become_one_and_four_do_not() -> None:
    assert DIGEST_FROM == 5
    assert Rules().digest_after == 10.0
    for count, now, found in ((5, 10.0, 5), (5, 9.9, 1), (4, 10.0, 1)):
        play = Play(Rules(digest=digest))
        wait(play, count)
        names = play.next(now)
        assert isinstance(names, list)
        assert len(names) == found
        assert play.gateway.waiting("normal") == count - found


def test_without_a_rule_or_a_line_nothing_is_merged() -> None:
    play = Play()
    wait(play, 9)
    assert play.next(10.0) == ["0"]
    play = Play(Rules(digest=digest))
    play.add("no line")
    wait(play, 9)
    assert play.next(10.0) == ["no line"]


def test_a_digest_takes_what_has_room_and_a_hundred_at_most() -> None:
    play = Play(Rules(digest=digest))
    wait(play, 120, "x")
    names = play.next(10.0)
    assert isinstance(names, list)
    assert len(names) == 100
    assert play.gateway.waiting("normal") == 20
    play = Play(Rules(digest=digest))
    wait(play, 20, "y" * 297)  # 300 characters each, of 3800
    names = play.next(10.0)
    assert names == [str(number) for number in range((LONGEST - 200) // 300)]
    play = Play(Rules(digest=digest))
    wait(play, 20, "z" * 187)  # twenty fill it to the last
    assert len(play.next(10.0) or []) == 20  # type: ignore[arg-type]


def test_a_digest_is_of_texts_of_one_topic_and_leaves_the_others_in_their_order() -> None:
    play = Play(Rules(digest=digest))
    wait(play, 3, thread_id=5)
    play.add("elsewhere", digest="line", thread_id=6)
    play.add("no line", thread_id=5)
    wait(play, 2, thread_id=5)
    batch = play.gateway.next(10.0, 0)
    assert isinstance(batch, Batch)
    assert (len(batch.jobs), batch.first.job.thread_id) == (5, 5)
    assert batch.text == "5 alerts:\n" + "\n".join(["\u2022 line"] * 5)
    assert [job.id for job in play.gateway.jobs()] == ["elsewhere", "no line"]
