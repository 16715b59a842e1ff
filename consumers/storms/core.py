"""Decides when liquidations of one base form a storm. Pure: liquidations go in, storms come out.

Time is the liquidations' own (the venue's clock, ours where it gives none), so the same ones give the same storms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from hashlib import blake2b
from typing import Any, Final

from contracts import subjects
from contracts.arithmetic.exact import EXACT, as_dollars, in_dollars, read_amount, value_of
from contracts.arithmetic.tiers import CountByTier, Tiers, UsdByTier
from contracts.arithmetic.usd import USD, Rates
from contracts.codec import fast
from contracts.instrument import escape_token, split_symbol
from contracts.market import MOST_IDS
from contracts.numbers import DAY_NS, time_of
from contracts.recent import Recent
from contracts.signals import LiquidationStorm, Tier
from runtime.app.explaining.trace import Trace, is_held
from runtime.bounded import Window
from runtime.cooldowns import Cooldowns

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

FastStorm: Final = fast(LiquidationStorm)
SECOND: Final = 1_000_000_000
RULE: Final = "storm/1"
BASES: Final = 5_000  # kept at least, those used last; at most twice as many
Outputs = list[tuple[str, FastEvent]]
"""(subject, storm) pairs."""


@dataclass(frozen=True, slots=True)
class StormRules:
    """Within `window` ns at least `usd` over at least `count` events, by tier; then silence for `cooldown` ns."""

    tiers: Tiers
    usd: UsdByTier
    count: CountByTier
    cooldown: Mapping[Tier, int]
    window: int = 30 * SECOND


@dataclass(frozen=True, slots=True)
class Hit:
    """One liquidation with its value in USD and its time."""

    event: FastEvent
    usd: Decimal
    ts: int


class _Base:
    """The liquidations of one base within the window, and what they are worth together."""

    def __init__(self, span: int) -> None:
        self.window: Window[Hit] = Window(span, MOST_IDS)
        self.usd = Decimal(0)

    def add(self, hit: Hit) -> int:
        """Take one; give how many left though they were not too old."""
        gone = self.window.add(hit.event.id, hit, hit.ts)
        self.usd = EXACT.add(self.usd, hit.usd)
        for old in gone:
            self.usd = EXACT.subtract(self.usd, old.usd)
        return sum(old.ts > self.window.end - self.window.span for old in gone)


class StormDetector:
    """The liquidations of the last window, by base; `unvalued` counts those that are in no sum."""

    def __init__(self, rules: StormRules, rates: Rates, trace: Trace | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[str] = Cooldowns(BASES)
        self.window = rules.window
        self.unvalued = 0
        self.old = 0  # liquidations of more than a day before their receipt
        self.crowded = 0  # those of a window that were left out, the oldest, because a signal cannot name so many
        self._rates = rates
        self._trace = trace
        self._hits: Recent[str, _Base] = Recent(BASES)

    @property
    def forgotten(self) -> int:
        """How many bases were dropped because others came."""
        return self._hits.dropped

    def recall(self, storm: FastEvent) -> None:
        """Take note of a storm that was published before: its cooldown holds."""
        self.cooldowns.begin(storm.base, _time(storm), storm.id)

    def fold(self, liquidation: FastEvent) -> Outputs:
        """Fold one liquidation; a repeated one changes nothing.

        FigureError, with everything as it was, for one whose value cannot be added up.
        """
        base, quote, _, _ = split_symbol(liquidation.symbol)
        held = self._hits.get(base) or self._hits.put(base, _Base(self.rules.window))
        if liquidation.id in held.window:
            return []
        ts = _time(liquidation)
        usd = self._value(liquidation, quote, ts)
        if usd is None:
            self.unvalued += 1
            return []
        if ts < liquidation.ts_recv - DAY_NS:
            self.old += 1
            return []
        self.crowded += held.add(Hit(liquidation, usd, ts))
        return self._decide(base, held) if liquidation.id in held.window else []

    def _value(self, liquidation: FastEvent, quote: str, ts: int) -> Decimal | None:
        rate = self._rates.find(quote, ts)
        if rate is None or liquidation.amount is None:
            return None
        price = Decimal(liquidation.average_price or liquidation.price)
        return in_dollars(value_of(price, read_amount(liquidation.amount)), rate.rate)

    def _decide(self, base: str, held: _Base) -> Outputs:
        rules, end, trace = self.rules, held.window.end, self._trace
        tier = rules.tiers.find(base)
        many, much = len(held.window) >= rules.count[tier], held.usd >= rules.usd[tier]
        if trace is not None:
            trace.compare(
                f"usd_value in {rules.window // SECOND} s", (held.usd, ">=", rules.usd[tier]), end, holds=much
            )
            counted = (len(held.window), ">=", rules.count[tier])
            trace.compare(f"liquidations in {rules.window // SECOND} s", counted, end, holds=many)
        if not (many and much):
            return []
        if is_held(self.cooldowns, base, (end, rules.cooldown[tier]), trace):
            return []
        tail = subjects.cross_venue_tail(escape_token(base))
        hits = sorted(held.window.values(), key=lambda hit: (hit.ts, hit.event.id))
        storm = self._storm(base, tail, tier, hits)
        self.cooldowns.begin(base, end, storm.id)
        return [(subjects.STORM + tail, storm)]

    def _storm(self, base: str, tail: str, tier: Tier, hits: list[Hit]) -> FastEvent:
        rules, first, last = self.rules, hits[0].event, hits[-1].event
        mark = blake2b(f"{first.id} {last.id}".encode(), digest_size=12).hexdigest()
        return FastStorm(
            id=f"{tail}.storm.{mark}",
            venue="all",
            symbol=f"{base}/{USD}",
            venue_symbol=None,
            ts_event=hits[-1].ts,
            ts_recv=max(hit.event.ts_recv for hit in hits),
            sim=any(hit.event.sim for hit in hits),
            base=base,
            usd_value=_sum(hits, ("long", "short", None)),
            long_usd=_sum(hits, ("long",)),
            short_usd=_sum(hits, ("short",)),
            count=len(hits),
            window_ns=rules.window,
            threshold_usd=format(rules.usd[tier], "f"),
            threshold_count=rules.count[tier],
            venues=sorted({hit.event.venue for hit in hits}),
            liquidation_ids=[hit.event.id for hit in hits],
            sampled=any(hit.event.sampled for hit in hits),
            tier=tier,
            rule=RULE,
        )


def _sum(hits: list[Hit], sides: tuple[str | None, ...]) -> str:
    total = reduce(EXACT.add, (hit.usd for hit in hits if hit.event.position_side in sides), Decimal(0))
    return as_dollars(total)


def _time(event: FastEvent) -> int:
    return time_of(event.ts_event, event.ts_recv)
