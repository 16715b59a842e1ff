"""The rules that the moderation settings of a group stand for; they are tried after the group's own. Pure."""

from __future__ import annotations

from typing import Any, Final

from consumers.community.moderation.evaluate import Rule
from contracts.services.community.rules import (
    CaptchaParams,
    FloodParams,
    MediaParams,
    Penalty,
    RaidParams,
    RuleKind,
    WordsParams,
)
from contracts.services.community.settings import Moderation

PREFIX: Final = "settings."  # of their ids: actions that follow from them have no rule
_LAST: Final = -1
_AFTER_LAST: Final = -2  # whoever joins in a raid is part of it, before any captcha
_FLOOD_SECONDS: Final = 300


def rules_of(moderation: Moderation, key: str) -> list[Rule]:
    """Return the rules of what is switched on in the group of a key."""
    found: list[Rule] = []
    flood, captcha, raid = moderation.flood, moderation.captcha, moderation.raid
    if flood.enabled:
        params = FloodParams(messages=flood.messages, seconds=flood.seconds)
        found.append(_rule(key, "flood", params, Penalty(kind="mute", duration_seconds=_FLOOD_SECONDS)))
    if moderation.locks:
        found.append(_rule(key, "media", MediaParams(kinds=moderation.locks), Penalty(kind="delete")))
    if moderation.blocklist:
        found.append(_rule(key, "words", WordsParams(words=moderation.blocklist), Penalty(kind="delete")))
    if captcha.enabled:
        asked = CaptchaParams(kind=captcha.kind, seconds=captcha.seconds, join_requests=captcha.join_requests)
        found.append(_rule(key, "captcha", asked, Penalty(kind="mute"), priority=_AFTER_LAST))
    if raid.enabled:
        joins = RaidParams(joins=raid.joins, seconds=raid.seconds)
        found.append(_rule(key, "raid", joins, Penalty(kind="mute", duration_seconds=raid.lock_seconds)))
    return found


def _rule(key: str, kind: RuleKind, params: Any, penalty: Penalty, *, priority: int = _LAST) -> Rule:
    return Rule(id=f"{PREFIX}{key}.{kind}", name=kind, kind=kind, params=params, penalty=penalty, priority=priority)
