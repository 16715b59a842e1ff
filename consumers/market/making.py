"""How the market core is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.market.handlers import MarketPlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that answers what the market is."""
    return Consumer(partial(run, plan=MarketPlan(fetched=settings.cache.enabled)))
