"""Figures from counted days and actions. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.services.community.actions import DayCount


def day_counts(days: Sequence[str], sums: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[DayCount]:
    """Return how much was done on each day; what a rule in shadow would have done is not among it."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for part, sign in (("days", 1), ("shadow_days", -1)):
        for row in sums.get(part, ()):
            counted[row["_id"]["day"]][row["_id"]["value"]] += sign * row["count"]
    return [_day(day, counted[day]) for day in days]


def counts_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return rows of an aggregation as counts by name."""
    return {str(row["_id"]): row["count"] for row in rows}


def days_of_user(days: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[DayCount]:
    """Return what was done to a user on each day."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counted[row["_id"]["day"]][row["_id"]["kind"]] += row["count"]
    return [_day(day, counted[day]) for day in days]


def count_by(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, int]:
    """Return how often each value of a field stands there, the most frequent first; null counts for nothing."""
    counted = Counter[str]()
    for row in rows:
        if row["_id"].get(name) is not None:
            counted[row["_id"][name]] += row["count"]
    return dict(counted.most_common())


def _day(day: str, kinds: Counter[str]) -> DayCount:
    given = {kind: count for kind, count in kinds.most_common() if count > 0}
    return DayCount(day=day, actions=sum(given.values()), by_kind=given)
