"""The gateway's queues and pace by themselves, on a clock that is only a number."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bot.simulator.limits import Limits
from consumers.telegram.calls import (
    Blocked,
    Done,
    Failed,
    Migrated,
    NoTopic,
    TooMany,
    Unparsable,
    Unreachable,
    make_call,
    read_answer,
)
from consumers.telegram.core import DIGEST_FROM, Batch, Gateway, Queued, Rules
from consumers.telegram.pacing import Pace
from consumers.telegram.texts import LONGEST, digest, without_formatting
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import BanMember, SendMessage

ANN, GROUP = 42, -100


class Play:
    """A gateway whose calls take a while, against the ledger that the test server has."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.dropped: list[tuple[str, str]] = []
        self.gateway = Gateway(Pace(-1000.0), rules or Rules(), lambda one, why: self.dropped.append((one.job.id, why)))
        self.limits = Limits()
        self.sent: list[tuple[float, Batch]] = []
        self.count = 0

    def add(self, chat_id: int, name: str = "", now: float = 0.0, **given: Any) -> Queued:
        self.count += 1
        operation = given.pop("operation", None) or SendMessage(text="x")
        job = TelegramJob(id=name or f"job {self.count}", chat_id=chat_id, operation=operation, **given)
        one = Queued(job, ("q", self.count), now, chat_id)
        self.gateway.add(one, now)
        return one

    def run(self, until: float, *, seed: int = 1, now: float = 0.0, now_ns: int = 0) -> list[str]:
        """Let time pass; a call reaches the server after a while, and its answer comes after another."""
        chance = random.Random(seed)
        under_way: list[tuple[float, float, Batch]] = []  # when the server has it, when the answer is here
        while now < until:
            while isinstance(found := self.gateway.next(now, now_ns), Batch):
                reached = now + chance.uniform(0.0, 0.3)
                under_way.append((reached, reached + chance.uniform(0.0, 0.3), found))
            answered = sorted((one for one in under_way if one[1] <= now + 0.05), key=lambda one: one[1])
            under_way = [one for one in under_way if one not in answered]
            for reached, done, batch in answered:
                self.sent.append((reached, batch))
                self.gateway.finish(batch, done)
            now += 0.05
        for reached, batch in sorted(self.sent, key=lambda one: one[0]):
            chat_id, message = batch.first.job.chat_id, batch.first.message
            assert self.limits.check("x", chat_id, message=message, now=reached) is None
            self.limits.record(chat_id, message=message, now=reached)
        return [one.job.id for _, batch in self.sent for one in batch.jobs]


@pytest.mark.parametrize("seed", range(20))
def test_no_limit_is_broken_whenever_calls_arrive(seed: int) -> None:
    play, chance = Play(), random.Random(seed)
    for _ in range(400):
        chat_id = chance.choice([*range(1, 6), *range(-8, 0)])
        operation = BanMember(user_id=1) if chance.random() < 0.3 else SendMessage(text="x")
        play.add(chat_id, operation=operation, priority=chance.choice(["urgent", "normal", "low"]))
    play.run(200.0, seed=seed)
    assert len(play.sent) > 250


def test_the_most_urgent_goes_first_and_a_chat_keeps_its_order() -> None:
    play = Play()
    for number in range(3):
        play.add(ANN, f"low {number}", priority="low")
        play.add(ANN, f"normal {number}")
    play.add(ANN, "urgent", priority="urgent")
    assert play.run(20.0) == [
        "urgent",
        *(f"normal {number}" for number in range(3)),
        *(f"low {number}" for number in range(3)),
    ]


def test_a_group_that_has_used_its_minute_still_takes_what_is_urgent() -> None:
    play = Play()
    for _ in range(40):
        play.add(GROUP)
    assert len(play.run(35.0)) == 17
    play.add(GROUP, "urgent", 35.0, priority="urgent")
    play.sent.clear()
    play.limits = Limits()
    assert play.run(38.0, now=35.0) == ["urgent"]


def test_a_slow_chat_keeps_no_other_waiting() -> None:
    play = Play()
    for _ in range(100):
        play.add(GROUP)
    others = [play.add(number, f"to {number}").job.id for number in range(1, 20)]
    assert set(others) <= set(play.run(3.0))


def test_many_that_wait_become_one_and_few_do_not() -> None:
    play = Play(Rules(digest=digest, digest_after=10.0))
    for number in range(DIGEST_FROM + 3):
        play.add(GROUP, f"alert {number}", digest=f"line {number}")
    play.add(GROUP, "other topic", digest="elsewhere", thread_id=5)
    play.add(GROUP, "no alert")
    first = play.gateway.next(0.0, 0)
    assert isinstance(first, Batch)
    assert (first.text, len(first.jobs)) == (None, 1)
    play.gateway.finish(first, 0.1)
    merged = play.gateway.next(10.0, 0)
    assert isinstance(merged, Batch)
    assert [one.job.id for one in merged.jobs] == [f"alert {number}" for number in range(1, DIGEST_FROM + 3)]
    assert merged.text == "7 alerts:\n" + "\n".join(f"• line {number}" for number in range(1, DIGEST_FROM + 3))
    play.gateway.finish(merged, 10.1)
    rest = play.gateway.next(12.0, 0)
    assert isinstance(rest, Batch)
    assert (rest.text, rest.first.job.id) == (None, "other topic")


def test_what_is_too_old_is_dropped() -> None:
    play = Play()
    play.add(ANN, "old", expires=99)
    play.add(ANN, "good", expires=101)
    assert play.run(2.0, now_ns=100) == ["good"]
    assert play.dropped == [("old", "too old")]


def test_a_moved_chat_takes_all_with_it_and_a_blocked_one_drops_its_messages() -> None:
    play = Play()
    for number in range(3):
        play.add(GROUP, f"job {number}")
    play.gateway.move(GROUP, -200, 0.0)
    late = play.add(GROUP, "late")
    assert (late.job.chat_id, late.asked_chat_id) == (-200, GROUP)
    assert play.run(10.0) == ["job 0", "job 1", "job 2", "late"]
    assert {batch.first.job.chat_id for _, batch in play.sent} == {-200}
    play.add(ANN, "message", 10.0)
    play.add(ANN, "act", 10.0, operation=BanMember(user_id=1))
    play.gateway.drop_messages(ANN, "blocked")
    assert play.dropped == [("message", "blocked")]
    assert play.gateway.waiting("normal") == 1


def test_two_chats_that_are_refused_at_once_are_a_limit_of_the_whole_bot() -> None:
    pace = Pace(-1000.0)
    pace.refuse(1, 5.0, 0.0)
    assert pace.wait_chat(1, 1.0, message=True, urgent=True) == pytest.approx(4.05)
    assert pace.wait_overall(1.0, urgent=True) == 0.0
    pace.refuse(2, 5.0, 0.5)
    assert pace.wait_overall(1.0, urgent=True) == pytest.approx(4.55)


def test_what_a_process_before_sent_counts_and_what_it_may_have_sent_too() -> None:
    pace = Pace(100.0)
    assert pace.wait_overall(100.5, urgent=True) > 0
    for second in range(15):
        pace.recall(GROUP, 60.0 + second)
    assert pace.wait_chat(GROUP, 102.0, message=True, urgent=False) == 0.0
    pace.recall(GROUP, 99.0)
    assert pace.wait_chat(GROUP, 102.0, message=True, urgent=False) > 10
    assert pace.wait_chat(GROUP, 102.0, message=True, urgent=True) == 0.0


def test_memory_stays_bounded() -> None:
    play = Play()
    for number in range(1, 30_000):
        play.gateway.pace.start(number, message=True)
        play.gateway.pace.end(number, number * 0.05, message=True)
    assert len(play.gateway.pace._chats) < 12_000
    for number in range(1, 200):
        play.add(number, now=2000.0)
    play.run(2020.0, now=2000.0)
    assert play.gateway._lanes == {}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"ok": True, "result": {"message_id": 5}}, Done(5)),
        (200, {"ok": True, "result": True}, Done(None)),
        (429, {"error_code": 429, "description": "x", "parameters": {"retry_after": 7}}, TooMany(7.0)),
        (
            403,
            {"description": "Forbidden: bot was blocked by the user"},
            Blocked("Forbidden: bot was blocked by the user"),
        ),
        (
            403,
            {"description": "Forbidden: bot was kicked from the group chat"},
            Blocked("Forbidden: bot was kicked from the group chat"),
        ),
        (400, {"description": "x", "parameters": {"migrate_to_chat_id": -5}}, Migrated(-5)),
        (
            400,
            {"description": "Bad Request: can't parse entities: x"},
            Unparsable("Bad Request: can't parse entities: x"),
        ),
        (400, {"description": "Bad Request: message thread not found"}, NoTopic()),
        (400, {"description": "Bad Request: message is not modified: x"}, Done(None)),
        (400, {"description": "Bad Request: chat not found"}, Failed(400, "Bad Request: chat not found")),
        (401, {"description": "Unauthorized"}, Unreachable("Unauthorized", token=True)),
        (502, {"error_code": 502, "description": "Bad Gateway"}, Unreachable("Bad Gateway", answered=True)),
        (502, {}, Unreachable("HTTP 502", answered=True)),
    ],
)
def test_what_answers_mean(status: int, body: dict[str, Any], outcome: object) -> None:
    assert read_answer(status, {"ok": False, **body}) == outcome


@pytest.mark.parametrize(
    ("text", "mode", "plain"),
    [
        ("<b>5 &lt; 6</i> <a href='x'>y</a>", "HTML", "5 < 6 y"),
        (r"*BTC* costs 5\.5 [here](https://a.io)", "MarkdownV2", "BTC costs 5.5 here (https://a.io)"),
        ("<b></b>", "HTML", "<b></b>"),
    ],
)
def test_texts_lose_their_marks(text: str, mode: str, plain: str) -> None:
    assert without_formatting(text, mode) == plain
    job = TelegramJob(id="x", chat_id=1, operation=SendMessage(text=text, parse_mode=mode))  # type: ignore[arg-type]
    assert make_call(job, plain=True).params == {
        "chat_id": 1,
        "text": plain,
        "link_preview_options": {"is_disabled": True},
    }


def test_a_digest_is_never_too_long() -> None:
    text = digest([f"{number} " + "a" * 290 for number in range(100)])
    assert len(text) <= LONGEST
    assert text.startswith("100 alerts:\n… and ")
    assert "99 aaa" in text
