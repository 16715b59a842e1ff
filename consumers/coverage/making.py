"""How the keeper of the ledger of coverage is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.coverage.handlers import CoveragePlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(_settings: Settings) -> Consumer:
    """Return the consumer that keeps the ledger."""
    return Consumer(partial(run, plan=CoveragePlan()))
