"""What a cluster promises under faults, judged from what was sent and what is there; pure, times in ns UTC."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

FILLED: Final = "filled"
ENDED: Final = frozenset({FILLED, "rejected", "cancelled"})
SECOND: Final = 1_000_000_000
BEFORE: Final = 5 * SECOND  # an announcement may be published so long before the first trade that is missing
AFTER: Final = 30 * SECOND  # or so long after the last one: who is to announce it may have been killed itself

_NAMED: Final = 5  # of what broke a promise


class Trade(NamedTuple):
    """A trade of a stream: of an exchange that numbers its trades of a symbol without holes."""

    symbol: str
    number: int
    at: int


class Order(NamedTuple):
    """An order as it is there: its client id, its state, and how much was to be traded."""

    client_id: str
    status: str
    amount: Decimal


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


def judge_orders(sent: Iterable[str], orders: Sequence[Order], executed: Iterable[tuple[str, Decimal]]) -> Verdict:
    """Return whether each order that was sent is there once and was filled by its amount, or refused and not filled.

    `sent`: client ids; `executed`: client id and amount of each fill, of which an order may have several.
    """
    there, filled = Counter(order.client_id for order in orders), defaultdict[str, Decimal](Decimal)
    for name, amount in executed:
        filled[name] += amount
    wanted = set(sent)
    ours = [order for order in orders if order.client_id in wanted]
    lost = [name for name in wanted if not there[name]]
    doubled = [name for name in wanted if there[name] > 1]
    wrong = [one for one in ours if filled[one.client_id] != (one.amount if one.status == FILLED else 0)]
    open_still = [one for one in ours if one.status not in ENDED]
    refused = sum(one.status in ENDED and one.status != FILLED for one in ours)
    return Verdict(
        "an order that is sent is carried out once",
        kept=bool(wanted) and not (lost or doubled or wrong or open_still),
        figures=f"{len(wanted)} sent, {_count(lost, 'lost')}, {_count(doubled, 'doubled')}, "
        f"{_count([one.client_id for one in wrong], 'not filled by their amount')}, "
        f"{_count([one.client_id for one in open_still], 'open')}, {refused} refused",
    )


def judge_webhooks(what: str, happened: Iterable[str], delivered: Sequence[str], repeated: int) -> Verdict:
    """Return whether each event was delivered as one: ids of what happened, and of the distinct events received."""
    wanted, there = set(happened), Counter(delivered)
    lost = [name for name in wanted if not there[name]]
    doubled = [name for name in there if there[name] > 1]
    wrong = f"{_count(lost, 'lost')}, {_count(doubled, 'under two ids')}"
    return Verdict(
        f"each {what} reaches the webhook as one event",
        kept=bool(wanted) and not (lost or doubled),
        figures=f"{len(wanted)} happened, {wrong}, {repeated} repeats",
    )


def _count(names: Sequence[str], what: str) -> str:
    """Return how many there are, and which: the first few."""
    which = f" ({', '.join(sorted(names)[:_NAMED])}{', …' if len(names) > _NAMED else ''})" if names else ""
    return f"{len(names)} {what}{which}"


def longest_pause(times: Sequence[float], since: float, until: float) -> float:
    """Return the longest time in which nothing happened between two times."""
    within = [since, *(at for at in times if since < at < until), until]
    return max(later - earlier for earlier, later in pairwise(within))
