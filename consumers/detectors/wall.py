"""Walls: a level of a book worth many times the median of its side. Pure: sampled books go in, signals come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from consumers.detectors.rules import (
    INSTRUMENTS,
    FastEvent,
    Outputs,
    WallRules,
    event_time,
    fire,
    is_old,
    mark_of,
    origin_of,
    percent,
    ratio,
    tail_of,
)
from contracts import subjects
from contracts.arithmetic.exact import EXACT, MOST, as_dollars
from contracts.arithmetic.usd import Rates, UsdRate
from contracts.codec import fast
from contracts.market import Side
from contracts.signals import OrderWall, Tier
from runtime.app.explaining.trace import Trace
from runtime.cooldowns import Cooldowns

FastSignal: Final = fast(OrderWall)
RULE: Final = "wall/1"
LIVE: Final = frozenset({"live", "sim"})  # qualities of a book that may be decided by


@dataclass(frozen=True, slots=True)
class _Wall:
    """The heaviest level of a side: values in the quote."""

    side: Side
    level: tuple[str, str]
    value: Decimal
    median: Decimal
    best: str
    levels: int


class WallDetector:
    """Looks at one book at a time; of the past it knows the silences only."""

    def __init__(self, rules: WallRules, rates: Rates, trace: Trace | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[tuple[str, Side]] = Cooldowns(INSTRUMENTS)
        self.forgotten = 0
        self._rates, self._trace = rates, trace

    def recall(self, signal: FastEvent) -> None:
        """Take note of a signal that was published before."""
        self.cooldowns.begin((tail_of(signal), signal.side), event_time(signal), signal.id)

    def fold(self, event: FastEvent) -> Outputs:
        """Fold one BookSnapshot; one that is not live, or counts in contracts, decides nothing."""
        if event.quality not in LIVE or event.unit != "base" or is_old(event):
            return []
        at, quote = event_time(event), event.symbol.partition("/")[2].partition(":")[0]
        rate = self._rates.find(quote, at)
        if rate is None:
            return []
        found = [_heaviest("buy", event.bids, self.rules.levels), _heaviest("sell", event.asks, self.rules.levels)]
        return [output for wall in found if wall is not None for output in self._decide(event, wall, rate, at)]

    def _decide(self, event: FastEvent, wall: _Wall, rate: UsdRate, at: int) -> Outputs:
        rules, trace = self.rules, self._trace
        tier = rules.tiers.find(event.symbol.partition("/")[0])
        times, usd = ratio(wall.value, wall.median), EXACT.multiply(wall.value, rate.rate)
        tall, heavy = MOST > times >= rules.times, MOST > usd >= rules.usd[tier]
        best = Decimal(wall.best)
        away = abs(percent(EXACT.subtract(Decimal(wall.level[0]), best), best))
        if trace is not None:
            what = f"{wall.side} level at {wall.level[0]}"
            trace.compare(f"{what}, times the median", (times, ">=", rules.times), at, holds=tall)
            trace.compare(f"{what}, usd_value", (usd, ">=", rules.usd[tier]), at, holds=heavy)
        if not (tall and heavy and away < MOST):
            return []
        tail = tail_of(event)
        return fire(
            self.cooldowns,
            (tail, wall.side),
            (at, rules.cooldown),
            trace,
            make=lambda: (subjects.WALL + tail, self._signal(event, wall, rate, (tail, tier, times, away))),
        )

    def _signal(
        self, event: FastEvent, wall: _Wall, rate: UsdRate, known: tuple[str, Tier, Decimal, Decimal]
    ) -> FastEvent:
        tail, tier, times, away = known
        return FastSignal(
            id=f"{tail}.wall.{wall.side}.{mark_of([event.id])}",
            **origin_of(event),
            tier=tier,
            event_ids=[event.id],
            rule=RULE,
            side=wall.side,
            price=wall.level[0],
            amount=wall.level[1],
            usd_value=as_dollars(EXACT.multiply(wall.value, rate.rate)),
            usd_rate=format(rate.rate, "f"),
            usd_rate_source=rate.source,
            times=format(times, "f"),
            levels=wall.levels,
            distance=format(away, "f"),
            threshold=format(self.rules.times, "f"),
            threshold_usd=format(self.rules.usd[tier], "f"),
        )


def _heaviest(side: Side, levels: Sequence[tuple[str, str]], least: int) -> _Wall | None:
    """Return the heaviest level of a side; None where there are too few to have a median, or that is nothing."""
    values = [EXACT.multiply(Decimal(price), Decimal(amount)) for price, amount in levels]
    if len(values) < max(least, 1):
        return None
    median = sorted(values)[len(values) // 2]
    if not median:
        return None
    place = max(range(len(values)), key=values.__getitem__)
    price, amount = levels[place]
    return _Wall(side, (price, amount), values[place], median, levels[0][0], len(levels))
