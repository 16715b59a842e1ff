"""How the keeper of chats is made from the settings."""

from __future__ import annotations

from consumers.chats.handlers import ChatsPlan, make_consumer
from runtime.app.service import Consumer
from runtime.config.settings import Settings


def make(settings: Settings) -> Consumer:
    """Return the consumer that keeps profiles and subscriptions."""
    return make_consumer(chats_plan(settings))


def chats_plan(settings: Settings) -> ChatsPlan:
    """Where profiles and subscriptions are kept, and what alerts link to."""
    url = settings.store.url
    return ChatsPlan("" if url is None else url.get_secret_value(), settings.api.own_url)
