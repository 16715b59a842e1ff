"""How the portfolio is made from the settings."""

from __future__ import annotations

from consumers.portfolio.handlers import make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that adds up what owners' orders have executed."""
    url = settings.store.url
    return make_consumer("" if url is None else url.get_secret_value())
