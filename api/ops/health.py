"""Health of this process, and of the market core by its own word: alive, ready, what is cached, each feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from api.http.access.keys import OPEN
from api.http.errors import documented
from api.http.routing import requires
from api.market import formats
from contracts.errors import NotReadyError
from contracts.services.market import HealthQuery, StatusQuery
from contracts.services.replies.market import (
    BucketStatus,
    ClassStatus,
    FetchedStatus,
    HealthReply,
    KeptStatus,
    StatusReply,
)
from runtime.clients.market_client import WAITING_FOR, MarketClient, encode_query

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
    classes: dict[str, ClassStatus] = Field(description="what this process keeps, by class")


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
class HealthSources:
    """What health is read from; `started_ns` is ns UTC, `clients` counts the stream's."""

    started_ns: int
    connected: Callable[[], bool]
    market: MarketClient
    by_class: Callable[[], Mapping[str, ClassStatus]]  # what is kept here
    clients: Callable[[], int]
    write_problem: Callable[[], str | None]  # why the bus does not keep what is written


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The parts as they are at one request: `status` is what the core says, None where it is not known."""

    sources: HealthSources
    now_ns: int
    status: StatusReply | None
    away: bool

    @property
    def timestamp(self) -> datetime:
        """When the request came."""
        return datetime.fromtimestamp(self.now_ns / 1e9, UTC)

    @property
    def waiting(self) -> list[str]:
        """What has to be there before anything can be answered truly."""
        sources, problem = self.sources, self.sources.write_problem()
        first = [] if sources.market.answered else [WAITING_FOR]
        waiting = first if self.status is None else self.status.waiting_for
        unwritable = [] if problem is None else [f"bus that can write ({problem})"]
        return (["bus"] if waiting and not sources.connected() else []) + waiting + unwritable

    @property
    def degraded(self) -> list[str]:
        """What is not as it should be: bus, core, cache, each feed that is not live, with its state."""
        if not self.sources.connected():
            return ["bus"]
        return [WAITING_FOR] if self.away or self.status is None else self.status.degraded

    @property
    def cached(self) -> CacheParts:
        """What is cached there and here."""
        market, status = self.sources.market, self.status
        kept = KeptStatus(entries=len(market), hits=market.hits, misses=market.misses)
        classes = dict(self.sources.by_class())
        if status is None:
            return CacheParts(buckets={}, fetched=None, answers=kept, classes=classes)
        return CacheParts(buckets=status.buckets, fetched=status.fetched, answers=kept, classes=classes)

    async def find_exchanges(self) -> dict[str, FeedSummary]:
        """Return each feed in short; none where nothing is known of any."""
        try:
            answer = await self.sources.market.request("health", encode_query(HealthQuery()))
        except NotReadyError:
            return {}
        feeds = HealthReply.model_validate_json(formats.render(answer, formats.bare, self.now_ns)).root
        return {venue: FeedSummary.model_validate(feed, from_attributes=True) for venue, feed in feeds.items()}


async def check_parts(request: Request) -> HealthCheck:
    """Return the parts, with what the core says of itself."""
    sources: HealthSources = request.app.state.health
    now_ns: int = request.scope["hydrophone.now_ns"]
    try:
        answer = await sources.market.request("status", encode_query(StatusQuery()))
    except NotReadyError:
        return HealthCheck(sources, now_ns, None, away=True)
    status = StatusReply.model_validate_json(formats.render(answer, formats.bare, now_ns))
    return HealthCheck(sources, now_ns, status, away=answer.stale)


Check = Annotated[HealthCheck, Depends(check_parts)]
router: Final = APIRouter(
    prefix="/health", tags=["service"], dependencies=[requires(OPEN)], responses=documented(403, 500)
)


@router.get("", operation_id="getHealth")
async def alive(request: Request) -> Alive:
    """Whether the process answers."""
    return Alive(status="ok", timestamp=datetime.fromtimestamp(request.scope["hydrophone.now_ns"] / 1e9, UTC))


@router.get("/ready", operation_id="getReadiness", responses=documented(503))
async def ready(check: Check) -> Ready:
    """Whether it can answer.

    503 with what is waited for; ready, but degraded, without bus, core or a live feed. A bus that cannot write is
    waited for too: what is answered from is not brought up to date then.
    """
    waiting = check.waiting
    if waiting:
        raise NotReadyError(f"Waiting for {', '.join(waiting)}", waiting_for=waiting)
    return Ready(status="ready", degraded=check.degraded, timestamp=check.timestamp)


@router.get("/detailed", operation_id="getHealthDetails")
async def detailed(check: Check) -> DetailedHealth:
    """Every part of it."""
    sources, waiting = check.sources, check.waiting
    return DetailedHealth(
        status="waiting" if waiting else "degraded" if check.degraded else "ok",
        waiting_for=waiting,
        uptime=round((check.now_ns - sources.started_ns) / 1e9, 3),
        bus=BusHealth(connected=sources.connected(), write_problem=sources.write_problem()),
        cache=check.cached,
        exchanges=await check.find_exchanges(),
        stream=StreamHealth(clients=sources.clients()),
        timestamp=check.timestamp,
    )


@router.get("/cache", operation_id="getCacheHealth")
async def cache(check: Check) -> CacheHealth:
    """The cached state."""
    parts = dict(check.cached)
    return CacheHealth(status="stale" if check.away else "ok", timestamp=check.timestamp, **parts)


@router.get("/exchanges", operation_id="getExchangeHealth")
async def exchanges(check: Check) -> ExchangesHealth:
    """Each exchange in short."""
    venues = await check.find_exchanges()
    well = bool(venues) and all(feed.connected and feed.state == _LIVE for feed in venues.values())
    return ExchangesHealth(status="ok" if well else "degraded", exchanges=venues, timestamp=check.timestamp)
