"""How candles is made from the settings."""

from __future__ import annotations

from consumers.candles.handlers import CandlePlan, make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(_settings: Settings) -> Consumer:
    """Return the consumer that makes candles."""
    return make_consumer(CandlePlan())
