"""How the cache is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.cache.handlers import CachePlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(_settings: Settings) -> Consumer:
    """Return the consumer that fills the buckets."""
    return Consumer(partial(run, plan=CachePlan()))
