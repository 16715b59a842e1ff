"""Decides when whale trades of one side and base form a cluster. Pure: whales go in, clusters come out.

Time is the whales' own (the venue's clock, ours where it gives none), so the same whales give the same clusters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from contracts import subjects
from contracts.codec import fast
from contracts.instrument import escape_token
from contracts.market import Side
from contracts.signals import Tier, WhaleCluster
from contracts.tiers import Tiers
from contracts.usd import USD

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

FastCluster: Final = fast(WhaleCluster)
SECOND: Final = 1_000_000_000
RULE: Final = "cluster/1"
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

    def __init__(self, rules: ClusterRules) -> None:
        self.rules = rules
        self.window = rules.window
        self._whales: dict[tuple[str, Side], dict[str, FastEvent]] = defaultdict(dict)
        self._fired: dict[tuple[str, Side], int] = {}

    def recall(self, cluster: FastEvent) -> None:
        """Take note of a cluster that was published before: its cooldown holds."""
        key = (cluster.base, cluster.side)
        self._fired[key] = max(self._fired.get(key, 0), _time(cluster))

    def fold(self, whale: FastEvent) -> Outputs:
        """Fold one whale trade; a repeated one changes nothing."""
        base = whale.symbol.partition("/")[0]
        key = (base, whale.side)
        held = self._whales[key]
        if whale.id in held:
            return []
        held[whale.id] = whale
        end = max(_time(item) for item in held.values())
        recent = {item.id: item for item in held.values() if _time(item) > end - self.rules.window}
        self._whales[key] = recent
        if whale.id not in recent or len(recent) < self.rules.count:
            return []
        tier = self.rules.tiers.find(base)
        fired = self._fired.get(key)
        if fired is not None and end < fired + self.rules.cooldown[tier]:
            return []
        self._fired[key] = end
        tail = subjects.cross_venue_tail(escape_token(base))
        return [(subjects.CLUSTER + tail, self._cluster(tail, tier, sorted(recent.values(), key=_order)))]

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
            usd_value=format(sum((Decimal(item.usd_value) for item in whales), Decimal(0)), "f"),
            window_ns=self.rules.window,
            venues=sorted({item.venue for item in whales}),
            whale_ids=[item.id for item in whales],
            tier=tier,
            rule=f"{RULE} {self.rules.count} in {self.rules.window // SECOND} s",
        )


def _time(event: FastEvent) -> int:
    return event.ts_recv if event.ts_event is None else event.ts_event


def _order(event: FastEvent) -> tuple[int, str]:
    return _time(event), event.id
