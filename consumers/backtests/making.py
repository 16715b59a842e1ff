"""How the keeper of backtests is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.backtests.handlers import BacktestsPlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that runs backtests."""
    url, own = settings.store.url, settings.trading.strategies
    return Consumer(partial(run, plan=BacktestsPlan(documents="" if url is None else url.get_secret_value(), own=own)))
