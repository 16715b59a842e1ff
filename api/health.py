"""Health of this process, and of the market core as it says itself: alive, ready, what is cached, each feed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from api.endpoints import Ask
from api.market import forms
from api.market.asker import WAITING_FOR, Asker, Found
from api.refusals import refusal
from api.replies import Reply
from contracts.errors import NotReadyError
from contracts.schema import literals
from contracts.schema.literals import Age, SentAt

_ALIVE: Final = literals.template({"status": "ok", "timestamp": SentAt()})
_NOTHING: Final = b"{}"
_LIVE: Final = "live"


class _Feed(msgspec.Struct, frozen=True):
    """What is shown of a feed in short; figures as they are written."""

    connected: bool
    state: str | None
    quality: str
    last_message_age: msgspec.Raw
    sim: bool


class _Status(msgspec.Struct, frozen=True):
    """What the core says of itself."""

    waiting_for: list[str]
    degraded: list[str]
    buckets: msgspec.Raw
    fetched: msgspec.Raw


_feeds: Final = msgspec.json.Decoder(dict[str, _Feed])
_status: Final = msgspec.json.Decoder(_Status)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What health is read from; `started_ns` is ns UTC, `clients` counts the stream's."""

    started_ns: int
    connected: Callable[[], bool]
    asker: Asker
    clients: Callable[[], int]
    write_problem: Callable[[], str | None]  # why the bus does not keep what is written


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found when the core was asked: `status` None where it is not known, `away` where it did not answer."""

    status: _Status | None
    away: bool


class Health:
    """The health routes."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def alive(self, ask: Ask) -> Reply:
        """`GET /health`: the process answers."""
        return Reply(200, _ALIVE.render(ask.now_ns))

    async def ready(self, ask: Ask) -> Reply:
        """`GET /health/ready`: 503 with what is waited for; degraded, but ready, without bus, core or a live feed.

        A bus that cannot write is waited for too: what is answered from is not brought up to date then.
        """
        looked = await self._look(ask.now_ns)
        waiting = self._waiting(looked)
        if waiting:
            return refusal(
                ask.path, NotReadyError(f"Waiting for {', '.join(waiting)}", waiting_for=waiting), ask.now_ns
            )
        document = {"status": "ready", "degraded": self._degraded(looked), "timestamp": SentAt()}
        return Reply(200, literals.encode(document, ask.now_ns))

    async def detailed(self, ask: Ask) -> Reply:
        """`GET /health/detailed`: every part, and whether it is well."""
        vitals, looked = self._vitals, await self._look(ask.now_ns)
        waiting = self._waiting(looked)
        document = {
            "status": "waiting" if waiting else "degraded" if self._degraded(looked) else "ok",
            "waiting_for": waiting,
            "uptime": Age(vitals.started_ns),
            "bus": {"connected": vitals.connected(), "write_problem": vitals.write_problem()},
            "cache": self._cache(looked),
            "exchanges": await self._exchanges(ask.now_ns),
            "stream": {"clients": vitals.clients()},
            "timestamp": SentAt(),
        }
        return Reply(200, literals.encode(document, ask.now_ns))

    async def cache(self, ask: Ask) -> Reply:
        """`GET /health/cache`: the core's mirrors, and the kept answers of this process."""
        looked = await self._look(ask.now_ns)
        document = {"status": "stale" if looked.away else "ok", **self._cache(looked), "timestamp": SentAt()}
        return Reply(200, literals.encode(document, ask.now_ns))

    async def exchanges(self, ask: Ask) -> Reply:
        """`GET /health/exchanges`: each venue in short."""
        venues = await self._exchanges(ask.now_ns)
        well = bool(venues) and all(feed.connected and feed.state == _LIVE for feed in venues.values())
        document = {"status": "ok" if well else "degraded", "exchanges": venues, "timestamp": SentAt()}
        return Reply(200, literals.encode(document, ask.now_ns))

    async def _look(self, now_ns: int) -> _Looked:
        found = await self._ask("status")
        if found is None:
            return _Looked(None, away=True)
        return _Looked(_status.decode(forms.render(found, forms.bare, now_ns)), away=found.stale)

    async def _exchanges(self, now_ns: int) -> dict[str, _Feed]:
        found = await self._ask("health")
        return {} if found is None else _feeds.decode(forms.render(found, forms.bare, now_ns))

    async def _ask(self, verb: str) -> Found | None:
        try:
            return await self._vitals.asker.ask(verb, _NOTHING)
        except NotReadyError:
            return None

    def _waiting(self, looked: _Looked) -> list[str]:
        problem = self._vitals.write_problem()
        core = [] if self._vitals.asker.answered else [WAITING_FOR]
        waiting = core if looked.status is None else looked.status.waiting_for
        unwritable = [] if problem is None else [f"bus that can write ({problem})"]
        bus = ["bus"] if waiting and not self._vitals.connected() else []
        return bus + waiting + unwritable

    def _degraded(self, looked: _Looked) -> list[str]:
        """What is not as it should be: the bus, the core, the cache, and each feed that is not live, with its state."""
        if not self._vitals.connected():
            return ["bus"]
        if looked.away or looked.status is None:
            return [WAITING_FOR]
        return looked.status.degraded

    def _cache(self, looked: _Looked) -> dict[str, Any]:
        asker, status = self._vitals.asker, looked.status
        return {
            "buckets": {} if status is None else status.buckets,
            "fetched": None if status is None else status.fetched,
            "answers": {"entries": len(asker), "hits": asker.hits, "misses": asker.misses},
        }
