"""Rules, verdicts and what is taken back, at their limits and in their words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.community.moderation import builtin, evaluate, past, text
from consumers.community.moderation.evaluate import Asked, Rule, Window
from contracts.services.community.groups import Permission
from contracts.services.community.rules import LONGEST_SEEN, Penalty, Step
from contracts.services.community.settings import Captcha, Flood, Moderation, Raid
from tests.consumers.community.test_core import NOBODY, NOW, action, rule, seen

BANS: frozenset[Permission] = frozenset({"ban_members"})


# ---- words and links
@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("s p a m", ["spam"]),
        ("a bc d e", ["a", "bc", "de"]),
        ("|a| !b! now", ["ab", "now"]),
        ("! now", ["!", "now"]),
        ("one,two", ["one", "two"]),
        ("aX b", ["aX", "b"]),
        ("", []),
    ],
)
def test_letters_that_stand_alone_in_a_row_are_one_word(written: str, words: list[str]) -> None:
    assert text.tokens(written) == words


@pytest.mark.parametrize(
    ("written", "folded"),
    [("V1agra", "vlagra"), ("2026", "2026"), ("\u00c9", "e"), ("a\u200bb", "ab")],
)
def test_letters_that_look_alike_are_one(written: str, folded: str) -> None:
    assert text.fold(written) == folded


def test_the_first_word_that_is_there_is_named_and_drawn_out_letters_are_found() -> None:
    assert text.find_word("two one", ["one", "two"]) == "one"
    assert text.find_word("freee beer", ["free beer"]) == "free beer"
    assert text.find_word("frrreee beer", ["free beer"]) is None  # not both kinds at once
    assert text.find_word("spaaam", ["spam"], folded=False) is None
    assert text.find_word("!spam!", ["spam"], folded=False) == "spam"
    assert text.find_word("XspamX", ["spam"]) is None
    assert text.find_word("so !now! it is", ["!now! it"]) == "!now! it"
    assert text.find_word("a spammer", ["spam"]) is None
    assert text.find_word("a spammer", ["spam"], whole=False) == "spam"
    assert text.find_word("anything", [".", ""], whole=False) is None


def test_links_are_those_of_the_text_and_those_behind_it() -> None:
    assert text.find_links("see a.example/X!), and (www.b.example).", ["https://c.example"]) == [
        "a.example/X",
        "www.b.example",
        "https://c.example",
    ]
    assert text.find_links("a.exa\u200bmple") == ["a.example"]


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://www.a.example./x", "a.example"),
        ("A.example:80/x", "a.example"),
        ("tg://join?invite=x", "join"),
        ("http://[::1/x", ""),
        ("//", ""),
    ],
)
def test_the_host_of_a_link(link: str, host: str) -> None:
    assert text.host_of(link) == host


@pytest.mark.parametrize(
    ("link", "invites"),
    [
        ("TG://JOIN?invite=x", True),
        ("telegram.me/joinchat/x", True),
        ("telegram.dog/+x", True),
        ("https://t.me/x/+y", False),
        ("a.example/+x", False),
        ("t.me/joinchat", False),
        ("http://[t.me/+x", False),
    ],
)
def test_an_invitation_is_known_by_host_and_path(link: str, invites: bool) -> None:
    assert text.is_invite(link) is invites


@pytest.mark.parametrize(
    ("written", "percent"),
    [("A" * 9, 0), ("A" * 10, 100), ("AAAaaaaaaa", 30), ("AAAAAAAAA12\u4e00", 0), ("aAAAAAAAAAA", 91)],
)
def test_capitals_are_a_share_of_ten_letters_or_more(written: str, percent: int) -> None:
    assert text.capitals_percent(written) == percent


# ---- windows and counts
def test_a_window_counts_this_time_and_those_of_the_last_seconds() -> None:
    window = Window()
    counts = [window.count(("r", 1), at, 10) for at in (0.0, 5.0, 9.9, 10.0, 15.0, 40.0)]
    assert counts == [1, 2, 3, 3, 3, 1]
    assert window.count(("r", 2), 0.0, 10) == 1
    assert window.most == 20_000


def test_a_window_keeps_those_that_came_last() -> None:
    window = Window(most=2)
    for user in (1, 2, 1, 3):
        window.count(("r", user), 0.0, 10)
    assert list(window.times) == [("r", 1), ("r", 3)]


def test_only_rules_that_may_be_broken_are_counted() -> None:
    flood, raid = rule("flood", messages=3, seconds=7), rule("raid", joins=5, seconds=10)
    words = rule("words", words=["x"])
    off = Rule("cd" * 8, "off", "flood", flood.params, flood.penalty, enabled=False)
    found = [off, words, flood, raid]
    assert evaluate.list_counts(found, seen(0, 9), NOBODY) == [Asked((flood.id, 9), 7, 4)]
    for kind in ("join", "join_request"):
        assert evaluate.list_counts(found, seen(0, 9, kind=kind), NOBODY) == [Asked((raid.id, 0), 10, 5)]
    assert evaluate.list_counts(found, seen(0, 9), BANS) == []
    assert evaluate.list_counts(found, seen(0, 9, kind="join"), BANS) == [Asked((raid.id, 0), 10, 5)]


def test_rules_of_one_priority_are_tried_by_id_and_disabled_ones_are_not() -> None:
    names = [("b", 1), ("a", 1), ("c", 2), ("d", -1)]
    found = [Rule(name, name, "words", rule("words", words=["x"]).params, Penalty(kind="warn"), n) for name, n in names]
    assert [one.name for one in evaluate.in_order(found)] == ["c", "a", "b", "d"]
    kind, params, penalty = "words", found[0].params, found[0].penalty
    plain = [Rule("z", "z", kind, params, penalty), Rule("y", "y", kind, params, penalty, priority=0)]
    assert [one.name for one in evaluate.in_order(plain)] == ["y", "z"]
    off = Rule("z", "z", "words", found[0].params, Penalty(kind="warn"), 9, enabled=False)
    assert [one.name for one, _ in evaluate.evaluate([off, *found], seen(text="x"), NOBODY, Window())] == ["c"]
    assert evaluate.evaluate(found, seen(text="x"), BANS, Window()) == []


# ---- what is said
@pytest.mark.parametrize(
    ("found", "shown", "reason"),
    [
        (rule("links"), {"text": "www.evil.org/x"}, "link to evil.org"),
        (rule("links"), {"links": ["http://[" + "x" * 80]}, "link to " + ("http://[" + "x" * 80)[:64]),
        (rule("words", words=["spam", "casino"]), {"text": "a casino"}, "the word casino"),
        (rule("media", kinds=["photo", "forward"]), {"media": "photo", "forwarded": True}, "media: photo"),
        (rule("media", kinds=["forward"]), {"forwarded": True}, "media: forward"),
        (rule("captcha", seconds=60), {"kind": "join"}, "captcha: button within 60 s"),
        (rule("captcha"), {"kind": "join_request"}, "captcha: button within 120 s"),
        (rule("custom", has_media=False, forwarded=False), {}, "has_media, forwarded"),
        (rule("custom", has_link=False), {"text": "x"}, "has_link"),
        (rule("flood", messages=1, seconds=5), {}, None),
        (rule("raid", joins=3), {"kind": "join"}, None),
    ],
    ids=str,
)
def test_why_a_rule_is_broken(found: Rule, shown: dict[str, Any], reason: str | None) -> None:
    assert evaluate.find_reason(found, seen(**shown), Window()) == reason


def test_floods_and_raids_say_how_many_there_were() -> None:
    flood, raid, window = rule("flood", messages=1, seconds=5), rule("raid", joins=3, seconds=10), Window()
    reasons = [evaluate.find_reason(flood, seen(second), window) for second in (0, 1, 9)]
    assert reasons == [None, "2 messages within 5 s", None]
    joins = [evaluate.find_reason(raid, seen(n, 1 + n, kind="join"), window) for n in range(4)]
    assert joins == [None, None, "3 joins within 10 s", "4 joins within 10 s"]


@pytest.mark.parametrize(
    ("found", "shown", "broken"),
    [
        (rule("custom", joined_within_seconds=60), {"joined_at": NOW - timedelta(seconds=60)}, True),
        (rule("custom", joined_within_seconds=60), {"joined_at": NOW}, True),
        (rule("custom", joined_within_seconds=60), {"joined_at": NOW + timedelta(seconds=1)}, False),
        (rule("custom", joined_within_seconds=60), {}, False),
        (rule("custom", capitals_percent=30), {"text": "AAAaaaaaaa"}, True),
        (rule("custom", capitals_percent=31), {"text": "AAAaaaaaaa"}, False),
        (rule("custom", longer_than=5), {"text": "x" * 5}, False),
        (rule("words", words=["spam"]), {"text": " " * (LONGEST_SEEN - 4) + "spam"}, True),
        (rule("words", words=["spam"]), {"text": " " * (LONGEST_SEEN - 3) + "spam"}, False),
        (rule("links", allowed=["a.example"], invites_only=True), {"text": "t.me/+x"}, True),
        (rule("links", allowed=["t.me"], invites_only=True), {"text": "t.me/+x"}, False),
    ],
)
def test_conditions_at_their_limits(found: Rule, shown: dict[str, Any], broken: bool) -> None:
    assert (evaluate.find_reason(found, seen(**shown), Window()) is not None) is broken


def test_a_verdict_says_what_follows_this_time() -> None:
    steps = [Step(after=2, kind="mute", duration_seconds=60)]
    found = Rule("ab" * 8, "no x", "raid", None, Penalty(kind="warn", escalation=steps), shadow=True)
    first, second = evaluate.verdict_of(found, "why", 1), evaluate.verdict_of(found, "why", 2, (5, 6))
    assert (first.rule_id, first.rule, first.kind, first.reason) == ("ab" * 8, "no x", "raid", "why")
    assert (first.penalty, first.duration_seconds, first.offence, first.users) == ("warn", None, 1, [])
    assert (second.penalty, second.duration_seconds, second.shadow, second.users) == ("mute", 60, True, [5, 6])


# ---- settings as rules
def test_settings_are_rules_of_their_own_penalties_that_come_last() -> None:
    everything = Moderation(
        flood=Flood(enabled=True, messages=4, seconds=9),
        locks=["sticker"],
        blocklist=["casino"],
        captcha=Captcha(enabled=True, kind="sum", seconds=50, join_requests=False),
        raid=Raid(enabled=True, joins=7, seconds=20, lock_seconds=600),
    )
    found = {one.kind: one for one in builtin.rules_of(everything, "g")}
    penalties = {kind: (one.penalty.kind, one.penalty.duration_seconds, one.priority) for kind, one in found.items()}
    assert penalties == {
        "flood": ("mute", 300, -1),
        "media": ("delete", None, -1),
        "words": ("delete", None, -1),
        "captcha": ("mute", None, -2),
        "raid": ("mute", 600, -1),
    }
    assert {one.id: one.name for one in found.values()} == {f"settings.g.{kind}": kind for kind in found}
    assert (found["flood"].params.messages, found["flood"].params.seconds) == (4, 9)
    assert (found["media"].params.kinds, found["words"].params.words) == (["sticker"], ["casino"])
    captcha, raid = found["captcha"].params, found["raid"].params
    assert (captcha.kind, captcha.seconds, captcha.join_requests) == ("sum", 50, False)
    assert (raid.joins, raid.seconds) == (7, 20)


# ---- the past
def test_a_dry_run_shows_its_newest_examples_and_days_in_order() -> None:
    found = Rule("0" * 16, "x", "words", rule("words", words=["x"]).params, Penalty(kind="mute", duration_seconds=60))
    messages = [seen(number * 3600, 3, text="x " + "y" * 300) for number in range(30)]
    result = past.dry_run(found, messages, 7, lambda _: NOBODY)
    assert (result.rule_id, result.days, result.matches, result.users, result.exempt) == ("0" * 16, 7, 30, 1, 0)
    assert [one.offence for one in result.examples] == list(range(30, 10, -1))
    first = result.examples[0]
    assert (first.at, first.user_id, first.penalty, first.duration_seconds) == (messages[-1].at, 3, "mute", 60)
    assert (first.reason, first.text) == ("the word x", ("x " + "y" * 300)[:200])
    assert [(day.day, day.matches) for day in result.by_day] == [("2026-01-02", 12), ("2026-01-03", 18)]
    nothing = past.dry_run(found, [], 7, lambda _: NOBODY)
    assert (nothing.examined, nothing.since, nothing.examples, nothing.penalties) == (0, None, [], {})


def test_messages_of_who_is_exempt_fill_no_window_of_a_dry_run() -> None:
    found = rule("flood", messages=1, seconds=60)
    messages = [seen(number, 1) for number in range(4)]
    result = past.dry_run(found, messages, 1, lambda _: BANS)
    assert (result.examined, result.matches, result.exempt) == (4, 0, 0)


@pytest.mark.parametrize(
    ("fields", "holding"),
    [
        ({}, True),
        ({"state": "undone"}, False),
        ({"state": "shadow"}, False),
        ({"kind": "kick"}, False),
        ({"duration_seconds": 3600}, False),  # it ends now
        ({"duration_seconds": 3601}, True),
    ],
)
def test_an_action_holds_until_it_ends(fields: dict[str, Any], holding: bool) -> None:
    assert past.holds(action(1, **fields), NOW) is holding


def test_what_is_taken_back_now_and_what_was_asked_for_in_vain() -> None:
    chosen = [action(1), action(2, "ban", state="undone"), action(3, "kick"), action(4, "ban", duration_seconds=60)]
    plan = past.plan_undo(chosen, [*chosen, action(9, "ban")], [chosen[0].id, "f" * 16 + ".0"], NOW)
    assert [one.result for one in plan.results] == ["undone", "already_undone", "not_possible", "expired", "not_found"]
    assert [one.id for one in plan.undone] == [chosen[0].id, chosen[3].id]
    assert [(one.user_id, one.action) for one in plan.results] == [
        (1, "unmute"),
        (1, None),
        (1, None),
        (1, None),
        (None, None),
    ]
    assert past.awaited(plan) == [chosen[0].id]


def test_a_lift_waits_for_its_own_member_only() -> None:
    chosen = [action(1, user_id=1), action(2, "warn", user_id=2), action(3, user_id=3)]
    plan = past.plan_undo(chosen, [action(9, user_id=3)], [], NOW)
    assert [one.result for one in plan.results] == ["undone", "undone", "another_holds"]
    assert [one.id for one in plan.undone] == [one.id for one in chosen]
    assert past.awaited(plan) == [chosen[0].id]


def test_a_warning_is_taken_back_though_another_one_holds() -> None:
    plan = past.plan_undo([action(1, "warn")], [action(2, "warn")], [], NOW)
    assert [(one.result, one.action) for one in plan.results] == [("undone", "unwarn")]


def test_counts_are_added_up_the_greatest_first() -> None:
    found = past.tally([{"a": 1, "b": 2}, {"a": 2, "c": 9}])
    assert list(found.items()) == [("c", 9), ("a", 3), ("b", 2)]
    assert past.tally([]) == {}


def test_the_day_of_these_tests() -> None:
    assert datetime(2026, 1, 2, 12, tzinfo=UTC) == NOW
