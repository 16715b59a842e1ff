"""What follows in groups, decided without I/O: sums, raids that last, reports that count, templates that are filled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from telegram import Message

from bot.groups.automatic import core
from bot.groups.automatic.core import Board, Pending, Report
from bot.groups.automatic.penalties import Notices
from bot.groups.automatic.seen import is_service, seen_join, seen_of
from bot.texts import automatic as texts
from bot.texts.automatic import Filling
from bot.texts.groups import reader_of

NOW = 1_700_000_000.0
CHAT = {"id": -1001, "type": "supergroup", "title": "T"}
ANN = {"id": 42, "is_bot": False, "first_name": "Ann"}


def message(**content: object) -> Message:
    body = {"message_id": 5, "date": int(NOW), "chat": CHAT, "from": ANN, **content}
    found = Message.de_json(body)
    assert found is not None
    return found


def test_a_sum_is_right_or_another_is_asked_until_three_were_wrong() -> None:
    pending = Pending(user_id=42, name="Ann", asked="sum", until=NOW, first=4, second=5)
    assert core.answer(pending, 9, (1, 1)) == "right"
    second = core.answer(pending, 8, (2, 3))
    assert isinstance(second, Pending)
    assert (second.first, second.second, second.wrong) == (2, 3, 1)
    third = core.answer(second, 9, (1, 1))  # the first sum's result is not the second's
    assert isinstance(third, Pending)
    assert core.answer(third, 3, (1, 1)) == "wrong"


def test_what_follows_from_an_answer_is_kept_until_it_is_done_and_tried_so_many_times() -> None:
    pending = Pending(user_id=42, name="Ann", asked="sum", until=NOW + 60)
    assert not core.is_due(pending, NOW + 59)
    assert core.is_due(pending, NOW + 60)
    late = core.due(pending, 7, NOW + 60)
    assert late is not None
    assert (late.answered, late.cause) == ("late", 7)
    right = core.settling(pending, "right", 7, NOW)
    assert not core.is_due(right, NOW + core.AGAIN_SECONDS - 1)
    tries, kept, now = 1, right, NOW
    while kept is not None:
        now += core.AGAIN_SECONDS
        assert core.is_due(kept, now)
        kept = core.due(kept, 100 + tries, now)
        assert kept is None or (kept.answered, kept.cause) == ("right", 7)  # what is done again is the same
        tries += kept is not None
    assert tries == core.MOST_TRIES


def test_a_raid_lasts_from_the_last_join_that_was_part_of_it() -> None:
    raid = core.begin_raid(NOW, 900, "20 joins within 60 s")
    assert core.prolong(raid, NOW + 60).until == NOW + 900  # not with each join
    assert core.prolong(raid, NOW + 100).until == NOW + 1000


def test_one_question_serves_who_joins_within_a_minute_and_a_raids_notice_until_its_end() -> None:
    assert core.needs_board(None, NOW)
    assert not core.needs_board(Board(at=NOW - 59), NOW)
    assert core.needs_board(Board(at=NOW - 60), NOW)
    assert not core.needs_board(Board(at=NOW - 600, in_raid=True), NOW)


def test_a_report_counts_each_member_once_and_never_the_author() -> None:
    report = Report(user_id=42, name="Ann", message_id=5)
    for reporter in (43, 43, 42, 44):
        report = core.reported(report, reporter)
    assert report.reporters == (43, 44)
    assert [core.hides(report, after) for after in (0, 1, 2, 3)] == [False, True, True, False]
    assert not core.hides(report.model_copy(update={"hidden": True}), 2)
    for reporter in range(1000, 1000 + core.MOST_REPORTERS):
        report = core.reported(report, reporter)
    assert len(report.reporters) == core.MOST_REPORTERS
    assert Report.model_validate_json(report.model_dump_json()) == report  # as it is kept


def test_a_template_is_filled_and_what_people_wrote_is_escaped() -> None:
    filling = Filling(42, "<b>Ann</b> {group}", "T & Co", None, ("no spam", "<i>"))
    filled = texts.fill("Hi {name}/{mention} in {group}, {count}. {rules} <3 {nothing}", filling)
    assert filled == (
        "Hi &lt;b&gt;Ann&lt;/b&gt; {group}/"
        '<a href="tg://user?id=42">&lt;b&gt;Ann&lt;/b&gt; {group}</a> in T &amp; Co, ?. '
        "• no spam\n• &lt;i&gt; &lt;3 {nothing}"
    )


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_keys_of_a_sum_have_every_result_once(language: str) -> None:
    rows = texts.answers("sum", -1001, reader_of(language), core.ANSWERS)
    assert [one.label for row in rows[1:] for one in row] == [str(number) for number in range(2, 19)]
    assert all(len(one.data.encode()) <= 64 for row in rows for one in row)


def test_a_message_is_seen_with_its_links_media_and_mentions() -> None:
    entities = [
        {"type": "text_link", "offset": 0, "length": 4, "url": "https://example.org"},
        {"type": "mention", "offset": 5, "length": 4},
    ]
    seen = seen_of(message(text="here @bob", entities=entities), 42)
    assert (seen.links, seen.mentions, seen.media, seen.key) == (["https://example.org"], 1, None, "message.5")
    animation = {"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1, "duration": 1}
    document = {"file_id": "a", "file_unique_id": "a"}
    origin = {"type": "hidden_user", "date": int(NOW), "sender_user_name": "Eve"}
    forwarded = seen_of(message(animation=animation, document=document, forward_origin=origin), 42)
    assert (forwarded.media, forwarded.forwarded) == ("animation", True)
    edited = seen_of(message(text="x", edit_date=int(NOW) + 9), 42)
    assert (edited.key, edited.at) == ("message.5", datetime.fromtimestamp(NOW + 9, UTC))


def test_what_nobody_wrote_is_not_judged() -> None:
    assert is_service(message(new_chat_members=[ANN]))
    assert not is_service(message(text="hello"))
    assert seen_join(42, datetime.fromtimestamp(NOW, UTC)).key == "join.42"


def test_a_group_is_notified_of_five_penalties_a_minute() -> None:
    notices = Notices()
    assert [notices.may(-1, NOW + at) for at in range(7)] == [True] * 5 + [False] * 2
    assert notices.may(-2, NOW + 6)
    assert notices.may(-1, NOW + 60)
