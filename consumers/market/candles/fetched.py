"""Candles that were fetched, kept for a while by class: our own for a moment, a growing past, and a closed one."""

from __future__ import annotations

from typing import Any, Final

from contracts.schema.literals import Age
from contracts.services.cache import CLASS_SECONDS, MARKET, STATIC, DropRequest, keys_of_candles
from runtime.clients.ttl_cache import MOST_KEPT, ClassFigures, TtlCache

RECENT_SECONDS: Final = CLASS_SECONDS[MARKET]  # a span that is still growing
STATIC_SECONDS: Final = CLASS_SECONDS[STATIC]  # what does not change any more
FAILED_SECONDS: Final = 5.0  # who failed is not asked again at once
OWN: Final = "own"  # our own candles, of the candles consumer
_OWN_AT: Final = "own_candles."
_CLOSED: Final = ".True"


class FetchCache(TtlCache):
    """Fetched candles by name: `own_candles.<tail>…`, or `market_data.<tail>.ohlc….<whether the span is closed>`."""

    def __init__(self, *, enabled: bool = True, most: int = MOST_KEPT) -> None:
        super().__init__(enabled=enabled, most=most, class_of=_class_of)

    def drop_meant(self, request: DropRequest) -> int:
        """Drop the candles that a request means by any of their keys; return how many."""
        matches = request.matcher()
        return self.drop(lambda keys: any(map(matches, keys)), keys_of_candles)

    def describe(self) -> dict[str, Any]:
        """How many are kept, how they were used, and the oldest of them; all together and by class."""
        figures = self.figures()
        ages = [found.oldest_ns for found in figures.values() if found.oldest_ns is not None]
        return {
            "entries": sum(found.entries for found in figures.values()),
            "hits": self.hits,
            "misses": self.misses,
            "oldest_age": Age(min(ages)) if ages else None,
            "classes": {name: _describe(found) for name, found in figures.items()},
        }


def _describe(found: ClassFigures) -> dict[str, Any]:
    return {
        "entries": found.entries,
        "hits": found.hits,
        "misses": found.misses,
        "oldest_age": None if found.oldest_ns is None else Age(found.oldest_ns),
    }


def _class_of(key: str) -> str:
    return OWN if key.startswith(_OWN_AT) else STATIC if key.endswith(_CLOSED) else MARKET
