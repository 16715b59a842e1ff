"""How execution is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.execution.handlers import ExecutionPlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that takes orders to the venues."""
    url = settings.store.url
    plan = ExecutionPlan(documents="" if url is None else url.get_secret_value())
    return Consumer(partial(run, plan=plan))
