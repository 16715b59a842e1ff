"""How the finder of clusters is made from the settings."""

from __future__ import annotations

from consumers.clusters.core import ClusterRules
from consumers.clusters.handlers import make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.config.tiers import SECOND, cooldowns, tiers


def make(settings: Settings) -> Consumer:
    """Return the consumer that finds clusters of whales."""
    return make_consumer(cluster_rules(settings))


def cluster_rules(settings: Settings) -> ClusterRules:
    """How many whales within which window make a cluster, and for how long one silences."""
    return ClusterRules(
        tiers=tiers(settings),
        cooldown=cooldowns(settings),
        window=settings.alerts.cluster_window_seconds * SECOND,
        count=settings.alerts.cluster_count,
    )
