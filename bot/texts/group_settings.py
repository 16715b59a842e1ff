"""Texts of how a group is run: settings, locks, the slow mode, rules. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.services.community.rules import RuleResponse
from contracts.services.community.settings import MediaKind, SettingsResponse
from runtime.texts.figures import span
from runtime.texts.markup import Html, fit, shorten
from runtime.texts.reader import Reader

_LONGEST = 120


def settings(found: SettingsResponse, reader: Reader) -> Html:
    """Return the settings of a group."""
    moderation = found.moderation
    log = "-" if found.log_channel_id is None else str(found.log_channel_id)
    seconds = found.delete_commands_seconds
    return fit(
        [
            reader.say("groups.settings.head"),
            reader.say("groups.settings.language", language=found.language),
            reader.say("groups.settings.welcome", text=shorten(found.welcome, _LONGEST) or "-"),
            reader.say("groups.settings.goodbye", text=shorten(found.goodbye, _LONGEST) or "-"),
            reader.say("groups.settings.log", chat=log, topic=found.log_thread_id or "-"),
            reader.say("groups.settings.autodelete", span="-" if seconds is None else span(seconds)),
            reader.say(
                "groups.settings.flood",
                state=_state(enabled=moderation.flood.enabled),
                messages=moderation.flood.messages,
                seconds=moderation.flood.seconds,
            ),
            reader.say(
                "groups.settings.captcha",
                state=_state(enabled=moderation.captcha.enabled),
                kind=moderation.captcha.kind,
                seconds=moderation.captcha.seconds,
            ),
            reader.say(
                "groups.settings.raid",
                state=_state(enabled=moderation.raid.enabled),
                joins=moderation.raid.joins,
                seconds=moderation.raid.seconds,
            ),
            reader.say("groups.settings.record", state=_state(enabled=found.record)),
            locks(moderation.locks, reader),
        ],
        [reader.say("groups.settings_usage")],
    )


def locks(found: Sequence[MediaKind], reader: Reader) -> Html:
    """Return what members may not send."""
    return reader.say("groups.locks", kinds=" ".join(found)) if found else reader.say("groups.no_locks")


def slow(seconds: int | None, own: int, reader: Reader) -> Html:
    """Return how often a member may write; `own` are the seconds of Telegram's own slow mode."""
    parts = [reader.say("groups.slow", span=span(seconds)) if seconds else reader.say("groups.not_slow")]
    if own:
        parts.append(reader.say("groups.slow_own", span=span(own)))
    return fit(parts)


def rules(found: Sequence[RuleResponse], reader: Reader, *, numbered: bool = False) -> Html:
    """Return rules with what follows; `numbered` for who may manage them: those that do not act, too."""
    if not found:
        return reader.say("groups.no_rules")
    rows = [_rule(at, one, reader, numbered=numbered) for at, one in enumerate(found, 1)]
    return fit([reader.say("groups.rules"), *rows])


def _rule(at: int, rule: RuleResponse, reader: Reader, *, numbered: bool) -> Html:
    penalty = reader.plain(f"groups.kind.{rule.penalty.kind}")
    if rule.penalty.duration_seconds is not None:
        penalty = f"{penalty} {span(rule.penalty.duration_seconds)}"
    if not numbered:
        return reader.say("groups.rule", name=rule.name, penalty=penalty)
    mark = "👁" if rule.shadow else "🟢" if rule.enabled else "⚪"
    return reader.say("groups.rule_row", at=at, mark=mark, name=rule.name, penalty=penalty, hits=rule.hits)


def _state(*, enabled: bool) -> str:
    return "🟢" if enabled else "⚪"
