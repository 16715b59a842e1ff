"""Reads what people write behind group commands: how long, which actions, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast, get_args

from bot.commands.alert_arguments import read_moment, read_span
from contracts.services.community.actions import UNDONE_BY, ActionKind
from contracts.services.community.settings import LONGEST_MUTE

SHORTEST: Final = 30  # seconds; Telegram takes less for ever
OFF: Final = frozenset({"off", "0", "none", "mati"})
_PART: Final = re.compile(r"[0-9]{1,6}(?:min|[smhjdw])")
_LASTING: Final = re.compile(rf"(?:{_PART.pattern})+")
_ID: Final = re.compile(r"-?[0-9]{4,16}")
_USERNAME: Final = re.compile(r"@[A-Za-z0-9_]{4,32}")
_ACTION_ID: Final = re.compile(r"[0-9a-f]{16,48}(?:\.[0-9]{1,4})?")
_RULE: Final = frozenset({"rule", "aturan"})
_SINCE: Final = frozenset({"since", "sejak"})


@dataclass(frozen=True, slots=True)
class Penalty:
    """How long and why; `wrong` where it would last shorter or longer than Telegram can."""

    seconds: int | None
    reason: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class UndoWords:
    """Which actions are meant: ids, or those of a rule (its name, number or id), a kind, a time."""

    ids: tuple[str, ...] = ()
    rule: str | None = None
    kind: ActionKind | None = None
    since: datetime | None = None


def read_lasting(word: str) -> int | None:
    """Return the seconds of `90s`, `2h`, `1d12h`, `1w`; None for anything else."""
    if _LASTING.fullmatch(word.lower()) is None:
        return None
    return sum(read_span(part) or 0 for part in _PART.findall(word.lower()))


def read_penalty(words: Sequence[str]) -> Penalty:
    """Return what `2h spam` means; without a span at the beginning it is for ever."""
    seconds = read_lasting(words[0]) if words else None
    reason = " ".join(words if seconds is None else words[1:])[:500]
    return Penalty(seconds, reason, wrong=seconds is not None and not SHORTEST <= seconds <= LONGEST_MUTE)


def is_id(word: str) -> bool:
    """Return whether a word is an id of Telegram's."""
    return _ID.fullmatch(word) is not None


def is_username(word: str) -> bool:
    """Return whether a word is somebody's @name."""
    return _USERNAME.fullmatch(word) is not None


def read_undo(words: Sequence[str], now: datetime) -> UndoWords | None:
    """Return what `ID ID`, or `mutes rule 7 since 10:00`, means; None where it means nothing.

    A time of day, or `2h` ago, is taken in the zone of `now`; a whole time is ISO 8601.
    """
    if words and all(_ACTION_ID.fullmatch(word.lower()) for word in words):
        return UndoWords(ids=tuple(dict.fromkeys(word.lower() for word in words)))
    rule: list[str] = []
    kind: ActionKind | None = None
    since: datetime | None = None
    left = list(words)
    while left:
        word = left.pop(0)
        lower = word.lower()
        if lower in _RULE:
            while left and left[0].lower() not in _SINCE:
                rule.append(left.pop(0))
        elif lower in _SINCE and left:
            since = _moment(left.pop(0), now)
            if since is None:
                return None
        elif (found := _kind(lower)) is not None:
            kind = found
        elif lower not in {"all", "by", "semua", "oleh"}:
            return None
    if not rule and since is None:
        return None
    return UndoWords(rule=" ".join(rule) or None, kind=kind, since=since)


def _kind(word: str) -> ActionKind | None:
    name = word.removesuffix("s")
    known = cast("tuple[ActionKind, ...]", get_args(ActionKind))
    return next((kind for kind in known if kind == name and kind in UNDONE_BY), None)


def _moment(word: str, now: datetime) -> datetime | None:
    found = read_moment(word, now)
    if found is not None:
        return found
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)
