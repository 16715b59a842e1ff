"""How the deliverer of webhooks is made from the settings."""

from __future__ import annotations

from functools import partial

from consumers.webhooks.delivery.rules import DeliveryRules, DigestRules
from consumers.webhooks.handlers import WebhooksPlan, run
from consumers.webhooks.matching.running import MatchingPlan
from consumers.webhooks.transport import TransportRules
from runtime.app.service import Consumer
from runtime.config.settings import Settings
from runtime.pepper import load_pepper, load_signing_key


def make(settings: Settings) -> Consumer:
    """Return the consumer that delivers webhooks."""
    return Consumer(partial(run, plan=webhooks_plan(settings)))


def webhooks_plan(settings: Settings) -> WebhooksPlan:
    """Where endpoints are kept, what seals their secrets and signs for us, and what may be posted to."""
    url, pepper, own = settings.store.url, settings.access.key_pepper, settings.webhooks
    given, key = (None if secret is None else secret.get_secret_value() for secret in (pepper, own.signing_key))
    return WebhooksPlan(
        documents="" if url is None else url.get_secret_value(),
        pepper=partial(load_pepper, given, settings.store.data),
        key=partial(load_signing_key, key, settings.store.data),
        rules=TransportRules(allow=frozenset(own.allow), ports=frozenset(own.ports)),
        enabled=own.enabled,
        most=own.max_subscriptions,
        delivery=DeliveryRules(max_failures=own.max_failures),
        matching=MatchingPlan(digests=DigestRules(seconds=own.rate_limit_seconds), public_url=settings.api.own_url),
    )
