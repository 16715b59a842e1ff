"""How the detectors is made from the settings."""

from __future__ import annotations

from consumers.detectors.handlers import DetectorPlan, make_consumer
from consumers.detectors.rules import (
    DetectorRules,
    FundingRules,
    InterestRules,
    SpreadRules,
    VolumeRules,
    WallRules,
    by_tier,
)
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.config.tiers import SECOND
from runtime.config.tiers import tiers as tiers_of


def make(settings: Settings) -> Consumer:
    """Return the consumer that runs the detectors."""
    return make_consumer(detector_plan(settings))


def detector_plan(settings: Settings) -> DetectorPlan:
    """The limits of the detectors, and how often books are sampled for them."""
    own, tiers = settings.detectors, tiers_of(settings)
    rules = DetectorRules(
        funding=FundingRules(tiers, own.funding_limit, own.funding_quantile, cooldown=own.funding_cooldown * SECOND),
        interest=InterestRules(
            tiers,
            by_tier(own.interest_percent_majors, own.interest_percent_large, own.interest_percent_mid),
            window=own.interest_window * SECOND,
            cooldown=own.interest_cooldown * SECOND,
        ),
        wall=WallRules(
            tiers,
            own.wall_times,
            by_tier(own.wall_usd_majors, own.wall_usd_large, own.wall_usd_mid),
            cooldown=own.wall_cooldown * SECOND,
        ),
        spread=SpreadRules(
            tiers,
            by_tier(own.spread_percent_majors, own.spread_percent_large, own.spread_percent_mid),
            stale=own.spread_stale * SECOND,
            cooldown=own.spread_cooldown * SECOND,
        ),
        volume=VolumeRules(
            tiers,
            own.volume_times,
            by_tier(own.volume_usd_majors, own.volume_usd_large, own.volume_usd_mid),
            minutes=own.volume_minutes,
            samples=max(1, own.volume_minutes // 2),
            cooldown=own.volume_cooldown * SECOND,
        ),
    )
    return DetectorPlan(rules=rules, sample_every=own.wall_sample * SECOND)
