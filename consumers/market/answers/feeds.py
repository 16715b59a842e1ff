"""`market.health`: each venue's feed, believed while it is judged. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.documents import Feed, Latency
from consumers.market.quality import LIVE, STALE, feed_quality, is_dead
from consumers.market.state import Reader
from contracts.schema.literals import Age, iso, number
from contracts.services.market import HealthQuery

MOST_MARKS: Final = 100
UNKNOWN: Final = "unknown"  # it has not said anything
_NS_IN_MS: Final = 1_000_000


def compose_health(reader: Reader, _query: HealthQuery) -> Composed:
    """Each venue's feed by the venue's name."""
    return Composed(feeds_by_venue(reader))


def feeds_by_venue(reader: Reader) -> dict[str, Any]:
    """The feeds that the state knows, by venue."""
    return {feed.venue: feed_fields(feed, cut=reader.freshness.cut) for feed in reader.list_feeds()}


def list_degraded(reader: Reader) -> list[str]:
    """List the feeds that are not live, with their state; first of all a cache that does not write any more."""
    feeds = reader.list_feeds()
    dead = bool(feeds) and all(is_dead(feed, reader.now_ns) for feed in feeds)
    return (["cache"] if dead else []) + [
        f"feed {feed.venue}: {feed.state or UNKNOWN}" for feed in feeds if feed.state != LIVE
    ]


def feed_fields(feed: Feed, *, cut: bool) -> dict[str, Any]:
    """One feed: ages in seconds by kind of event, latencies in milliseconds; stale while the bus is `cut` off."""
    newest = max(feed.last_message_ts.values(), default=None)
    return {
        "connected": feed.connected,
        "state": feed.state,
        "reason": feed.reason,
        "quality": STALE if cut else feed_quality(feed),
        "since": None if feed.since is None else iso(feed.since),
        "last_message_age": None if newest is None else Age(newest),
        "last_message_ages": {kind: Age(ts) for kind, ts in sorted(feed.last_message_ts.items())},
        "channels": feed.channels,
        "not_live": [
            {"channel": channel, "symbol": symbol, "state": state} for channel, symbol, state in feed.marks[:MOST_MARKS]
        ],
        "events": feed.events,
        "reconnects": feed.reconnects,
        "gaps": feed.gaps,
        "resyncs": feed.resyncs,
        "audited": {symbol: iso(ts) for symbol, ts in sorted(feed.audited.items())},
        "trades_filled": feed.filled,
        "trades_missing": feed.missing,
        "latency": {"venue_ms": _latency(feed.venue_latency), "bus_ms": _latency(feed.bus_latency)},
        "hops": {hop: _hop(kinds) for hop, kinds in feed.hops.items()},
        "clock_offset_ms": _milliseconds(feed.clock_offset),
        "sim": feed.sim,
    }


def _latency(latency: Latency) -> dict[str, Any]:
    return {"p50": _milliseconds(latency.p50), "p99": _milliseconds(latency.p99)}


def _hop(kinds: Mapping[str, Any]) -> dict[str, Any]:
    names = ("p50", "p95", "p99")
    return {
        kind: {name: _milliseconds(getattr(found, name)) for name in names} for kind, found in sorted(kinds.items())
    }


def _milliseconds(ns: int | None) -> Any:
    if ns is None:
        return None
    sign, size = ("-" if ns < 0 else ""), abs(ns)
    return number(f"{sign}{size // _NS_IN_MS}.{size % _NS_IN_MS // 1000:03d}")
