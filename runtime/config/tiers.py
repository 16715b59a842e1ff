"""What the settings say of the tiers of bases, for every consumer with limits by tier."""

from __future__ import annotations

from typing import Final

from contracts.arithmetic.tiers import Tiers
from contracts.signals import Tier
from runtime.config.settings import Settings

SECOND: Final = 1_000_000_000


def tiers(settings: Settings) -> Tiers:
    """Which bases are majors, and which are large."""
    return Tiers(majors=frozenset(settings.alerts.majors), large=frozenset(settings.alerts.large))


def cooldowns(settings: Settings) -> dict[Tier, int]:
    """For how long an alert silences the next of its kind, ns by tier."""
    alerts = settings.alerts
    return {
        "majors": alerts.cooldown_seconds_majors * SECOND,
        "large": alerts.cooldown_seconds_large * SECOND,
        "mid": alerts.cooldown_seconds_mid * SECOND,
    }
