"""How the finder of whales is made from the settings."""

from __future__ import annotations

from decimal import Decimal

from consumers.whales.handlers import WhalePlan, make_consumer
from consumers.whales.rules import Adaptive, WhaleRules
from contracts.signals import Tier
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.config.tiers import tiers


def make(settings: Settings) -> Consumer:
    """Return the consumer that finds whales."""
    return make_consumer(WhalePlan(rules=whale_rules(settings)))


def whale_rules(settings: Settings) -> WhaleRules:
    """The whale's limits by tier, and by an instrument's own trades where that is switched on."""
    alerts = settings.alerts
    limits: dict[Tier, Decimal] = {
        "majors": alerts.whale_usd_majors,
        "large": alerts.whale_usd_large,
        "mid": alerts.whale_usd_mid,
    }
    return WhaleRules(tiers=tiers(settings), limits=limits, adaptive=_adaptive(settings))


def _adaptive(settings: Settings) -> Adaptive | None:
    quantile = settings.alerts.whale_adaptive_quantile
    if quantile == 0:
        return None
    return Adaptive(share=quantile.as_integer_ratio(), samples=settings.alerts.whale_adaptive_samples)
