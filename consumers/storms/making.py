"""How the finder of storms is made from the settings."""

from __future__ import annotations

from consumers.storms.core import StormRules
from consumers.storms.handlers import make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.config.tiers import SECOND, cooldowns, tiers


def make(settings: Settings) -> Consumer:
    """Return the consumer that finds storms of liquidations."""
    return make_consumer(storm_rules(settings))


def storm_rules(settings: Settings) -> StormRules:
    """What makes a storm by tier, and for how long one silences."""
    alerts = settings.alerts
    return StormRules(
        tiers=tiers(settings),
        usd={"majors": alerts.storm_usd_majors, "large": alerts.storm_usd_large, "mid": alerts.storm_usd_mid},
        count={"majors": alerts.storm_count_majors, "large": alerts.storm_count_large, "mid": alerts.storm_count_mid},
        cooldown=cooldowns(settings),
        window=alerts.storm_window_seconds * SECOND,
    )
