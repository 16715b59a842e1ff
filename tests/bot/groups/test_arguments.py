"""What is read from the words behind group commands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.groups.commands.arguments import Penalty, UndoWords, read_lasting, read_penalty, read_undo
from bot.groups.operations import Deed, operations_of
from bot.groups.standing import Standing, anonymous_of
from contracts.services.community.actions import ActionKind
from contracts.services.community.groups import PERMISSIONS
from contracts.services.telegram.jobs import MemberReply

NOW = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("30s", 30), ("2h", 7200), ("1d12h", 129_600), ("1w", 604_800), ("5min", 300), ("2", None), ("spam", None)],
)
def test_a_span(word: str, seconds: int | None) -> None:
    assert read_lasting(word) == seconds


def test_a_penalty() -> None:
    assert read_penalty(["2h", "spam", "again"]) == Penalty(7200, "spam again")
    assert read_penalty(["spam"]) == Penalty(None, "spam")
    assert read_penalty([]) == Penalty(None, "")
    assert read_penalty(["29s"]).wrong
    assert read_penalty(["367d"]).wrong
    assert not read_penalty(["366d"]).wrong


def test_an_undo() -> None:
    ids = ("9f86d081884c7d65", "9f86d081884c7d65.1")
    assert read_undo([*ids, ids[0]], NOW) == UndoWords(ids=ids)
    ten = NOW.replace(hour=10)
    assert read_undo(["all", "mutes", "by", "rule", "7", "since", "10:00"], NOW) == UndoWords(
        rule="7", kind="mute", since=ten
    )
    assert read_undo(["rule", "no", "more", "ads"], NOW) == UndoWords(rule="no more ads")
    assert read_undo(["since", "2026-11-26T10:00"], NOW) == UndoWords(since=ten)
    assert read_undo(["bans", "since", "6h"], NOW) == UndoWords(kind="ban", since=ten)
    for wrong in ("mutes", "kicks since 10:00", "since yesterday", "rule", "everything"):
        assert read_undo(wrong.split(), NOW) is None


@pytest.mark.parametrize(
    ("kind", "ops"),
    [
        ("ban", ["banChatMember"]),
        ("kick", ["unbanChatMember"]),
        ("mute", ["restrictChatMember"]),
        ("warn", []),
        ("promote", ["promoteChatMember"]),
        ("delete", ["deleteMessages", "deleteMessages"]),
    ],
)
def test_what_is_asked_of_telegram(kind: ActionKind, ops: list[str]) -> None:
    ids = tuple(range(1, 151)) if kind == "delete" else ()
    deed = Deed(kind=kind, group_id=-1_001_000_000_001, user_id=5, moderator_id=6, key="k", message_ids=ids)
    assert [one.op for one in operations_of(deed, 1000)] == ops


def test_a_channel_is_kept_out_as_a_channel() -> None:
    deed = Deed(kind="mute", group_id=-1_001_000_000_001, user_id=-1_002, moderator_id=6, key="k")
    assert [one.op for one in operations_of(deed, 1000)] == ["banChatSenderChat"]


def test_a_restricted_member_keeps_only_what_concerns_themselves() -> None:
    standing = Standing(5, "restricted", permissions=frozenset(PERMISSIONS))
    assert {one for one in PERMISSIONS if standing.may(one)} == {
        "post_links",
        "post_media",
        "bypass_flood",
        "bypass_captcha",
    }
    assert all(Standing(5, "creator").may(one) for one in PERMISSIONS)
    assert not any(Standing(5, "left").may(one) for one in PERMISSIONS)


def admin(user_id: int, *rights: str, anonymous: bool = True, status: str = "administrator") -> MemberReply:
    return MemberReply(
        user_id=user_id,
        first_name="A",
        username=None,
        is_bot=False,
        status=status,
        is_anonymous=anonymous,
        until=0,
        rights=dict.fromkeys(rights, True),
    )


def test_an_anonymous_administrator_is_the_least_of_those_it_can_be() -> None:
    both = [admin(1, "can_pin_messages", "can_restrict_members"), admin(2, "can_pin_messages")]
    assert anonymous_of(both, None).rights == {"can_pin_messages"}
    assert anonymous_of([*both, admin(3, status="creator")], None).rights == {"can_pin_messages"}
    assert anonymous_of([admin(3, status="creator"), admin(4, "can_pin_messages", anonymous=False)], None).status == (
        "creator"
    )
    assert not any(anonymous_of([], None).has_right(right) for right in ("can_pin_messages", "can_restrict_members"))
