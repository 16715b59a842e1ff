"""Texts of what happens in groups by itself: penalties, questions to newcomers, raids, reports, greetings. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bot.page import Button, Rows
from bot.texts.groups import lasting, person
from contracts.services.community.rules import Verdict
from runtime.texts.figures import span
from runtime.texts.markup import Html, escape, join, shorten
from runtime.texts.reader import Reader

if TYPE_CHECKING:
    from bot.groups.automatic.core import Report

GATE: Final = "gate"  # the action of buttons of questions
VERDICT: Final = "hidden"  # the action of buttons of reported messages
_PLACEHOLDER: Final = re.compile(r"\{(name|mention|group|count|rules)\}")
_IN_ROW: Final = 6
_MOST_SHOWN: Final = 1000  # characters of a reported message


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands for the placeholders; `count` None where it is not known."""

    user_id: int
    name: str
    group: str
    count: int | None = None
    rules: tuple[str, ...] = ()


def fill(template: str, filling: Filling) -> Html:
    """Return a template as HTML: all that people wrote is escaped, the member is mentioned."""
    values = {
        "name": escape(filling.name),
        "mention": person(filling.user_id, filling.name),
        "group": escape(filling.group),
        "count": escape("?" if filling.count is None else filling.count),
        "rules": Html("\n".join(f"• {escape(rule)}" for rule in filling.rules)),
    }
    return Html(_PLACEHOLDER.sub(lambda found: values[found.group(1)], escape(template)))


def needs(template: str, placeholder: str) -> bool:
    """Return whether a template has a placeholder."""
    return f"{{{placeholder}}}" in template


def penalised(verdict: Verdict, user_id: int, name: str, reader: Reader) -> Html:
    """Return the group's text about a penalty."""
    why = reader.say(f"automatic.rule.{verdict.kind}", rule=verdict.rule)
    parts = (
        reader.say(f"groups.did.{verdict.penalty}", who=person(user_id, name)),
        lasting(verdict.duration_seconds, reader),
        reader.say("automatic.because", why=why),
    )
    return join(parts, " ")


def question(who: tuple[int, str], kind: str, seconds: float, reader: Reader) -> Html:
    """Return the question to newcomers, the first of whom is mentioned."""
    return reader.say(f"automatic.ask.{kind}", who=person(*who), span=span(seconds))


def request_question(group: str, kind: str, seconds: float, reader: Reader) -> Html:
    """Return the question to who asked to join, as it is sent in private."""
    return reader.say(f"automatic.request.{kind}", group=group, span=span(seconds))


def answers(kind: str, chat_id: int, reader: Reader, numbers: Sequence[int]) -> Rows:
    """Return the buttons below a question."""
    if kind == "button":
        return ((Button(reader.plain("automatic.button.person"), f"{GATE}|in|{chat_id}"),),)
    keys = [Button(str(number), f"{GATE}|{number}|{chat_id}") for number in numbers]
    rows = tuple(tuple(keys[at : at + _IN_ROW]) for at in range(0, len(keys), _IN_ROW))
    return ((Button(reader.plain("automatic.button.sum"), f"{GATE}|ask|{chat_id}"),), *rows)


def raid_began(until: float, kind: str, reader: Reader) -> Html:
    """Return the one notice of a raid."""
    end = reader.clock(datetime.fromtimestamp(until, UTC))
    return Html(f"{reader.say('automatic.raid.began', end=end)}\n{reader.say(f'automatic.raid.{kind}')}")


def hidden(report: Report, count: int, reader: Reader, *, shown: bool) -> Html:
    """Return the notice of a hidden message; `shown`: with what it said, where only moderators read it."""
    lines = [reader.say("automatic.report.hidden", who=person(report.user_id, report.name), count=count)]
    if shown and report.text:
        lines.append(reader.say("automatic.report.text", text=shorten(report.text, _MOST_SHOWN)))
    if shown and report.photo:
        lines.append(reader.say("automatic.report.photo"))
    return join(lines, "\n")


def shown_again(report: Report, reader: Reader) -> Html:
    """Return a message that a moderator has shown again."""
    return Html(
        f"{reader.say('automatic.report.again', who=person(report.user_id, report.name))}\n{escape(report.text)}"
    )


def moderators_rows(chat_id: int, message_id: int, reader: Reader) -> Rows:
    """Return the buttons below a reported message."""
    make = ((one, f"{VERDICT}|{one}|{chat_id}|{message_id}") for one in ("approve", "delete"))
    return (tuple(Button(reader.plain(f"automatic.button.{one}"), data) for one, data in make),)


def raid_on(until: float, reader: Reader) -> Html:
    """Return that raid mode is on."""
    return reader.say("automatic.raid.on", end=reader.clock(datetime.fromtimestamp(until, UTC)))
