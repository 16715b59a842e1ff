"""How the storm rule is explained: run again over the liquidations of a base, valued by the prices of then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from consumers.storms.core import RULE, SECOND, StormDetector, StormRules
from contracts import streams, subjects
from contracts.arithmetic.usd import DatedRates
from contracts.instrument import unescape_token
from contracts.signals import Tier
from runtime.app.explaining.pricing import PriceTaker
from runtime.app.explaining.rule import MARGIN, Folding, Limits, Rule, Scope, Source
from runtime.app.explaining.trace import Trace


def storm_rule(rules: StormRules, stream: str = streams.LIQUIDATIONS) -> Rule:
    """Return the rule as it is configured."""

    def run(_scope: Scope, limits: Limits, trace: Trace | None) -> Folding:
        prices = PriceTaker(DatedRates())
        return Folding(StormDetector(_with_limits(rules, limits), prices.rates, trace), prices.take)

    def on_nothing(scope: Scope, trace: Trace, at: int) -> None:
        tier = rules.tiers.find(unescape_token(scope.base))
        span = f"in {rules.window // SECOND} s"
        trace.compare(f"usd_value {span}", (0, ">=", rules.usd[tier]), at, holds=False)
        trace.compare(f"liquidations {span}", (0, ">=", rules.count[tier]), at, holds=False)

    return Rule(
        kind="storm",
        name=RULE,
        signals=subjects.STORM,
        cooldown=max(rules.cooldown.values(), default=0),
        sources=lambda scope: (Source(stream, (subjects.LIQUIDATION + scope.tail,), rules.window + MARGIN),),
        run=run,
        needs=frozenset({"liquidation", "ticker"}),
        across=True,
        dated=True,
        on_nothing=on_nothing,
        limits=frozenset(f"{what}_{tier}" for tier in rules.usd for what in ("usd", "count")),
    )


def _with_limits(rules: StormRules, limits: Limits) -> StormRules:
    usd: dict[Tier, Decimal] = {
        tier: Decimal(limits.get(f"usd_{tier}", format(limit, "f"))) for tier, limit in rules.usd.items()
    }
    count: dict[Tier, int] = {tier: int(limits.get(f"count_{tier}", limit)) for tier, limit in rules.count.items()}
    return replace(rules, usd=usd, count=count)
