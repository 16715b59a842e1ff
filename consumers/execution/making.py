"""How execution is made from the settings."""

from __future__ import annotations

from functools import partial

import structlog

from consumers.execution.handlers import ExecutionPlan, run
from consumers.execution.links.core import Times
from runtime.app.service import Consumer
from runtime.config.settings import Settings, SettingsError, load
from runtime.pepper import load_pepper

_log = structlog.get_logger("execution")


def make(settings: Settings) -> Consumer:
    """Return the consumer that takes orders to the venues."""
    url, pepper, trading = settings.store.url, settings.access.key_pepper, settings.trading
    plan = ExecutionPlan(
        documents="" if url is None else url.get_secret_value(),
        venues=settings.venues.rest_urls,
        secrets=read_secrets,
        pepper=partial(load_pepper, None if pepper is None else pepper.get_secret_value(), settings.store.data),
        times=Times(trading.token_ttl, trading.token_rotation, trading.token_refresh),
    )
    return Consumer(partial(run, plan=plan))


def read_secrets() -> tuple[str, ...]:
    """Return what keys of exchanges are sealed with as the settings say it now; none where these are wrong now."""
    try:
        return load().trading.secrets
    except SettingsError as error:
        _log.warning("execution.settings", problems=list(error.problems))
        return ()
