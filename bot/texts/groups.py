"""Texts of managed groups: what was done to whom, and what is said of it in the log channel. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.texts.language import make_reader
from runtime.texts.figures import span
from runtime.texts.markup import Html, code, escape, join
from runtime.texts.reader import Reader, language_of

if TYPE_CHECKING:
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
    """Return what the log channel is told of a deed."""
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
    """Return what the log channel is told of actions that were taken back."""
    return reader.say("groups.logged_undo", count=count, moderator=person(moderator_id))
