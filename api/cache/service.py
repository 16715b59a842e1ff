"""What this process keeps of answers, as one part: its figures, what is put, and drops that reach every process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from api.cache.metrics import CacheMetrics
from api.cache.pins import Pins
from api.cache.values import SECOND_NS
from api.cache.warmup import most_requested, warm_up
from contracts.services.cache import LIVE, PINNED, DropReply, DropRequest
from contracts.services.replies.market import ClassStatus
from runtime import clock
from runtime.clients.cache_drops import broadcast_drop, serve_drops
from runtime.clients.command_client import CommandClient
from runtime.clients.market_client import MarketClient
from runtime.clients.market_reply import CachedReply, Counts
from runtime.clients.ttl_cache import ClassFigures, TtlCache
from runtime.nats.bus import Bus


class CacheService:
    """The answers of the market client, what is put in their place, and other values that are kept for a time."""

    def __init__(self, bus: Bus, market: MarketClient, registry: CollectorRegistry, default_seconds: int) -> None:
        self.bus = bus
        self.market = market
        self.default_seconds = default_seconds
        self.fetched = TtlCache(enabled=market.enabled, default_seconds=default_seconds)
        self.pins = Pins(bus, market)
        CacheMetrics(registry, self.by_class)

    async def run(self) -> None:
        """Take part in drops and follow what is put; raises what ends that."""
        await serve_drops(self.bus, "api", self.drop_here)
        await self.pins.follow()

    async def warm_up(self, symbols: Sequence[str]) -> None:
        """Request popular symbols once, where anything is kept; returns when that is done."""
        if self.market.enabled and symbols:
            await warm_up(self.market, symbols, lambda: most_requested(CommandClient(self.bus)))

    async def close(self) -> None:
        """End what is under way."""
        await self.market.close()
        await self.fetched.close()

    def drop_here(self, request: DropRequest) -> int:
        """Drop what is meant in this process; return how many replies and values."""
        matches = request.matcher()
        values = self.fetched.drop(lambda keys: any(map(matches, keys)), lambda key: (key,))
        return self.market.drop(matches) + values

    async def drop(self, request: DropRequest) -> tuple[list[DropReply], int]:
        """Drop what is meant everywhere; return what each process replied, and how many put answers were taken away.

        Raises NotReadyError while the bus is away.
        """
        put = self.pins.find(request.matcher())
        await asyncio.gather(*(self.pins.remove(question) for question in put))
        return await broadcast_drop(self.bus, request), len(put)

    def by_class(self) -> dict[str, ClassStatus]:
        """Return the figures of this process by class."""
        live = [counts for verb, counts in self.market.counts.items() if verb != PINNED]
        ages = [self.market.age_of(known) for _, _, known in self.market.entries()]
        put = [pinned.since for _, pinned in self.pins.list()]
        now_ns = clock.now_ns()
        return {
            LIVE: _status(live, ages),
            PINNED: _status([self.market.counts[PINNED]], [(now_ns - since) / SECOND_NS for since in put]),
            **{name: _of_fetched(found, now_ns) for name, found in self.fetched.figures().items()},
        }

    def by_command(self) -> dict[str, ClassStatus]:
        """Return the figures of the market's answers by command."""
        known: dict[str, list[CachedReply]] = {}
        for verb, _, reply in self.market.entries():
            known.setdefault(verb, []).append(reply)
        return {
            verb: _status([counts], [self.market.age_of(reply) for reply in known.get(verb, ())])
            for verb, counts in sorted(self.market.counts.items())
            if verb != PINNED
        }


def _status(counts: Iterable[Counts], ages: list[float]) -> ClassStatus:
    used = list(counts)
    figures: dict[str, Any] = {
        "entries": len(ages),
        "hits": sum(item.hits for item in used),
        "misses": sum(item.misses for item in used),
        "oldest_age": round(max(ages), 3) if ages else None,
    }
    return ClassStatus(**figures)


def _of_fetched(found: ClassFigures, now_ns: int) -> ClassStatus:
    age = None if found.oldest_ns is None else round((now_ns - found.oldest_ns) / SECOND_NS, 3)
    return ClassStatus(entries=found.entries, hits=found.hits, misses=found.misses, oldest_age=age)
