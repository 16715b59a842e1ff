"""How the key store is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.access.handlers import AccessPlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.pepper import load_pepper


def make(settings: Settings) -> Consumer:
    """Return the consumer that owns the keys."""
    return Consumer(partial(run, plan=access_plan(settings)))


def access_plan(settings: Settings) -> AccessPlan:
    """Where the key store keeps its documents, and its pepper."""
    url, pepper = settings.store.url, settings.access.key_pepper
    given = None if pepper is None else pepper.get_secret_value()
    return AccessPlan(
        documents="" if url is None else url.get_secret_value(),
        pepper=partial(load_pepper, given, settings.store.data),
    )
