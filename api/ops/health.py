"""Health of this process, and of the market core as it says itself: alive, ready, what is cached, each feed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from api.http.access.keys import OPEN
from api.http.errors import documented
from api.http.routing import requires
from api.market import formats
from api.market.client import WAITING_FOR, MarketClient, encode_query
from contracts.errors import NotReadyError
from contracts.services.market import HealthQuery, StatusQuery
from contracts.services.market_replies import BucketStatus, FetchedStatus, HealthReply, KeptStatus, StatusReply

_LIVE: Final = "live"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]
    timestamp: datetime


class Ready(BaseModel):
    """It can answer; `degraded` names what is not as it should be."""

    status: Literal["ready"]
    degraded: list[str]
    timestamp: datetime


class CacheParts(BaseModel):
    """The core's mirrors and what it fetched, and the kept answers of this process."""

    buckets: dict[str, BucketStatus]
    fetched: FetchedStatus | None
    answers: KeptStatus


class CacheHealth(CacheParts):
    """What is cached."""

    status: Literal["ok", "stale"]
    timestamp: datetime


class FeedSummary(BaseModel):
    """One exchange's feed in short."""

    connected: bool
    state: str | None
    quality: str
    last_message_age: float | None = Field(description="seconds")
    sim: bool


class ExchangesHealth(BaseModel):
    """Each exchange in short."""

    status: Literal["ok", "degraded"]
    exchanges: dict[str, FeedSummary]
    timestamp: datetime


class BusHealth(BaseModel):
    """The bus as this process sees it."""

    connected: bool
    write_problem: str | None


class StreamHealth(BaseModel):
    """The streams of this process."""

    clients: int


class DetailedHealth(BaseModel):
    """Every part, and whether it is well."""

    status: Literal["waiting", "degraded", "ok"]
    waiting_for: list[str]
    uptime: float = Field(description="seconds")
    bus: BusHealth
    cache: CacheParts
    exchanges: dict[str, FeedSummary]
    stream: StreamHealth
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class CoreState:
    """What the core says of itself: `status` None where it is not known, `away` where it did not answer."""

    status: StatusReply | None
    away: bool


@dataclass(frozen=True, slots=True)
class Health:
    """What health is read from; `started_ns` is ns UTC, `clients` counts the stream's."""

    started_ns: int
    connected: Callable[[], bool]
    market: MarketClient
    clients: Callable[[], int]
    write_problem: Callable[[], str | None]  # why the bus does not keep what is written

    async def find_core(self, now_ns: int) -> CoreState:
        """Return what the core says of itself."""
        try:
            answer = await self.market.request("status", encode_query(StatusQuery()))
        except NotReadyError:
            return CoreState(None, away=True)
        body = formats.render(answer, formats.bare, now_ns)
        return CoreState(StatusReply.model_validate_json(body), away=answer.stale)

    async def find_exchanges(self, now_ns: int) -> dict[str, FeedSummary]:
        """Return each feed in short; none where nothing is known of any."""
        try:
            answer = await self.market.request("health", encode_query(HealthQuery()))
        except NotReadyError:
            return {}
        feeds = HealthReply.model_validate_json(formats.render(answer, formats.bare, now_ns)).root
        return {venue: FeedSummary.model_validate(feed, from_attributes=True) for venue, feed in feeds.items()}

    def list_waiting(self, core: CoreState) -> list[str]:
        """Return what has to be there before anything can be answered truly."""
        problem = self.write_problem()
        first = [] if self.market.answered else [WAITING_FOR]
        waiting = first if core.status is None else core.status.waiting_for
        unwritable = [] if problem is None else [f"bus that can write ({problem})"]
        bus = ["bus"] if waiting and not self.connected() else []
        return bus + waiting + unwritable

    def list_degraded(self, core: CoreState) -> list[str]:
        """Return what is not as it should be: bus, core, cache, each feed that is not live, with its state."""
        if not self.connected():
            return ["bus"]
        if core.away or core.status is None:
            return [WAITING_FOR]
        return core.status.degraded

    def describe_cache(self, core: CoreState) -> CacheParts:
        """Return what is cached there and here."""
        market, status = self.market, core.status
        kept = KeptStatus(entries=len(market), hits=market.hits, misses=market.misses)
        if status is None:
            return CacheParts(buckets={}, fetched=None, answers=kept)
        return CacheParts(buckets=status.buckets, fetched=status.fetched, answers=kept)


def _health(request: Request) -> Health:
    health: Health = request.app.state.health
    return health


def _now(request: Request) -> int:
    now_ns: int = request.scope["hydrophone.now_ns"]
    return now_ns


Source = Annotated[Health, Depends(_health)]
Now = Annotated[int, Depends(_now)]
router: Final = APIRouter(
    prefix="/health", tags=["service"], dependencies=[requires(OPEN)], responses=documented(403, 500)
)


@router.get("", operation_id="getHealth")
async def alive(now_ns: Now) -> Alive:
    """Whether the process answers."""
    return Alive(status="ok", timestamp=_time(now_ns))


@router.get("/ready", operation_id="getReadiness", responses=documented(503))
async def ready(health: Source, now_ns: Now) -> Ready:
    """Whether it can answer.

    503 with what is waited for; ready, but degraded, without bus, core or a live feed. A bus that cannot write is
    waited for too: what is answered from is not brought up to date then.
    """
    core = await health.find_core(now_ns)
    waiting = health.list_waiting(core)
    if waiting:
        raise NotReadyError(f"Waiting for {', '.join(waiting)}", waiting_for=waiting)
    return Ready(status="ready", degraded=health.list_degraded(core), timestamp=_time(now_ns))


@router.get("/detailed", operation_id="getHealthDetails")
async def detailed(health: Source, now_ns: Now) -> DetailedHealth:
    """Every part of it."""
    core = await health.find_core(now_ns)
    waiting = health.list_waiting(core)
    return DetailedHealth(
        status="waiting" if waiting else "degraded" if health.list_degraded(core) else "ok",
        waiting_for=waiting,
        uptime=round((now_ns - health.started_ns) / 1e9, 3),
        bus=BusHealth(connected=health.connected(), write_problem=health.write_problem()),
        cache=health.describe_cache(core),
        exchanges=await health.find_exchanges(now_ns),
        stream=StreamHealth(clients=health.clients()),
        timestamp=_time(now_ns),
    )


@router.get("/cache", operation_id="getCacheHealth")
async def cache(health: Source, now_ns: Now) -> CacheHealth:
    """The cached state."""
    core = await health.find_core(now_ns)
    parts = health.describe_cache(core)
    return CacheHealth(status="stale" if core.away else "ok", timestamp=_time(now_ns), **dict(parts))


@router.get("/exchanges", operation_id="getExchangeHealth")
async def exchanges(health: Source, now_ns: Now) -> ExchangesHealth:
    """Each exchange in short."""
    venues = await health.find_exchanges(now_ns)
    well = bool(venues) and all(feed.connected and feed.state == _LIVE for feed in venues.values())
    return ExchangesHealth(status="ok" if well else "degraded", exchanges=venues, timestamp=_time(now_ns))


def _time(now_ns: int) -> datetime:
    return datetime.fromtimestamp(now_ns / 1e9, UTC)
