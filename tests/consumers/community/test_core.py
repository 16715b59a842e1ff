"""What members may do, and what rules decide, without a bus or a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any

import pytest

from consumers.community import core
from consumers.community.core import Role
from consumers.community.moderation import builtin, evaluate, past, text
from consumers.community.moderation.evaluate import Rule, Window
from contracts.errors import ConflictError, InvalidParameterError
from contracts.services.community.actions import ActionResponse
from contracts.services.community.groups import DEEPEST, PERMISSIONS, Permission
from contracts.services.community.rules import Penalty, RuleCreate, Seen, Step, check_params
from contracts.services.community.settings import Captcha, Flood, Moderation, Raid

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
NOBODY: frozenset[Permission] = frozenset()


def role(name: str, *permissions: Permission, parent: str | None = None, priority: int = 0) -> Role:
    return Role(name, frozenset(permissions), priority, parent)


def roles(*found: Role) -> dict[str, Role]:
    return {one.name: one for one in found}


# ---- roles
HELD = ("", "own", "inherits", "inherits twice", "another", "two")


def matrix(permission: Permission) -> dict[str, Role]:
    """Roles of which one has a permission, one inherits it, one inherits it from that one, and one has all others."""
    others = tuple(one for one in PERMISSIONS if one != permission)
    return roles(
        role("own", permission, priority=1),
        role("inherits", parent="own", priority=2),
        role("inherits twice", parent="inherits", priority=3),
        role("another", *others, priority=4),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.parametrize("everybody", [(), PERMISSIONS], ids=["no permission for all", "every permission for all"])
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_the_role_matrix(permission: Permission, held: str, everybody: tuple[Permission, ...]) -> None:
    """Every permission x every role and none x own, inherited, inherited over two roles, of another, of two roles."""
    names = {"": [], "two": ["another", "inherits twice"]}.get(held, [held])
    may = core.effective(matrix(permission), names, everybody)
    wanted = bool(everybody) or held in {"own", "inherits", "inherits twice", "two"}
    assert (permission in may) == wanted
    others = bool(everybody) or held in {"another", "two"}
    assert all((other in may) == others for other in PERMISSIONS if other != permission)


def test_each_set_of_roles_gives_exactly_the_union_of_what_they_give() -> None:
    found = roles(
        role("a", "ban_members", "pin_messages"),
        role("b", "manage_roles", parent="a"),
        role("c", "view_actions", parent="b"),
        role("d", "post_links"),
    )
    own = {"a": {"a"}, "b": {"a", "b"}, "c": {"a", "b", "c"}, "d": {"d"}}
    for held in chain.from_iterable(combinations(found, count) for count in range(5)):
        reached = set[str]().union(*(own[name] for name in held))
        wanted = frozenset(permission for name in reached for permission in found[name].permissions)
        assert core.effective(found, held, ()) == wanted


def test_a_role_that_there_is_no_longer_gives_nothing() -> None:
    found = roles(role("a", "ban_members", parent="gone"))
    assert core.effective(found, ["a", "deleted"], ()) == {"ban_members"}
    assert core.priority_of(found, ["deleted"]) == core.NO_ROLE


def test_no_cycle_can_be_made_in_any_chain() -> None:
    names = [f"r{number}" for number in range(DEEPEST)]
    found = roles(*(role(name, parent=parent) for name, parent in zip(names, [None, *names], strict=False)))
    for number, name in enumerate(names):
        for other in names[number:]:
            with pytest.raises(ConflictError):
                core.check_parent(found, name, other)
    core.check_parent(found, names[1], None)
    core.check_parent(found, names[-1], names[0])
    with pytest.raises(ConflictError, match="At most"):
        core.check_parent({**found, "more": role("more")}, "more", names[-1])
    with pytest.raises(ConflictError, match="At most"):
        core.check_parent({**found, "more": role("more")}, names[0], "more")
    with pytest.raises(InvalidParameterError):
        core.check_parent(found, "new", "nobody")


def test_a_cycle_that_was_written_all_the_same_ends() -> None:
    found = roles(role("a", "ban_members", parent="b"), role("b", "pin_messages", parent="a"))
    assert core.permissions_of(found, "a") == {"ban_members", "pin_messages"}


def test_only_a_higher_role_may_act_on_another() -> None:
    found = roles(role("low", priority=1), role("high", priority=2))
    assert core.outranks(found, ["low", "high"], ["low"])
    assert not core.outranks(found, ["low"], ["low"])
    assert core.outranks(found, ["low"], [])
    assert not core.outranks(found, [], [])


def test_a_role_that_others_inherit_from_is_not_deleted() -> None:
    with pytest.raises(ConflictError, match="inherit"):
        core.check_deletable(roles(role("a"), role("b", parent="a")), "a")
    core.check_deletable(roles(role("a"), role("b", parent="a")), "b")


# ---- words and links
@pytest.mark.parametrize(
    ("written", "word", "found"),
    [
        ("buy V1agra now", "viagra", True),
        ("v i a g r a!", "viagra", True),
        ("\u0412\u0443\u0443 \u0441\u0440\u0443\u0440\u0442\u043e", "crypto", False),
        ("\u0441\u0440y\u0440t\u043e", "crypto", False),
        ("\u0441ry\u0440t\u043e", "crypto", True),
        ("v\u0456\u0430gr\u0430", "viagra", True),
        ("\uff56\uff49\uff41\uff47\uff52\uff41", "viagra", True),
        ("v\u0301i\u0301agra", "viagra", True),
        ("fr\u200bee money", "free money", True),
        ("FREEEE   MONEY!!!", "free money", True),
        ("free, money", "free money", True),
        ("spaaaam", "spam", True),
        ("$pam a$$", "ass", True),
        ("sp@m", "spam", True),
        ("classic", "ass", False),
        ("as you like", "ass", False),
        ("100 of them", "loo", False),
        ("just", "lust", False),
        ("freedom and money", "free money", False),
        ("", "spam", False),
    ],
)
def test_words_are_found_whole_with_look_alike_letters(written: str, word: str, found: bool) -> None:
    assert (text.find_word(written, [word]) is not None) == found


def test_words_within_others_and_unfolded() -> None:
    assert text.find_word("classic", ["ass"], whole=False) == "ass"
    assert text.find_word("v1agra", ["viagra"], folded=False) is None
    assert text.find_word("Viagra", ["viagra"], folded=False) == "viagra"


@pytest.mark.parametrize(
    ("written", "links"),
    [
        ("see https://a.example/x, or www.b.example.", ["https://a.example/x", "www.b.example"]),
        ("c.example/y and d.example", ["c.example/y", "d.example"]),
        ("t.me/+abc", ["t.me/+abc"]),
        ("v1.2 or e.g. this. That", []),
    ],
)
def test_links_are_found(written: str, links: list[str]) -> None:
    assert text.find_links(written) == links


def test_a_link_is_allowed_by_its_domain_and_not_by_its_looks() -> None:
    allowed = ["example.com"]
    good = ["https://example.com/a", "www.example.com", "docs.example.com"]
    bad = [
        "https://notexample.com",
        "https://example.com.evil.org",
        "https://evil.org/example.com",
        "https://example.com@evil.org",
    ]
    assert [text.is_allowed(link, allowed) for link in [*good, *bad]] == [True] * 3 + [False] * 4
    invites = ["https://t.me/+abc", "t.me/joinchat/x", "tg://join?invite=x", "https://t.me/durov"]
    assert [text.is_invite(link) for link in invites] == [True, True, True, False]


# ---- rules
def rule(kind: Any, *, shadow: bool = False, priority: int = 0, name: str = "", **params: Any) -> Rule:
    complete = check_params(kind, params)
    return Rule("ab" * 8, name or kind, kind, complete, Penalty(kind="mute"), priority, shadow=shadow)


def seen(seconds: float = 0, user_id: int = 1, **fields: Any) -> Seen:
    return Seen(at=NOW + timedelta(seconds=seconds), user_id=user_id, **fields)


def broken(found: Rule, *all_seen: Seen, permissions: frozenset[Permission] = NOBODY) -> list[bool]:
    window = Window()
    return [bool(evaluate.evaluate([found], one, permissions, window)) for one in all_seen]


def test_a_flood_is_more_messages_than_allowed_within_the_seconds() -> None:
    found = rule("flood", messages=3, seconds=10)
    assert broken(found, *(seen(second) for second in range(5))) == [False] * 3 + [True] * 2
    assert broken(found, *(seen(second) for second in (0, 1, 2, 10, 11, 12))) == [False] * 6
    assert broken(found, *(seen(0, user_id) for user_id in range(1, 7))) == [False] * 6


def test_a_window_forgets_the_least_recent() -> None:
    window = Window(most=10)
    for user_id in range(100):
        window.count(("flood", user_id), 0.0, 60)
    assert len(window.times) == 10
    assert window.count(("flood", 99), 1.0, 60) == 2
    assert window.count(("flood", 0), 1.0, 60) == 1


@pytest.mark.parametrize(
    ("found", "good", "bad"),
    [
        (rule("links", allowed=["example.com"]), {"text": "https://example.com"}, {"text": "see evil.org/x"}),
        (rule("links"), {"text": "no link"}, {"text": "here", "links": ["https://evil.org"]}),
        (rule("links", invites_only=True), {"text": "https://evil.org"}, {"text": "t.me/+x"}),
        (rule("words", words=["casino"]), {"text": "hello"}, {"text": "CA51NO"}),
        (rule("media", kinds=["sticker"]), {"media": "photo"}, {"media": "sticker"}),
        (rule("media", kinds=["forward"]), {"media": "photo"}, {"forwarded": True}),
        (rule("custom", longer_than=5), {"text": "short"}, {"text": "longer"}),
        (rule("custom", more_lines_than=2), {"text": "a\nb"}, {"text": "a\nb\nc"}),
        (rule("custom", more_mentions_than=2), {"mentions": 2}, {"mentions": 3}),
        (rule("custom", capitals_percent=70), {"text": "Hello Everybody"}, {"text": "HELLO EVERYBODy"}),
        (rule("custom", capitals_percent=70), {"text": "OK"}, {"text": "AAAAAAAAAAA"}),
        (rule("custom", has_link=True), {"text": "x"}, {"text": "x.example"}),
        (rule("custom", has_media=True, forwarded=True), {"media": "photo"}, {"media": "photo", "forwarded": True}),
        (
            rule("custom", joined_within_seconds=60, has_link=True),
            {"text": "a.example", "joined_at": NOW - timedelta(seconds=61)},
            {"text": "a.example", "joined_at": NOW - timedelta(seconds=59)},
        ),
        (rule("captcha"), {"kind": "message"}, {"kind": "join"}),
        (rule("captcha", join_requests=False), {"kind": "join_request"}, {"kind": "join"}),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_and_what_does_not(found: Rule, good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert broken(found, seen(**good), seen(**bad)) == [False, True]


def test_a_raid_is_many_joins_in_a_short_time() -> None:
    found = rule("raid", joins=5, seconds=10)
    joins = [seen(number, number + 1, kind="join") for number in range(7)]
    assert broken(found, *joins) == [False] * 4 + [True] * 3
    slow = [seen(number * 5, number + 1, kind="join") for number in range(7)]
    assert broken(found, *slow) == [False] * 7
    assert broken(found, *(seen(number) for number in range(7))) == [False] * 7


EXEMPTIONS: dict[str, set[Permission]] = {
    "flood": {"bypass_flood", "delete_messages", "restrict_members", "ban_members"},
    "links": {"post_links", "delete_messages", "restrict_members", "ban_members"},
    "words": {"delete_messages", "restrict_members", "ban_members"},
    "media": {"post_media", "delete_messages", "restrict_members", "ban_members"},
    "captcha": {"bypass_captcha"},
    "raid": set(),
    "custom": {"delete_messages", "restrict_members", "ban_members"},
}


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("kind", EXEMPTIONS)
def test_who_is_exempt_from_what(kind: str, permission: Permission) -> None:
    params: dict[str, Any] = {"words": {"words": ["x"]}, "media": {"kinds": ["photo"]}, "custom": {"has_media": True}}
    found = rule(kind, **params.get(kind, {}))
    assert evaluate.is_exempt(found, frozenset({permission})) == (permission in EXEMPTIONS[kind])


def test_the_first_rule_that_acts_does_and_every_one_in_shadow_says_so() -> None:
    words: dict[str, Any] = {"words": ["x"]}
    found = [
        rule("words", name="late", priority=1, **words),
        rule("words", name="first", priority=5, **words),
        rule("words", name="shadow", priority=9, shadow=True, **words),
        rule("words", name="last shadow", shadow=True, **words),
    ]
    window = Window()
    verdicts = [one.name for one, _ in evaluate.evaluate(found, seen(text="x"), NOBODY, window)]
    assert verdicts == ["shadow", "first", "last shadow"]


def test_penalties_escalate() -> None:
    steps = [Step(after=2, kind="mute", duration_seconds=60), Step(after=4, kind="ban")]
    penalty = Penalty(kind="warn", escalation=steps)
    kinds = [evaluate.penalty_for(penalty, number).kind for number in range(1, 6)]
    assert kinds == ["warn", "mute", "mute", "ban", "ban"]
    assert evaluate.penalty_for(penalty, 2).duration_seconds == 60


@pytest.mark.parametrize(
    ("kind", "params", "fault"),
    [
        ("flood", {"messages": 0}, "params.messages"),
        ("words", {"words": []}, "params.words"),
        ("custom", {}, "needs a condition"),
        ("links", {"allow": ["x"]}, "params.allow"),
    ],
)
def test_parameters_are_held_to_their_kind(kind: Any, params: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        RuleCreate(name="x", kind=kind, params=params, penalty=Penalty(kind="warn"))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "warn", "duration_seconds": 60},
        {"kind": "mute", "escalation": [Step(after=3, kind="ban"), Step(after=2, kind="ban")]},
        {"kind": "mute", "escalation": [Step(after=2, kind="kick", duration_seconds=60)]},
    ],
)
def test_what_no_penalty_may_be(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"duration_seconds|after"):
        Penalty(**fields)


def test_moderation_settings_stand_for_rules_that_come_last() -> None:
    flood, captcha, raid = Flood(enabled=True), Captcha(enabled=True), Raid(enabled=True)
    everything = Moderation(flood=flood, locks=["sticker"], blocklist=["casino"], captcha=captcha, raid=raid)
    found = builtin.rules_of(everything, "g")
    assert [one.kind for one in found] == ["flood", "media", "words", "captcha", "raid"]
    assert builtin.rules_of(Moderation(), "g") == []
    own = rule("words", words=["casino"])
    (first, *_), window = evaluate.evaluate([*found, own], seen(text="casino"), NOBODY, Window()), Window()
    assert first[0] is own
    (other, _) = evaluate.evaluate(found, seen(text="CASINO"), NOBODY, window)[0]
    assert other.id == "settings.g.words"


# ---- the past
def days_of_messages() -> Iterator[Seen]:
    for number in range(40):
        spam = number % 4 == 0
        yield seen(number * 3600, 1 + number % 8, text="free casino" if spam else "hello")


def test_a_dry_run_counts_what_a_rule_would_have_done() -> None:
    steps = [Step(after=3, kind="ban")]
    words = check_params("words", {"words": ["casino"]})
    found = Rule("0" * 16, "no casino", "words", words, Penalty(kind="warn", escalation=steps))
    exempt: frozenset[Permission] = frozenset({"ban_members"})
    result = past.dry_run(found, days_of_messages(), 30, lambda user_id: exempt if user_id == 5 else NOBODY)
    assert (result.examined, result.matches, result.exempt, result.users) == (40, 5, 5, 1)
    assert result.penalties == {"warn": 2, "ban": 3}
    assert sum(day.matches for day in result.by_day) == 5
    assert [match.offence for match in result.examples] == [5, 4, 3, 2, 1]
    assert result.since == NOW


def test_a_dry_run_finds_the_same_as_the_rule_did_live() -> None:
    found = rule("flood", messages=2, seconds=30)
    messages = [seen(number * 7 % 100, 1 + number % 3) for number in range(60)]
    messages.sort(key=lambda one: one.at)
    live = sum(broken(found, *messages))
    assert live
    assert past.dry_run(found, messages, 30, lambda _: NOBODY).matches == live


def action(number: int, kind: Any = "mute", user_id: int = 1, **fields: Any) -> ActionResponse:
    values: dict[str, Any] = {
        "id": f"{number:016x}.0", "seq": number, "kind": kind, "user_id": user_id, "moderator_id": 7, "reason": "",
        "duration_seconds": None, "rule_id": None, "state": "done", "undoes": None, "undone_by": None,
        "at": NOW - timedelta(hours=1),
    }  # fmt: skip
    return ActionResponse(**{**values, **fields})


def undo(chosen: list[ActionResponse], others: list[ActionResponse] | None = None) -> list[tuple[str, str | None]]:
    plan = past.plan_undo(chosen, others or [], [], NOW)
    return [(one.result, one.action) for one in plan.results]


def test_what_becomes_of_an_action_that_is_taken_back() -> None:
    assert undo([action(1), action(2, "ban"), action(3, "warn")]) == [
        ("undone", "unmute"), ("undone", "unban"), ("undone", "unwarn"),
    ]  # fmt: skip
    assert undo([action(1, state="undone"), action(2, "kick"), action(3, state="shadow")]) == [
        ("already_undone", None), ("not_possible", None), ("not_possible", None),
    ]  # fmt: skip
    assert undo([action(1, duration_seconds=60)]) == [("expired", None)]
    assert undo([action(1)], [action(2)]) == [("another_holds", None)]
    assert undo([action(1)], [action(2, duration_seconds=60)]) == [("undone", "unmute")]
    assert undo([action(1)], [action(2, user_id=2), action(3, "ban")]) == [("undone", "unmute")]
    assert undo([action(1), action(2)]) == [("undone", "unmute"), ("undone", None)]
    assert undo([action(1, "warn"), action(2, "warn")]) == [("undone", "unwarn")] * 2
    missing = past.plan_undo([], [], ["0" * 16 + ".0"], NOW)
    assert [one.result for one in missing.results] == ["not_found"]


def test_only_what_holds_in_telegram_waits_for_the_bot() -> None:
    kinds = ("mute", "mute", "warn", "ban", "kick")
    chosen = [action(number, kind) for number, kind in enumerate(kinds)]
    chosen.append(action(7, duration_seconds=1, at=NOW - timedelta(hours=1)))
    plan = past.plan_undo(chosen, [], [], NOW)
    assert past.awaited(plan) == [chosen[0].id, chosen[1].id, chosen[3].id]  # one lift is for both mutes
    held = past.plan_undo([chosen[0]], [action(9)], [], NOW)
    assert past.awaited(held) == []
