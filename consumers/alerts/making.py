"""How alerts is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.alerts.everybody import EverybodyRules
from consumers.alerts.handlers import AlertsPlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.config.tiers import cooldowns, tiers


def make(settings: Settings) -> Consumer:
    """Return the consumer that raises the alerts of owners and of everybody."""
    return Consumer(partial(run, plan=alerts_plan(settings)))


def alerts_plan(settings: Settings) -> AlertsPlan:
    """Where alerts are kept, and the rules of those for everybody."""
    url, given = settings.store.url, settings.alerts
    rules = EverybodyRules(
        tiers=tiers(settings),
        liquidation_usd={
            "majors": given.liquidation_usd_majors,
            "large": given.liquidation_usd_large,
            "mid": given.liquidation_usd_mid,
        },
        cooldown=cooldowns(settings),
    )
    return AlertsPlan(documents="" if url is None else url.get_secret_value(), rules=rules)
