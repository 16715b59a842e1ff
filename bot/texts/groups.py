"""Texts of managed groups: what was done to whom, and what is said of it in the log channel. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.texts.language import make_reader
from contracts.services.community.actions import ActionResponse, GroupStatistics, UserStatistics
from contracts.services.community.groups import RoleResponse
from runtime.texts.figures import number, span
from runtime.texts.markup import Html, code, escape, fit, join
from runtime.texts.reader import Reader, language_of

if TYPE_CHECKING:
    from bot.groups.deeds import Undone
    from bot.groups.operations import Deed


def reader_of(language: str) -> Reader:
    """Return how a group reads: in its own language, times in UTC."""
    return make_reader(language_of(language))


def person(user_id: int, name: str | None = None) -> Html:
    """Return somebody as a mention; a channel by its id."""
    text = escape(name or user_id)
    return Html(f'<a href="tg://user?id={user_id}">{text}</a>') if user_id > 0 else code(name or user_id)


def lasting(seconds: int | None, reader: Reader) -> Html:
    """Return for how long, with what stands before it; nothing for ever."""
    return Html("") if seconds is None else reader.say("groups.lasting", span=span(seconds))


def because(reason: str, reader: Reader) -> Html:
    """Return why, with what stands before it; nothing where nobody said."""
    return reader.say("groups.because", reason=reason) if reason else Html("")


def logged(deed: Deed, reader: Reader) -> Html:
    """Return the log channel's text about a deed."""
    return join(
        (
            reader.say(f"groups.did.{deed.kind}", who=person(deed.user_id)),
            lasting(deed.duration_seconds, reader),
            because(deed.reason, reader),
            reader.say("groups.by", moderator=person(deed.moderator_id)),
        ),
        " ",
    )


def logged_undo(count: int, moderator_id: int, reader: Reader) -> Html:
    """Return the log channel's text about actions that were taken back."""
    return reader.say("groups.logged_undo", count=count, moderator=person(moderator_id))


def did(deed: Deed, name: str | None, reader: Reader) -> Html:
    """Return the group's text about a deed."""
    who = person(deed.user_id, name)
    parts = (reader.say(f"groups.did.{deed.kind}", who=who), lasting(deed.duration_seconds, reader))
    return join((*parts, because(deed.reason, reader)), " ")


def did_kind(kind: str, who: Html, reason: str, reader: Reader) -> Html:
    """Return the group's text about an action that was lifted."""
    return join((reader.say(f"groups.did.{kind}", who=who), because(reason, reader)), " ")


def lines(parts: Sequence[Html]) -> Html:
    """Return parts as lines of one message."""
    return fit(parts)


def kept(html: str) -> Html:
    """Return the text that a message has already, as Telegram gives it."""
    return Html(html)


def fault(error: ValueError) -> str:
    """Return the first fault of what was written, without where it stands in the model."""
    found = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return found.removeprefix("Value error, ")


def roles(found: Sequence[RoleResponse], reader: Reader) -> Html:
    """Return the roles of a group: what they may do, and how many have them."""
    if not found:
        return reader.say("groups.no_roles")
    rows = [
        reader.say(
            "groups.role_row",
            name=one.name,
            priority=one.priority,
            members=one.members,
            permissions=" ".join(one.effective_permissions) or "-",
        )
        for one in found
    ]
    return fit([reader.say("groups.roles"), *rows], [reader.say("groups.role_usage")])


def group_figures(name: str, found: GroupStatistics, reader: Reader) -> Html:
    """Return the figures of a group."""
    return fit(
        [
            reader.say("groups.stats.head", name=name),
            reader.say("groups.stats.members", counts=_counts(found.members), messages=number(found.messages)),
            reader.say("groups.stats.active", counts=_counts(found.active_users)),
            reader.say("groups.stats.actions", count=number(found.actions), counts=_counts(found.by_kind)),
            reader.say("groups.stats.made", roles=found.roles, rules=found.rules),
        ]
    )


def user_figures(who: Html, found: UserStatistics, reader: Reader) -> Html:
    """Return the figures of a member."""
    seen = reader.moment(found.last_active_at) if found.last_active_at else "-"
    return fit(
        [
            reader.say("groups.stats.user", who=who, status=found.status or "-", roles=" ".join(found.roles) or "-"),
            reader.say("groups.stats.wrote", messages=number(found.messages), seen=seen),
            reader.say("groups.stats.actions", count=number(found.actions), counts=_counts(found.by_kind)),
            reader.say("groups.warns", count=found.warns),
        ]
    )


def warnings(who: Html, found: Sequence[ActionResponse], reader: Reader) -> Html:
    """Return the warnings of a member, the newest first."""
    rows = [
        reader.say("groups.warning", at=reader.moment(one.at), reason=one.reason or "-", id=one.id) for one in found
    ]
    return fit([reader.say("groups.warnings", who=who, count=len(found)), *rows])


def action_label(action: ActionResponse, reader: Reader) -> str:
    """Return what stands on the button that takes an action back."""
    return f"↩️ {reader.plain(f'groups.kind.{action.kind}')} · {action.user_id}"


def actions(found: Sequence[ActionResponse], reader: Reader) -> Html:
    """Return actions that can be taken back, the newest first."""
    rows = [
        reader.say(
            "groups.action_row",
            at=reader.moment(one.at),
            kind=reader.plain(f"groups.kind.{one.kind}"),
            who=person(one.user_id),
            id=one.id,
        )
        for one in found
    ]
    return fit([reader.say("groups.actions"), *rows], [reader.say("groups.undo_usage")])


def undo_begun(count: int, reader: Reader) -> Html:
    """Return that many actions are being taken back."""
    return reader.say("groups.undo_begun", count=count)


def undone(found: Undone, reader: Reader, by: Html | None = None) -> Html:
    """Return what became of actions that were to be taken back; `by` is who pressed the button of one."""
    parts = [reader.say("groups.undone", count=found.undone)]
    if by is not None and found.undone:
        parts = [reader.say("groups.undone_by", who=by)]
    others = Counter(one.result for one in found.results if one.result != "undone")
    parts += [reader.say(f"groups.undo.{result}", count=count) for result, count in others.items()]
    for said, count in Counter(one.say(reader) for one in found.refused.values()).items():
        parts.append(reader.say("groups.not_undone", count=count, why=said))
    if found.more:
        parts.append(reader.say("groups.undo_more"))
    return fit(parts if len(parts) == 1 or found.undone else parts[1:])


def _counts(found: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {number(count)}" for name, count in found.items()) or "-"
