"""Decides when whale trades of one side and base form a cluster. Pure: whales go in, clusters come out.

Time is the whales' own (the venue's clock, ours where it gives none), so the same whales give the same clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from hashlib import blake2b
from typing import Any, Final

from contracts import subjects
from contracts.arithmetic.exact import EXACT, as_text, in_dollars
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import USD
from contracts.codec import fast
from contracts.instrument import escape_token
from contracts.market import MOST_IDS, Side
from contracts.numbers import DAY_NS, time_of
from contracts.recent import Recent
from contracts.signals import Tier, WhaleCluster
from runtime.app.explaining.trace import Trace, is_held
from runtime.bounded import Window
from runtime.cooldowns import Cooldowns

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

FastCluster: Final = fast(WhaleCluster)
SECOND: Final = 1_000_000_000
RULE: Final = "cluster/1"
BASES: Final = 5_000  # with a side each, kept at least: those used last, at most twice as many
Outputs = list[tuple[str, FastEvent]]
"""(subject, cluster) pairs."""


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """`count` whales within `window` ns make a cluster; then silence for the tier's `cooldown` ns."""

    tiers: Tiers
    cooldown: Mapping[Tier, int]
    window: int = 300 * SECOND
    count: int = 3


class ClusterDetector:
    """The whales of the last window, by base and side."""

    def __init__(self, rules: ClusterRules, trace: Trace | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[tuple[str, Side]] = Cooldowns(BASES)
        self.window = rules.window
        self.old = 0  # whales of more than a day before their receipt
        self._trace = trace
        self._whales: Recent[tuple[str, Side], Window[FastEvent]] = Recent(BASES)

    @property
    def forgotten(self) -> int:
        """How many bases were dropped because others came."""
        return self._whales.dropped

    def recall(self, cluster: FastEvent) -> None:
        """Take note of a cluster that was published before: its cooldown holds."""
        self.cooldowns.begin((cluster.base, cluster.side), _time(cluster), cluster.id)

    def fold(self, whale: FastEvent) -> Outputs:
        """Fold one whale trade; a repeated one changes nothing, a late one counts but completes none.

        FigureError, with everything as it was, for one whose value cannot be added up.
        """
        base = whale.symbol.partition("/")[0]
        key = (base, whale.side)
        window = self._whales.get(key) or self._whales.put(key, Window(self.rules.window, MOST_IDS))
        if whale.id in window:
            return []
        in_dollars(Decimal(whale.usd_value), Decimal(1))
        if _time(whale) < whale.ts_recv - DAY_NS:
            self.old += 1
            return []
        window.add(whale.id, whale, _time(whale))
        return self._decide(key, window) if whale.id in window and not whale.late else []

    def _decide(self, key: tuple[str, Side], window: Window[FastEvent]) -> Outputs:
        rules, end, trace = self.rules, window.end, self._trace
        enough = len(window) >= rules.count
        if trace is not None:
            what = f"{key[1]} whales in {rules.window // SECOND} s"
            trace.compare(what, (len(window), ">=", rules.count), end, holds=enough)
        if not enough:
            return []
        tier = rules.tiers.find(key[0])
        if is_held(self.cooldowns, key, (end, rules.cooldown[tier]), trace):
            return []
        tail = subjects.cross_venue_tail(escape_token(key[0]))
        cluster = self._cluster(tail, tier, sorted(window.values(), key=_order))
        self.cooldowns.begin(key, end, cluster.id)
        return [(subjects.CLUSTER + tail, cluster)]

    def _cluster(self, tail: str, tier: Tier, whales: list[FastEvent]) -> FastEvent:
        first, last = whales[0], whales[-1]
        base = last.symbol.partition("/")[0]
        mark = blake2b(f"{first.id} {last.id}".encode(), digest_size=12).hexdigest()
        return FastCluster(
            id=f"{tail}.cluster.{last.side}.{mark}",
            venue="all",
            symbol=f"{base}/{USD}",
            venue_symbol=None,
            ts_event=_time(last),
            ts_recv=max(item.ts_recv for item in whales),
            sim=any(item.sim for item in whales),
            base=base,
            side=last.side,
            pattern="accumulation" if last.side == "buy" else "distribution",
            count=len(whales),
            usd_value=as_text(reduce(EXACT.add, (Decimal(item.usd_value) for item in whales))),
            window_ns=self.rules.window,
            venues=sorted({item.venue for item in whales}),
            whale_ids=[item.id for item in whales],
            tier=tier,
            rule=f"{RULE} {self.rules.count} in {self.rules.window // SECOND} s",
        )


def _time(event: FastEvent) -> int:
    return time_of(event.ts_event, event.ts_recv)


def _order(event: FastEvent) -> tuple[int, str]:
    return _time(event), event.id
