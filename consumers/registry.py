"""Every consumer, one line each, and how the settings' values become its plan."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final

from pydantic import SecretStr

from consumers.access import handlers as access
from consumers.alerts import handlers as alerts
from consumers.alerts.everybody import EverybodyRules
from consumers.analytics import handlers as analytics
from consumers.analytics.handlers import AnalyticsPlan
from consumers.books import handlers as books
from consumers.cache import handlers as cache
from consumers.candles import handlers as candles
from consumers.chats import handlers as chats
from consumers.clusters import handlers as clusters
from consumers.clusters.core import ClusterRules
from consumers.community import handlers as community
from consumers.deadletters import handlers as deadletters
from consumers.detectors import handlers as detectors
from consumers.detectors.rules import (
    DetectorRules,
    FundingRules,
    InterestRules,
    SpreadRules,
    VolumeRules,
    WallRules,
    by_tier,
)
from consumers.market import handlers as market
from consumers.storms import handlers as storms
from consumers.storms.core import StormRules
from consumers.telegram import handlers as telegram
from consumers.telegram.core import Rules
from consumers.telegram.texts import digest
from consumers.webhooks import handlers as webhooks
from consumers.webhooks.delivery.rules import DeliveryRules, DigestRules
from consumers.webhooks.matching.running import MatchingPlan
from consumers.webhooks.transport import TransportRules
from consumers.whales import handlers as whales
from consumers.whales.core import Adaptive, WhaleRules
from contracts.arithmetic.tiers import Tiers
from contracts.signals import Tier
from runtime.app.service import Consumer
from runtime.book.books import BookPace
from runtime.config.settings import Settings
from runtime.pepper import load_pepper, load_signing_key

_SECOND: Final = 1_000_000_000

CONSUMERS: Final[dict[str, Callable[[Settings], Consumer]]] = {
    "books": lambda settings: Consumer(partial(books.run, plan=books.BooksPlan(pace=book_pace(settings)))),
    "cache": lambda _: Consumer(partial(cache.run, plan=cache.CachePlan())),
    "candles": lambda _: candles.make_consumer(candles.CandlePlan()),
    "market": lambda settings: Consumer(partial(market.run, plan=market.MarketPlan(fetched=settings.cache.enabled))),
    "whales": lambda settings: whales.make_consumer(whales.WhalePlan(rules=whale_rules(settings))),
    "access": lambda settings: Consumer(partial(access.run, plan=access_plan(settings))),
    "alerts": lambda settings: Consumer(partial(alerts.run, plan=alerts_plan(settings))),
    "chats": lambda settings: chats.make_consumer(chats_plan(settings)),
    "clusters": lambda settings: clusters.make_consumer(cluster_rules(settings)),
    "storms": lambda settings: storms.make_consumer(storm_rules(settings)),
    "community": lambda settings: community.make_consumer(community_plan(settings)),
    "detectors": lambda settings: detectors.make_consumer(detector_plan(settings)),
    "deadletters": lambda _: deadletters.make_consumer(),
    "telegram": lambda settings: Consumer(partial(telegram.run, plan=telegram_plan(settings))),
    "analytics": lambda settings: analytics.make_consumer(analytics_plan(settings)),
    "webhooks": lambda settings: Consumer(partial(webhooks.run, plan=webhooks_plan(settings))),
}

BY_ITSELF: Final = frozenset({"books"})  # runs only where it is named, in a process of its own
NEED_DOCUMENTS: Final[frozenset[str]] = frozenset(  # left out, with a line in the log, where MONGO_URL is not set
    {
        "access",
        "alerts",
        "analytics",
        "chats",
        "community",
        "webhooks",
    }
)


def alerts_plan(settings: Settings) -> alerts.AlertsPlan:
    """Where alerts are kept, and what everybody is told of."""
    url, given = settings.store.url, settings.alerts
    rules = EverybodyRules(
        tiers=_tiers(settings),
        liquidation_usd={
            "majors": given.liquidation_usd_majors,
            "large": given.liquidation_usd_large,
            "mid": given.liquidation_usd_mid,
        },
        cooldown=_cooldown(settings),
    )
    return alerts.AlertsPlan(documents="" if url is None else url.get_secret_value(), rules=rules)


NEED_TELEGRAM: Final = frozenset({"telegram"})  # left out, with a line in the log, where TELEGRAM_BOT_TOKEN is not set


def telegram_plan(settings: Settings) -> telegram.TelegramPlan:
    """Where Telegram is, the bot's token, and how many alerts for a chat become one."""
    return telegram.TelegramPlan(
        url=settings.telegram.api_base_url,
        token=settings.telegram.token or SecretStr(""),
        rules=Rules(digest=digest),
    )


def chats_plan(settings: Settings) -> chats.ChatsPlan:
    """Where profiles and subscriptions are kept."""
    url = settings.store.url
    return chats.ChatsPlan("" if url is None else url.get_secret_value())


def analytics_plan(settings: Settings) -> AnalyticsPlan:
    """Where requests are recorded, and for how long."""
    url = settings.store.url
    return AnalyticsPlan("" if url is None else url.get_secret_value(), settings.analytics.retention_days)


def community_plan(settings: Settings) -> community.CommunityPlan:
    """Where groups are kept."""
    url = settings.store.url
    return community.CommunityPlan("" if url is None else url.get_secret_value())


def access_plan(settings: Settings) -> access.AccessPlan:
    """Where the key store keeps its documents, and its pepper."""
    url, pepper = settings.store.url, settings.access.key_pepper
    given = None if pepper is None else pepper.get_secret_value()
    return access.AccessPlan(
        documents="" if url is None else url.get_secret_value(),
        pepper=partial(load_pepper, given, settings.store.data),
    )


def webhooks_plan(settings: Settings) -> webhooks.WebhooksPlan:
    """Where endpoints are kept, what seals their secrets and signs for us, and what may be posted to."""
    url, pepper, own = settings.store.url, settings.access.key_pepper, settings.webhooks
    given, key = (None if secret is None else secret.get_secret_value() for secret in (pepper, own.signing_key))
    return webhooks.WebhooksPlan(
        documents="" if url is None else url.get_secret_value(),
        pepper=partial(load_pepper, given, settings.store.data),
        key=partial(load_signing_key, key, settings.store.data),
        rules=TransportRules(allow=frozenset(own.allow), ports=frozenset(own.ports)),
        enabled=own.enabled,
        most=own.max_subscriptions,
        delivery=DeliveryRules(max_failures=own.max_failures),
        matching=MatchingPlan(digests=DigestRules(seconds=own.rate_limit_seconds)),
    )


def book_pace(settings: Settings) -> BookPace:
    """How often and how deep books are published: as the producers would."""
    return BookPace(interval=settings.venues.book_interval_ms / 1000, depth=settings.venues.book_depth)


def whale_rules(settings: Settings) -> WhaleRules:
    """The whale's limits by tier, and by an instrument's own trades where that is switched on."""
    alerts = settings.alerts
    limits: dict[Tier, Decimal] = {
        "majors": alerts.whale_usd_majors,
        "large": alerts.whale_usd_large,
        "mid": alerts.whale_usd_mid,
    }
    return WhaleRules(tiers=_tiers(settings), limits=limits, adaptive=_adaptive(settings))


def cluster_rules(settings: Settings) -> ClusterRules:
    """How many whales within which window make a cluster, and for how long one silences."""
    return ClusterRules(
        tiers=_tiers(settings),
        cooldown=_cooldown(settings),
        window=settings.alerts.cluster_window_seconds * _SECOND,
        count=settings.alerts.cluster_count,
    )


def storm_rules(settings: Settings) -> StormRules:
    """What makes a storm by tier, and for how long one silences."""
    alerts = settings.alerts
    return StormRules(
        tiers=_tiers(settings),
        usd={"majors": alerts.storm_usd_majors, "large": alerts.storm_usd_large, "mid": alerts.storm_usd_mid},
        count={"majors": alerts.storm_count_majors, "large": alerts.storm_count_large, "mid": alerts.storm_count_mid},
        cooldown=_cooldown(settings),
        window=alerts.storm_window_seconds * _SECOND,
    )


def detector_plan(settings: Settings) -> detectors.DetectorPlan:
    """The limits of the detectors, and how often books are sampled for them."""
    own, tiers = settings.detectors, _tiers(settings)
    rules = DetectorRules(
        funding=FundingRules(tiers, own.funding_limit, own.funding_quantile, cooldown=own.funding_cooldown * _SECOND),
        interest=InterestRules(
            tiers,
            by_tier(own.interest_percent_majors, own.interest_percent_large, own.interest_percent_mid),
            window=own.interest_window * _SECOND,
            cooldown=own.interest_cooldown * _SECOND,
        ),
        wall=WallRules(
            tiers,
            own.wall_times,
            by_tier(own.wall_usd_majors, own.wall_usd_large, own.wall_usd_mid),
            cooldown=own.wall_cooldown * _SECOND,
        ),
        spread=SpreadRules(
            tiers,
            by_tier(own.spread_percent_majors, own.spread_percent_large, own.spread_percent_mid),
            stale=own.spread_stale * _SECOND,
            cooldown=own.spread_cooldown * _SECOND,
        ),
        volume=VolumeRules(
            tiers,
            own.volume_times,
            by_tier(own.volume_usd_majors, own.volume_usd_large, own.volume_usd_mid),
            minutes=own.volume_minutes,
            samples=max(1, own.volume_minutes // 2),
            cooldown=own.volume_cooldown * _SECOND,
        ),
    )
    return detectors.DetectorPlan(rules=rules, sample_every=own.wall_sample * _SECOND)


def _adaptive(settings: Settings) -> Adaptive | None:
    quantile = settings.alerts.whale_adaptive_quantile
    if quantile == 0:
        return None
    return Adaptive(share=quantile.as_integer_ratio(), samples=settings.alerts.whale_adaptive_samples)


def _tiers(settings: Settings) -> Tiers:
    return Tiers(majors=frozenset(settings.alerts.majors), large=frozenset(settings.alerts.large))


def _cooldown(settings: Settings) -> dict[Tier, int]:
    alerts = settings.alerts
    return {
        "majors": alerts.cooldown_seconds_majors * _SECOND,
        "large": alerts.cooldown_seconds_large * _SECOND,
        "mid": alerts.cooldown_seconds_mid * _SECOND,
    }
