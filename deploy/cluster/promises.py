"""What a cluster promises under faults, judged from what was sent and what is there; pure, times in ns UTC."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

SECOND: Final = 1_000_000_000
BEFORE: Final = 5 * SECOND  # an announcement may be published so long before the first trade that is missing
AFTER: Final = 30 * SECOND  # or so long after the last one: who is to announce it may have been killed itself


class Trade(NamedTuple):
    """A trade of a stream: of an exchange that numbers its trades of a symbol without holes."""

    symbol: str
    number: int
    at: int


class Hole(NamedTuple):
    """Trades that a stream lacks: how many, and the times of those before and after."""

    symbol: str
    trades: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a promise was kept, with the figures."""

    promise: str
    kept: bool
    figures: str


def find_holes(trades: Iterable[Trade]) -> list[Hole]:
    """Return every run of missing numbers, by symbol."""
    times: dict[str, dict[int, int]] = defaultdict(dict)
    for trade in trades:
        times[trade.symbol].setdefault(trade.number, trade.at)
    holes: list[Hole] = []
    for symbol, known in times.items():
        numbers = sorted(known)
        holes += [
            Hole(symbol, later - earlier - 1, *sorted((known[earlier], known[later])))
            for earlier, later in pairwise(numbers)
            if later - earlier > 1
        ]
    return holes


def judge_trades(trades: Sequence[Trade], announced: Sequence[int]) -> list[Verdict]:
    """Return whether each hole was announced and each trade is stored once; `announced`: times of gaps of the venue."""
    holes = find_holes(trades)
    said = [(hole, any(hole.since - BEFORE <= at <= hole.until + AFTER for at in announced)) for hole in holes]
    silent = [hole for hole, is_said in said if not is_said]
    missing, unsaid = (sum(hole.trades for hole in some) for some in (holes, silent))
    doubled = sum(count - 1 for count in Counter((trade.symbol, trade.number) for trade in trades).values())
    return [
        Verdict(
            "market data is missing only where a gap was announced",
            kept=bool(trades) and not silent,
            figures=f"{len(trades)} trades stored, {missing} missing in {len(holes)} gaps, {unsaid} not announced",
        ),
        Verdict("each trade is stored once", kept=not doubled, figures=f"{doubled} doubled"),
    ]


def judge_orders(sent: Iterable[str], found: Sequence[str], executed: Iterable[str]) -> Verdict:
    """Return whether each order that was sent is there once, and executed once: by client ids of orders and fills."""
    wanted, there, filled = set(sent), Counter(found), Counter(executed)
    lost = [name for name in wanted if not there[name]]
    doubled = [name for name in wanted if there[name] > 1 or filled[name] > 1]
    idle = [name for name in wanted if there[name] and not filled[name]]
    return Verdict(
        "an order that is sent is carried out once",
        kept=bool(wanted) and not (lost or doubled or idle),
        figures=f"{len(wanted)} sent, {len(lost)} lost, {len(doubled)} doubled, {len(idle)} not executed",
    )


def judge_webhooks(what: str, happened: Iterable[str], delivered: Sequence[str], repeated: int) -> Verdict:
    """Return whether each event was delivered as one: ids of what happened, and of the distinct events received."""
    wanted, there = set(happened), Counter(delivered)
    lost = [name for name in wanted if not there[name]]
    doubled = [name for name in there if there[name] > 1]
    return Verdict(
        f"each {what} reaches the webhook as one event",
        kept=bool(wanted) and not (lost or doubled),
        figures=f"{len(wanted)} happened, {len(lost)} lost, {len(doubled)} under two ids, {repeated} repeats by id",
    )


def longest_pause(times: Sequence[float], since: float, until: float) -> float:
    """Return the longest time in which nothing happened between two times."""
    within = [since, *(at for at in times if since < at < until), until]
    return max(later - earlier for earlier, later in pairwise(within))
