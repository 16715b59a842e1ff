"""How the keeper of dead letters is made from the settings."""

from __future__ import annotations

from consumers.deadletters.handlers import make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(_settings: Settings) -> Consumer:
    """Return the consumer that keeps dead letters."""
    return make_consumer()
