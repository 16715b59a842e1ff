"""What each service needs of the bus, and which services run as which user: the one declaration of permissions.

A service is a consumer by its name in `consumers/registry.py`, or a process. What a service does beyond this the server
refuses; whoever adds a subject, stream or command to a service adds it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts import streams, subjects
from contracts.streams import CANDLE_STREAMS
from contracts.users.needs import Needs, together

_BUS_FEED: Final = subjects.FEED + subjects.BUS  # what a reader of the bus has lost, announced
_DOLLAR_TICKERS: Final = subjects.TICKER + "*.*.USD.spot"
_PRODUCED: Final = (
    *(streams.MARKET, streams.LIQUIDATIONS, streams.DERIVATIVES),
    *(streams.BOOKS, streams.DELTAS, streams.FEEDS),
)
_CANDLE_STREAMS: Final = tuple(dict.fromkeys(CANDLE_STREAMS.values()))
_DETECTORS: Final = ("whales", "clusters", "storms", "detectors")
_CHATS: Final = tuple(spec.name for spec in streams.DURABLES if spec.name.startswith("chats_"))
_TELEGRAM: Final = tuple(spec.name for spec in streams.DURABLES if spec.stream == streams.JOBS)

CONSUMERS: Final[Mapping[str, Needs]] = {
    "books": Needs(
        publishes=(subjects.ALL_BOOKS, subjects.FEED + "*"),
        subscribes=(subjects.ALL_DELTAS, subjects.ALL_FEEDS),
        asks=("feed.resync",),
        leases=(subjects.LEASE_BOOKS,),
        letters=("books",),
    ),
    "cache": Needs(
        publishes=(subjects.FEED + "*",),  # that a producer is gone
        subscribes=(
            *(subjects.ALL_TICKERS, subjects.ALL_TRADES),
            *(subjects.ALL_BOOKS, subjects.ALL_FUNDING, subjects.ALL_INTEREST),
        ),
        reads=(streams.LIQUIDATIONS, streams.FEEDS, streams.SIGNALS),
        mirrors=(streams.LEASES,),
        writes=(streams.STATE,),
        looks_for_holders=True,
        letters=("cache",),
    ),
    "candles": Needs(
        publishes=(subjects.ALL_CANDLES, _BUS_FEED),
        serves=("candles",),
        reads=(streams.MARKET, streams.FEEDS, *_CANDLE_STREAMS),
        writes=(streams.CANDLES,),
        letters=("candles",),
    ),
    "coverage": Needs(
        publishes=(_BUS_FEED,),
        reads=(streams.FEEDS,),
        mirrors=(streams.LEASES, streams.INSTRUMENTS),
        writes=(streams.COVERAGE,),
        looks_for_holders=True,
        letters=("coverage",),
    ),
    "market": Needs(
        publishes=(subjects.ALL_CONSOLIDATED_TICKERS, subjects.ALL_CONSOLIDATED_BOOKS),
        subscribes=(subjects.ALL_TICKERS,),
        serves=("market",),
        asks=("candles.list", "history.candles"),
        answers=(subjects.CACHE_DROP,),
        reads=(streams.LIQUIDATIONS, streams.PAST, streams.PAST_BOOKS, streams.PAST_TRADES),
        mirrors=(streams.STATE, streams.INSTRUMENTS, streams.COVERAGE),
        leases=("market.consolidated",),
        letters=("market",),
    ),
    "whales": Needs(
        publishes=(subjects.ALL_WHALES, _BUS_FEED),
        serves=("whales",),
        reads=(streams.MARKET, streams.SIGNALS, streams.FEEDS),
        writes=(streams.POSITIONS,),
        letters=("whales",),
    ),
    "clusters": Needs(
        publishes=(subjects.ALL_CLUSTERS,),
        serves=("clusters",),
        reads=(streams.SIGNALS, streams.FEEDS),
        durables=("clusters",),
        letters=("clusters",),
    ),
    "storms": Needs(
        publishes=(subjects.ALL_STORMS,),
        serves=("storms",),
        reads=(streams.LIQUIDATIONS, streams.SIGNALS, streams.FEEDS, streams.MARKET),
        durables=("storms",),
        letters=("storms",),
    ),
    "detectors": Needs(
        publishes=(
            *(f"{subjects.FUNDING_EXTREME}>", f"{subjects.INTEREST_JUMP}>", f"{subjects.WALL}>"),
            *(f"{subjects.SPREAD}>", f"{subjects.VOLUME_SPIKE}>", f"{subjects.LISTING}>"),
            *(subjects.ALL_SAMPLED_BOOKS, _BUS_FEED),
        ),
        subscribes=(subjects.ALL_BOOKS,),
        serves=("detectors",),
        reads=(
            *(streams.MARKET, streams.DERIVATIVES, streams.CANDLES_1M, streams.SAMPLES),
            *(streams.SIGNALS, streams.FEEDS),
        ),
        mirrors=(streams.LISTINGS,),
        writes=(streams.POSITIONS,),
        letters=("detectors",),
    ),
    "alerts": Needs(
        publishes=(subjects.ALL_ALERTS, _BUS_FEED),
        serves=("alerts",),
        asks=(
            *(f"{name}.{verb}" for name in _DETECTORS for verb in ("why", "why_not", "dry_run")),
            *("market.symbols", "market.coverage", "telegram.deliveries", "webhooks.deliveries"),
        ),
        reads=(streams.SIGNALS, streams.LIQUIDATIONS, streams.MARKET, streams.OWN_ALERTS, streams.FEEDS),
        leases=("alerts",),
        letters=("alerts",),
    ),
    "access": Needs(
        publishes=(subjects.AUDIT + "access.*",),
        serves=("access",),
        durables=("audit",),
        writes=(streams.ACCESS,),
        leases=("access",),
    ),
    "chats": Needs(publishes=(subjects.ALL_TELEGRAM_JOBS,), serves=("chats",), durables=_CHATS),
    "community": Needs(
        publishes=(subjects.ALL_COMMUNITY, subjects.AUDIT + "community.*"),
        subscribes=(subjects.ALL_COMMUNITY,),
        serves=("community",),
        asks=("telegram",),
    ),
    "deadletters": Needs(
        publishes=(subjects.ALL_WEBHOOK_JOBS, subjects.ALL_TELEGRAM_JOBS, subjects.ANALYTICS),  # to be tried again
        serves=("deadletters",),
        reads=(streams.DLQ,),
        api=(f"STREAM.MSG.DELETE.{streams.DLQ}",),
    ),
    "telegram": Needs(
        publishes=(subjects.ALL_TELEGRAM_JOBS, subjects.ALL_TELEGRAM),
        serves=("telegram",),
        reads=(streams.TELEGRAM,),
        durables=_TELEGRAM,
        remakes=_TELEGRAM,
        writes=(streams.MOVED_CHATS,),
        leases=("telegram",),
        letters=("telegram",),
    ),
    "analytics": Needs(serves=("analytics",), durables=("analytics",)),
    "webhooks": Needs(
        publishes=(
            *(subjects.ALL_WEBHOOK_JOBS, subjects.SCHEDULE + "webhook.>", subjects.ALL_WEBHOOKS_CHANGED),
            *(subjects.AUDIT + "webhooks.*", _BUS_FEED),
        ),
        subscribes=(subjects.ALL_WEBHOOKS_CHANGED, _DOLLAR_TICKERS),
        serves=("webhooks",),
        reads=(streams.SIGNALS, streams.LIQUIDATIONS, streams.FEEDS, streams.OWN_ALERTS, streams.TRADING),
        durables=("webhooks", "webhooks_due"),
        leases=("webhooks",),
        letters=("webhooks",),
    ),
    "execution": Needs(
        publishes=(subjects.ALL_ORDERS, subjects.AUDIT + "trading.*", _BUS_FEED),
        subscribes=(subjects.ALL_TRADES, subjects.ALL_BOOKS),
        serves=("trading",),
        reads=(streams.BOOKS,),
        leases=("execution",),
        letters=("execution",),
    ),
    "portfolio": Needs(serves=("portfolio",), asks=("market.price", "trading.list_accounts"), durables=("portfolio",)),
    "backtests": Needs(
        serves=("backtests",),
        reads=(streams.FEEDS, streams.SAMPLES, streams.MARKET, *_CANDLE_STREAMS),
        mirrors=(streams.COVERAGE,),
        leases=("backtests",),
    ),
    "strategies": Needs(
        publishes=(subjects.ALL_STRATEGIES, subjects.AUDIT + "strategies.*", _BUS_FEED),
        subscribes=(
            *(subjects.ALL_TICKERS, subjects.ALL_TRADES, subjects.ALL_BOOKS, subjects.ALL_CANDLES),
            *(subjects.ALL_FEEDS, subjects.AUDIT + "trading.kill"),
        ),
        serves=("strategies",),
        asks=tuple(
            f"trading.{verb}" for verb in ("create_order", "cancel_order", "list_orders", "find_order", "list_accounts")
        ),
        reads=(streams.TRADING, streams.FEEDS),
        leases=("strategies",),
        letters=("strategies",),
    ),
}
"""The consumers of `consumers/registry.py`."""

_STANDBY: Final = Needs(leases=(subjects.LEASE_STANDBY + "*",))  # of whatever process consumers or a bot run in
_LAUNCHER: Final = Needs(  # its view and its watch of the disk
    publishes=(subjects.PROBE + "supervisor",),
    subscribes=(
        *(subjects.ALL_TRADES, subjects.ALL_TICKERS, subjects.ALL_LIQUIDATIONS, subjects.ALL_SIGNALS),
        *(subjects.ALL_FEEDS, f"$KV.{streams.STATE}.{subjects.STATE_FEED}>"),
    ),
)
PROCESSES: Final[Mapping[str, Needs]] = {
    "producers": Needs(
        publishes=(
            *(subjects.ALL_TRADES, subjects.ALL_TICKERS, subjects.ALL_BOOKS, subjects.ALL_DELTAS),
            *(subjects.ALL_LIQUIDATIONS, subjects.ALL_FUNDING, subjects.ALL_INTEREST),
            *(subjects.FEED + "*", subjects.ALL_BUDGETS),
        ),
        serves=("feed", "history"),
        writes=(streams.PAUSES, streams.LISTINGS, streams.INSTRUMENTS),
        leases=(subjects.LEASE_PRODUCERS + ">",),
        letters=("producers",),
        api=tuple(f"STREAM.INFO.{name}" for name in _PRODUCED),  # whether they were made again
    ),
    "api": Needs(
        publishes=(
            *(subjects.ANALYTICS, subjects.HELD, subjects.PROBE + "api"),
            *(subjects.ALL_LIMITS, subjects.AUDIT + "*.*"),
        ),
        subscribes=(
            *(subjects.ALL_TRADES, subjects.ALL_TICKERS, subjects.ALL_BOOKS, subjects.ALL_CANDLES, subjects.HELD),
            *(subjects.ALL_SIGNALS, subjects.ALL_ALERTS, subjects.ALL_LIQUIDATIONS),
        ),
        asks=(
            *("access", "alerts", "analytics", "backtests", "community", "deadletters", "feed", "market"),
            *("portfolio", "strategies", "trading", "webhooks"),
        ),
        answers=(subjects.CACHE_DROP,),
        requests=(subjects.CACHE_DROP,),
        reads=(streams.SIGNALS, streams.LIQUIDATIONS, streams.OWN_ALERTS),
        mirrors=(streams.ACCESS,),
        writes=(streams.CACHE, streams.IDEMPOTENCY),
        api=(f"DIRECT.GET.{streams.LIMITS}.{subjects.ALL_LIMITS}",),
    ),
    "mcp": Needs(asks=("market", "alerts", "trading")),  # `python -m api.mcp`
    "bot": Needs(
        publishes=(subjects.ALL_TELEGRAM_JOBS,),
        subscribes=(subjects.ALL_COMMUNITY,),
        asks=(
            *("alerts", "backtests", "chats", "community", "market", "portfolio", "strategies", "telegram"),
            "trading",
        ),
        durables=("bot_undos",),
        writes=(streams.TRADERS, streams.GROUP_STATE),
    ),
    "provisioner": Needs(  # once, and as the healer
        publishes=(_BUS_FEED,),
        api=(
            *("STREAM.INFO.*", "STREAM.CREATE.*", "STREAM.UPDATE.*"),
            *("CONSUMER.INFO.*.*", "CONSUMER.NAMES.*", "CONSUMER.CREATE.*.*.>", "CONSUMER.DELETE.*.*"),
        ),
    ),
    "doctor": Needs(
        asks=("market.health",),
        mirrors=(streams.PAUSES,),
        api=("STREAM.NAMES", "STREAM.INFO.*", "CONSUMER.INFO.*.*"),
    ),
    "launcher": _LAUNCHER,
    "replay": Needs(publishes=(subjects.ALL_REPLAYS,)),  # `python -m producers replay`
}
"""What is no consumer."""

SERVICES: Final[Mapping[str, Needs]] = {**CONSUMERS, **PROCESSES}
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "consumers": tuple(name for name in CONSUMERS if name != "books"),  # all in one process
    "consumers-folding": (
        *("cache", "candles", "coverage", "whales", "clusters", "storms", "detectors", "deadletters"),
        *("chats", "community", "analytics", "portfolio"),
    ),
    "consumers-owners": ("access", "alerts", "execution", "strategies"),
}
"""Consumers that run in one process under a user of their own, as deploy/ starts them."""

USERS: Final[Mapping[str, tuple[str, ...]]] = {**{name: (name,) for name in SERVICES}, **GROUPS}
"""Every user of a service and the services that run as it; a consumer that runs alone is a user by its name."""

USER_OF_PART: Final[Mapping[str, str]] = {
    "provision": "provisioner",
    "healer": "provisioner",
    **{name: name for name in ("producers", "books", "consumers", "api", "bot")},
}
"""The user of each part that one machine runs and that connects to the bus."""


def needs_of(user: str) -> Needs:
    """Return what a user's services need together; KeyError for one that is not declared."""
    found = together(SERVICES[name] for name in USERS[user])
    stands_by = user == "bot" or not CONSUMERS.keys().isdisjoint(USERS[user])
    return found | _STANDBY if stands_by else found
