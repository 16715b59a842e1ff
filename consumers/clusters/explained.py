"""How the cluster rule is explained: run again over the whales of a base."""

from __future__ import annotations

from dataclasses import replace

from consumers.clusters.core import RULE, SECOND, ClusterDetector, ClusterRules
from contracts import streams, subjects
from runtime.app.explaining.rule import MARGIN, Folding, Limits, Rule, Scope, Source
from runtime.app.explaining.trace import Trace


def cluster_rule(rules: ClusterRules, stream: str = streams.SIGNALS) -> Rule:
    """Return the rule as it is configured."""

    def run(_scope: Scope, limits: Limits, trace: Trace | None) -> Folding:
        tried = replace(rules, count=int(limits.get("count", rules.count)))
        return Folding(ClusterDetector(tried, trace))

    def on_nothing(_scope: Scope, trace: Trace, at: int) -> None:
        trace.compare(f"whales in {rules.window // SECOND} s", (0, ">=", rules.count), at, holds=False)

    return Rule(
        kind="cluster",
        name=RULE,
        signals=subjects.CLUSTER,
        cooldown=max(rules.cooldown.values(), default=0),
        sources=lambda scope: (Source(stream, (subjects.WHALE + scope.tail,), rules.window + MARGIN),),
        run=run,
        needs=frozenset({"trade", "ticker"}),
        across=True,
        on_nothing=on_nothing,
        limits=frozenset({"count"}),
    )
