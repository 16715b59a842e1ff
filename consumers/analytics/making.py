"""How the recorder of requests is made from the settings."""

from __future__ import annotations

from consumers.analytics.handlers import AnalyticsPlan, make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that records requests."""
    return make_consumer(analytics_plan(settings))


def analytics_plan(settings: Settings) -> AnalyticsPlan:
    """Where requests are recorded, and for how long."""
    url = settings.store.url
    return AnalyticsPlan("" if url is None else url.get_secret_value(), settings.analytics.retention_days)
