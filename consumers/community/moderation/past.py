"""Decides over what is recorded: what a rule would have done, and what follows when actions are taken back. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consumers.community.moderation import evaluate
from consumers.community.moderation.evaluate import Rule, Window
from contracts.services.community.actions import UNDONE_BY, ActionResponse, UndoResult
from contracts.services.community.groups import Permission
from contracts.services.community.rules import DryRunDay, DryRunMatch, DryRunResponse, Seen

MOST_EXAMPLES: Final = 20
MOST_TEXT: Final = 200


def dry_run(
    rule: Rule, seen: Iterable[Seen], days: int, permissions: Callable[[int], frozenset[Permission]]
) -> DryRunResponse:
    """Return what a rule would have done with what was seen, the oldest first, as if it were enabled.

    `permissions` returns what a member may do, as it is now.
    """
    window, offences, matches = Window(), Counter[int](), list[DryRunMatch]()
    examined = exempt = 0
    since: datetime | None = None
    for one in seen:
        examined += 1
        since = since or one.at
        spared = evaluate.is_exempt(rule, permissions(one.user_id))
        reason = evaluate.find_reason(rule, one, Window() if spared else window)
        if reason is None:
            continue
        if spared:
            exempt += 1
            continue
        offences[one.user_id] += 1
        verdict = evaluate.verdict_of(rule, reason, offences[one.user_id])
        matches.append(
            DryRunMatch(
                at=one.at,
                user_id=one.user_id,
                penalty=verdict.penalty,
                duration_seconds=verdict.duration_seconds,
                offence=verdict.offence,
                reason=reason,
                text=one.text[:MOST_TEXT],
            )
        )
    by_day = Counter(f"{match.at:%Y-%m-%d}" for match in matches)
    return DryRunResponse(
        rule_id=rule.id,
        days=days,
        examined=examined,
        since=since,
        matches=len(matches),
        users=len(offences),
        exempt=exempt,
        penalties=dict(Counter(match.penalty for match in matches)),
        by_day=[DryRunDay(day=day, matches=count) for day, count in sorted(by_day.items())],
        examples=matches[: -MOST_EXAMPLES - 1 : -1],
    )


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What is taken back: what becomes of each action, and those that are undone now."""

    results: list[UndoResult]
    undone: list[ActionResponse]


def holds(action: ActionResponse, now: datetime) -> bool:
    """Return whether an action holds still: it was done, not taken back, and has not ended by itself."""
    if action.state != "done" or action.kind not in UNDONE_BY:
        return False
    seconds = action.duration_seconds
    return seconds is None or now < action.at + timedelta(seconds=seconds)


def plan_undo(
    chosen: Sequence[ActionResponse], others: Iterable[ActionResponse], wanted: Iterable[str], now: datetime
) -> UndoPlan:
    """Return what becomes of the chosen actions; `wanted` are ids that were asked for by name.

    `others` are actions of the same members that may hold still: what another one holds is not lifted.
    """
    chosen_ids = {action.id for action in chosen}
    held = {(action.user_id, action.kind) for action in others if action.id not in chosen_ids and holds(action, now)}
    results: list[UndoResult] = []
    undone: list[ActionResponse] = []
    lifted: set[tuple[int, str]] = set()
    for action in chosen:
        result = _result_of(action, held, lifted, now)
        results.append(result)
        if result.result in {"undone", "another_holds", "expired"}:
            undone.append(action)
    missing = [
        UndoResult(id=name, user_id=None, result="not_found", action=None) for name in wanted if name not in chosen_ids
    ]
    return UndoPlan([*results, *missing], undone)


def awaited(plan: UndoPlan) -> list[str]:
    """Return the ids of the actions that are undone when they are lifted in Telegram: not those that hold nothing."""
    names = {action.id for action in plan.undone if action.kind != "warn"}
    return [one.id for one in plan.results if one.result == "undone" and one.id in names]


def _result_of(
    action: ActionResponse, held: set[tuple[int, str]], lifted: set[tuple[int, str]], now: datetime
) -> UndoResult:
    opposite = UNDONE_BY.get(action.kind)
    if action.state == "undone":
        return UndoResult(id=action.id, user_id=action.user_id, result="already_undone", action=None)
    if opposite is None or action.state == "shadow":
        return UndoResult(id=action.id, user_id=action.user_id, result="not_possible", action=None)
    if not holds(action, now):
        return UndoResult(id=action.id, user_id=action.user_id, result="expired", action=None)
    what = (action.user_id, action.kind)
    if action.kind != "warn" and (what in held or what in lifted):
        result = "another_holds" if what in held else "undone"  # lifted once, it is lifted
        return UndoResult(id=action.id, user_id=action.user_id, result=result, action=None)
    lifted.add(what)
    return UndoResult(id=action.id, user_id=action.user_id, result="undone", action=opposite)


def tally(found: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return counts added up, the greatest first."""
    total = Counter[str]()
    for one in found:
        total.update(one)
    return dict(total.most_common())
