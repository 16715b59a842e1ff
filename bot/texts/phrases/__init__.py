"""Every phrase of the bot in both languages, by key. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.texts.phrases import (
    alerts,
    automatic,
    charts,
    errors,
    group_commands,
    group_settings,
    groups,
    market,
    menus,
    price_alerts,
)
from bot.texts.phrases.trading import accounts as trading_accounts
from bot.texts.phrases.trading import orders, strategies
from runtime.texts import alert_phrases, order_phrases
from runtime.texts.phrase import Language, Phrase

__all__ = ["PHRASES", "TOPICS", "Language", "Phrase"]

TOPICS: Final = (
    market.PHRASES,
    charts.PHRASES,
    errors.PHRASES,
    menus.PHRASES,
    alerts.PHRASES,
    price_alerts.PHRASES,
    groups.PHRASES,
    automatic.PHRASES,
    group_commands.PHRASES,
    group_settings.PHRASES,
    trading_accounts.PHRASES,
    orders.PHRASES,
    strategies.PHRASES,
    alert_phrases.PHRASES,
    order_phrases.PHRASES,
)
PHRASES: Final[Mapping[str, Phrase]] = {key: phrase for topic in TOPICS for key, phrase in topic.items()}
