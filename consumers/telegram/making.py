"""How the gateway to Telegram is made from the settings."""

from __future__ import annotations

from functools import partial

from pydantic import SecretStr

from consumers.telegram.core import Rules
from consumers.telegram.handlers import TelegramPlan, run
from consumers.telegram.texts import digest
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the one sender to Telegram."""
    return Consumer(partial(run, plan=telegram_plan(settings)))


def telegram_plan(settings: Settings) -> TelegramPlan:
    """Where Telegram is, the bot's token, and how many alerts for a chat become one."""
    return TelegramPlan(
        url=settings.telegram.api_base_url,
        token=settings.telegram.token or SecretStr(""),
        rules=Rules(digest=digest),
    )
