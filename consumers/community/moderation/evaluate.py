"""Decides which rules a message or a join breaks; how often it came lately is counted by `Counts`. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, cast

from consumers.community.moderation import text
from contracts.services.community import rules
from contracts.services.community.groups import Permission
from contracts.services.community.rules import LONGEST_SEEN, Penalty, Seen, Step, Verdict

EVERYBODY: Final = 0  # in place of a member, where a rule counts the whole group
MOST_WINDOWS: Final = 20_000  # members and rules whose last messages are remembered
EXEMPT: Final[Mapping[str, tuple[Permission, ...]]] = {
    "flood": ("bypass_flood",),
    "links": ("post_links",),
    "media": ("post_media",),
    "captcha": ("bypass_captcha",),
}
"""The permissions that exempt from rules of a kind; who may delete messages is exempt from all but captcha and raid."""
_STAFF: Final[frozenset[Permission]] = frozenset({"delete_messages", "restrict_members", "ban_members"})
_JOINS: Final = frozenset({"captcha", "raid"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is evaluated; `params` are complete."""

    id: str
    name: str
    kind: rules.RuleKind
    params: Any
    penalty: Penalty
    priority: int = 0
    enabled: bool = True
    shadow: bool = False


class Counts(Protocol):
    """How often something came lately, by rule and member (0 for the whole group)."""

    def count(self, key: tuple[str, int], at: float, seconds: float) -> int:
        """Return how often it came within the last seconds, this time included; 0 where it was counted before."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One count that a rule depends on: within `seconds`, of which more than `most` make no difference."""

    key: tuple[str, int]
    seconds: int
    most: int


@dataclass(slots=True)
class Window:
    """When members wrote and joined lately (seconds UTC), by rule; the least recent are forgotten."""

    most: int = MOST_WINDOWS
    times: OrderedDict[tuple[str, int], deque[float]] = field(
        default_factory=OrderedDict[tuple[str, int], "deque[float]"]
    )

    def count(self, key: tuple[str, int], at: float, seconds: float) -> int:
        """Add a time and return how many there are of the last seconds, this one included."""
        found = self.times.pop(key, None) or deque[float]()
        found.append(at)
        while found and found[0] <= at - seconds:
            found.popleft()
        self.times[key] = found
        while len(self.times) > self.most:
            self.times.popitem(last=False)
        return len(found)


def in_order(found: Iterable[Rule]) -> list[Rule]:
    """Return rules as they are tried: the highest priority first, of equal ones the older id."""
    return sorted(found, key=lambda rule: (-rule.priority, rule.id))


def is_exempt(rule: Rule, permissions: frozenset[Permission]) -> bool:
    """Return whether a member with these permissions is not held to a rule."""
    if permissions & frozenset(EXEMPT.get(rule.kind, ())):
        return True
    return rule.kind not in _JOINS and bool(permissions & _STAFF)


def list_counts(found: Iterable[Rule], seen: Seen, permissions: frozenset[Permission]) -> list[Asked]:
    """Return the counts that a message or a join is added to: those of the rules that it may break."""
    asked: list[Asked] = []
    for rule in found:
        if not rule.enabled or is_exempt(rule, permissions):
            continue
        if rule.kind == "flood" and seen.kind == "message":
            flood = cast("rules.FloodParams", rule.params)
            asked.append(Asked((rule.id, seen.user_id), flood.seconds, flood.messages + 1))
        elif rule.kind == "raid" and seen.kind != "message":
            raid = cast("rules.RaidParams", rule.params)
            asked.append(Asked((rule.id, EVERYBODY), raid.seconds, raid.joins))
    return asked


def find_reason(rule: Rule, seen: Seen, window: Counts) -> str | None:
    """Return why a message or a join breaks a rule; None where it does not. It counts in the window once a call."""
    joined = seen.kind != "message"
    if joined != (rule.kind in _JOINS):
        return None
    return _MATCHERS[rule.kind](rule, seen, window)


def penalty_for(penalty: Penalty, offence: int) -> Penalty | Step:
    """Return what follows the `offence`-th time (from 1): the last step that it reaches."""
    reached = [step for step in penalty.escalation if offence >= step.after]
    return reached[-1] if reached else penalty


def verdict_of(rule: Rule, reason: str, offence: int, users: Sequence[int] = ()) -> Verdict:
    """Return what a rule decides for the `offence`-th time; `users` are those whose joins made it a raid."""
    follows = penalty_for(rule.penalty, offence)
    return Verdict(
        rule_id=rule.id,
        rule=rule.name,
        kind=rule.kind,
        penalty=follows.kind,
        duration_seconds=follows.duration_seconds,
        offence=offence,
        shadow=rule.shadow,
        reason=reason,
        users=list(users),
    )


def evaluate(
    found: Iterable[Rule], seen: Seen, permissions: frozenset[Permission], window: Counts
) -> list[tuple[Rule, str]]:
    """Return the rules that are broken, with why: each one in shadow, and of the others the first that is tried.

    Those who are exempt count in no window.
    """
    broken: list[tuple[Rule, str]] = []
    acted = False
    for rule in in_order(found):
        if not rule.enabled or is_exempt(rule, permissions):
            continue
        reason = find_reason(rule, seen, window)
        if reason is None or (acted and not rule.shadow):
            continue
        broken.append((rule, reason))
        acted = acted or not rule.shadow
    return broken


def _flood(rule: Rule, seen: Seen, window: Counts) -> str | None:
    params = cast("rules.FloodParams", rule.params)
    count = window.count((rule.id, seen.user_id), _seconds(seen.at), params.seconds)
    return f"{count} messages within {params.seconds} s" if count > params.messages else None


def _links(rule: Rule, seen: Seen, _window: Counts) -> str | None:
    params = cast("rules.LinksParams", rule.params)
    for link in text.find_links(_read(seen), seen.links):
        if not text.is_allowed(link, params.allowed) and (not params.invites_only or text.is_invite(link)):
            return f"link to {text.host_of(link) or link[:64]}"
    return None


def _words(rule: Rule, seen: Seen, _window: Counts) -> str | None:
    params = cast("rules.WordsParams", rule.params)
    word = text.find_word(_read(seen), params.words, whole=params.whole, folded=params.fold)
    return None if word is None else f"the word {word}"


def _media(rule: Rule, seen: Seen, _window: Counts) -> str | None:
    params = cast("rules.MediaParams", rule.params)
    kinds = {seen.media, "forward" if seen.forwarded else None}
    return next((f"media: {kind}" for kind in params.kinds if kind in kinds), None)


def _captcha(rule: Rule, seen: Seen, _window: Counts) -> str | None:
    params = cast("rules.CaptchaParams", rule.params)
    if seen.kind == "join_request" and not params.join_requests:
        return None
    return f"captcha: {params.kind} within {params.seconds} s"


def _raid(rule: Rule, seen: Seen, window: Counts) -> str | None:
    params = cast("rules.RaidParams", rule.params)
    count = window.count((rule.id, EVERYBODY), _seconds(seen.at), params.seconds)
    return f"{count} joins within {params.seconds} s" if count >= params.joins else None


def _custom(rule: Rule, seen: Seen, _window: Counts) -> str | None:
    params = cast("rules.CustomParams", rule.params)
    given = params.model_dump(exclude_none=True)
    return ", ".join(given) if all(_CONDITIONS[name](seen, value) for name, value in given.items()) else None


def _joined_within(seen: Seen, seconds: int) -> bool:
    return seen.joined_at is not None and 0 <= _seconds(seen.at) - _seconds(seen.joined_at) <= seconds


def _read(seen: Seen) -> str:
    return seen.text[:LONGEST_SEEN]


def _seconds(at: datetime) -> float:
    return at.timestamp()


_CONDITIONS: Final[Mapping[str, Callable[[Seen, Any], bool]]] = {
    "longer_than": lambda seen, most: len(seen.text) > most,
    "more_lines_than": lambda seen, most: seen.text.count("\n") + 1 > most,
    "more_mentions_than": lambda seen, most: seen.mentions > most,
    "capitals_percent": lambda seen, least: text.capitals_percent(_read(seen)) >= least,
    "has_link": lambda seen, wanted: bool(text.find_links(_read(seen), seen.links)) == wanted,
    "has_media": lambda seen, wanted: (seen.media is not None) == wanted,
    "forwarded": lambda seen, wanted: seen.forwarded == wanted,
    "joined_within_seconds": _joined_within,
}
_MATCHERS: Final[Mapping[str, Callable[[Rule, Seen, Counts], str | None]]] = {
    "flood": _flood,
    "links": _links,
    "words": _words,
    "media": _media,
    "captcha": _captcha,
    "raid": _raid,
    "custom": _custom,
}
