"""Health of this process: alive, ready, and what is cached, with how old it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from api import answers
from api.answers import Age, Reply, SentAt
from api.endpoints import Ask
from api.fetched import FetchCache
from api.market.answering import Answerer
from api.market.feeds import feeds_by_venue, list_degraded
from api.market.quality import LIVE
from api.market.state import MarketState, Reader
from api.refusals import NotReadyError, refusal

_ALIVE: Final = answers.template({"status": "ok", "timestamp": SentAt()})


class MirrorState(Protocol):
    """What a mirrored bucket tells of itself."""

    @property
    def loaded(self) -> bool:
        """Whether every key was read at least once."""
        ...

    @property
    def changed_ns(self) -> int | None:
        """When the last change arrived, ns UTC."""
        ...

    def __len__(self) -> int:
        """How many keys it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Vitals:
    """What health is read from; `started_ns` is ns UTC, `clients` counts the stream's."""

    started_ns: int
    connected: Callable[[], bool]
    mirrors: Mapping[str, MirrorState]
    state: MarketState
    answerer: Answerer
    clients: Callable[[], int]
    indexing: Callable[[], bool]
    fetched: FetchCache
    write_problem: Callable[[], str | None]  # why the bus does not keep what is written


class Health:
    """The health routes."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def waiting_for(self) -> list[str]:
        """What this process cannot answer without: nothing once every mirror was loaded."""
        mirrors = [f"bucket {name}" for name, mirror in self._vitals.mirrors.items() if not mirror.loaded]
        bus = ["bus"] if mirrors and not self._vitals.connected() else []
        first_index = self._vitals.indexing() and not self._vitals.state.symbols.instruments
        return bus + mirrors + (["index of symbols"] if first_index else [])

    def alive(self, ask: Ask) -> Reply:
        """`GET /health`: the process answers."""
        return Reply(200, _ALIVE.render(ask.now_ns))

    def ready(self, ask: Ask) -> Reply:
        """`GET /health/ready`: 503 with what is waited for; degraded, but ready, without bus, cache or a live feed.

        A bus that cannot write is waited for too: what is answered from is not brought up to date then.
        """
        waiting = [*self.waiting_for(), *self._unwritable()]
        if waiting:
            return refusal(
                ask.path, NotReadyError(f"Waiting for {', '.join(waiting)}", waiting_for=waiting), ask.now_ns
            )
        document = {"status": "ready", "degraded": self._degraded(ask.now_ns), "timestamp": SentAt()}
        return Reply(200, answers.encode(document, ask.now_ns))

    def detailed(self, ask: Ask) -> Reply:
        """`GET /health/detailed`: every part, and whether it is well."""
        vitals, waiting = self._vitals, [*self.waiting_for(), *self._unwritable()]
        document = {
            "status": "waiting" if waiting else "degraded" if self._degraded(ask.now_ns) else "ok",
            "waiting_for": waiting,
            "uptime": Age(vitals.started_ns),
            "bus": {"connected": vitals.connected(), "write_problem": vitals.write_problem()},
            "cache": self._cache(),
            "exchanges": self._exchanges(ask.now_ns),
            "stream": {"clients": vitals.clients()},
            "timestamp": SentAt(),
        }
        return Reply(200, answers.encode(document, ask.now_ns))

    def cache(self, ask: Ask) -> Reply:
        """`GET /health/cache`: the mirrors and the kept answers."""
        document = {"status": "ok" if self._vitals.connected() else "stale", **self._cache(), "timestamp": SentAt()}
        return Reply(200, answers.encode(document, ask.now_ns))

    def exchanges(self, ask: Ask) -> Reply:
        """`GET /health/exchanges`: each venue in short."""
        venues = self._exchanges(ask.now_ns)
        well = bool(venues) and all(venue["connected"] and venue["state"] == LIVE for venue in venues.values())
        document = {"status": "ok" if well else "degraded", "exchanges": venues, "timestamp": SentAt()}
        return Reply(200, answers.encode(document, ask.now_ns))

    def _degraded(self, now_ns: int) -> list[str]:
        """What is not as it should be: the bus, the cache, and each feed that is not live, with its state."""
        bus = [] if self._vitals.connected() else ["bus"]
        return bus + list_degraded(Reader(self._vitals.state, now_ns))

    def _unwritable(self) -> list[str]:
        problem = self._vitals.write_problem()
        return [] if problem is None else [f"bus that can write ({problem})"]

    def _cache(self) -> dict[str, Any]:
        answerer = self._vitals.answerer
        buckets = {name: _mirror(mirror) for name, mirror in self._vitals.mirrors.items()}
        return {
            "buckets": buckets,
            "fetched": self._vitals.fetched.describe(),
            "answers": {"entries": len(answerer), "hits": answerer.hits, "misses": answerer.misses},
        }

    def _exchanges(self, now_ns: int) -> dict[str, Any]:
        feeds = feeds_by_venue(Reader(self._vitals.state, now_ns))
        shown = ("connected", "state", "quality", "last_message_age", "sim")
        return {venue: {name: feed[name] for name in shown} for venue, feed in feeds.items()}


def _mirror(mirror: MirrorState) -> dict[str, Any]:
    changed = mirror.changed_ns
    return {"loaded": mirror.loaded, "keys": len(mirror), "last_change_age": None if changed is None else Age(changed)}
