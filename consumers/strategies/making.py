"""How strategies are made from the settings."""

from __future__ import annotations

from functools import partial

import structlog

from consumers.strategies.handlers import StrategiesPlan, run
from runtime.app.service import Consumer
from runtime.config.settings import Settings, SettingsError, load

_log = structlog.get_logger("strategies")


def make(settings: Settings) -> Consumer:
    """Return the consumer that runs strategies."""
    url = settings.store.url
    plan = StrategiesPlan(
        documents="" if url is None else url.get_secret_value(),
        directory=settings.trading.strategies,
        secrets=read_secrets,
    )
    return Consumer(partial(run, plan=plan))


def read_secrets() -> tuple[str, ...]:
    """Return what secrets of signals are sealed with as the settings say it now; none where these are wrong now."""
    try:
        return load().trading.secrets
    except SettingsError as error:
        _log.warning("strategies.settings", problems=list(error.problems))
        return ()
