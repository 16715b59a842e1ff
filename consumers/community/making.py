"""How the keeper of groups is made from the settings."""

from __future__ import annotations

from consumers.community.handlers import CommunityPlan, make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that keeps groups."""
    return make_consumer(community_plan(settings))


def community_plan(settings: Settings) -> CommunityPlan:
    """Where groups are kept."""
    url = settings.store.url
    return CommunityPlan("" if url is None else url.get_secret_value())
