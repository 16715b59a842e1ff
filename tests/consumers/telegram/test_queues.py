"""The queues to the job: what is next, what waits and for how long, what is merged, moved, dropped."""

from __future__ import annotations

from typing import Any

from consumers.telegram.core import DIGEST_FROM, Batch, Gateway, Queued, Rules
from consumers.telegram.pacing import Pace
from consumers.telegram.texts import LONGEST, digest
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import BanMember, SendMessage
from tests.consumers.telegram.test_pacing import ANN, near


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
    assert play.gateway._lanes == {}


def test_what_comes_up_while_its_chat_is_held_back_comes_up_again_afterwards() -> None:
    play = Play()
    play.add("a", 1)
    play.add("b", 2, 0.5)
    play.gateway.pace.refuse(1, 10.0, 0.0)
    assert play.send(1.0) == ["b"]
    assert play.next(1.0) == near(9.1)
    assert play.next(10.2) == ["a"]


def test_acts_of_a_chat_wait_for_no_answer_and_none_waits_once_they_are_gone() -> None:
    play = Play()
    for name in "ab":
        play.add(name, operation=BanMember(user_id=1))
    assert (play.next(0.0), play.next(0.0)) == (["a"], ["b"])
    play.gateway.pace.pause(5.0, 0.0)
    assert play.next(0.0) is None


def test_a_job_is_new_and_formatted_until_it_was_tried() -> None:
    one = Play().add("a")
    assert (one.attempts, one.plain, one.trace) == (0, False, None)


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


def test_what_comes_after_messages_were_dropped_is_waiting_and_goes() -> None:
    play = Play()
    play.add("dropped")
    play.gateway.drop_messages(ANN, "blocked")
    play.add("a")
    play.add("b")
    assert play.send(0.0) == ["a"]
    assert [job.id for job in play.gateway.jobs()] == ["b"]
    assert play.next(0.0) == near(1.01)
    assert play.send(1.02) == ["b"]


def test_nothing_is_kept_of_a_chat_whose_messages_were_dropped_while_one_was_called() -> None:
    play = Play()
    play.add("called")
    play.add("dropped")
    called = play.gateway.next(0.0, 0)
    assert isinstance(called, Batch)
    play.gateway.drop_messages(ANN, "blocked")
    play.gateway.finish(called, 0.1)
    assert (play.next(5.0), play.gateway._lanes) == (None, {})


# ---- digests
def wait(play: Play, count: int, line: str = "line", **given: Any) -> None:
    for number in range(count):
        play.add(f"{number}", digest=line, **given)


def test_five_that_wait_ten_seconds_become_one_and_four_do_not() -> None:
    assert DIGEST_FROM == 5
    assert Rules().digest_after == 10.0
    for count, now, found in ((5, 17.0, 5), (5, 16.9, 1), (4, 17.0, 1)):
        play = Play(Rules(digest=digest))
        wait(play, count, now=7.0)
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
    wait(play, 45, "w" * 97)  # 38 have room
    assert len(play.next(10.0) or []) == 38  # type: ignore[arg-type]
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
