"""Use of the API: the batches in which requests are recorded, and `cmd.v1.analytics.<verb>` about them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.commands import Command, command
from contracts.market import Nanoseconds

QUEUE: Final = "analytics"
MOST_ROWS: Final = 500  # of one batch or one page of an export
Rate = Annotated[float, Field(ge=0, le=1, description="a share, from 0 to 1")]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0)]


class AnalyticsModel(BaseModel):
    """What every message here is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class RequestRow(AnalyticsModel):
    """One request that was answered."""

    ts: Nanoseconds = Field(description="when it arrived")
    endpoint: str = Field(max_length=200, description="the route's template: `/gpt/raw`")
    method: str = Field(max_length=16)
    status: int = Field(ge=100, le=599)
    ms: Milliseconds = Field(description="from its arrival to the end of its answer")
    key: str | None = Field(default=None, max_length=64, description="the key, in part")
    symbol: str | None = Field(default=None, max_length=64, description="as it was asked for, in capitals")
    error: str | None = Field(default=None, max_length=64, description="the code of the error")
    cached: bool | None = Field(default=None, description="whether it was answered from memory; null where it never is")


class RequestBatch(AnalyticsModel):
    """Requests of one API process, on `analytics.v1.requests`."""

    id: str = Field(description="unique: a batch that comes again is counted once")
    rows: list[RequestRow] = Field(max_length=MOST_ROWS)
    dropped: Count = Field(default=0, description="requests before these that could not be kept while the bus was away")


class StatsQuery(AnalyticsModel):
    """Over which time."""

    period_hours: Annotated[int, Field(ge=1, le=24 * 366, description="the hours up to now")] = 24


class RealtimeQuery(AnalyticsModel):
    """The last minute and the last five."""


class Percentiles(AnalyticsModel):
    """How long answers took, in milliseconds; each exact to 5 %."""

    p50: Milliseconds
    p90: Milliseconds
    p95: Milliseconds
    p99: Milliseconds
    max: Milliseconds


class EndpointStats(AnalyticsModel):
    """One method and route."""

    endpoint: str
    method: str
    requests: Count
    errors: Count = Field(description="answers of status 500 or more")
    refused: Count = Field(description="answers of status 400 to 499")
    ms: Percentiles | None


class Named(AnalyticsModel):
    """A symbol, key, status or code, and how many requests had it."""

    name: str
    requests: Count


class Figures(AnalyticsModel):
    """What was requested, and how it was answered; lists by number of requests, the most first."""

    requests: Count
    dropped: Count = Field(description="requests of this time that could not be recorded")
    success_rate: Rate | None = Field(description="answers of a status below 500; null without requests")
    cache_hit_rate: Rate | None = Field(description="of the requests that may be answered from memory; null without")
    ms: Percentiles | None
    endpoints: list[EndpointStats]
    symbols: list[Named]
    keys: list[Named]
    statuses: list[Named]
    errors: list[Named]


class Stretch(AnalyticsModel):
    """What was requested in one part of a span."""

    start_ts: Nanoseconds
    requests: Count
    errors: Count = Field(description="answers of status 500 or more")
    refused: Count = Field(description="answers of status 400 to 499")
    ms: Percentiles | None


class Stats(Figures):
    """The figures of a span of time."""

    from_ts: Nanoseconds
    to_ts: Nanoseconds
    stretch_seconds: Annotated[int, Field(ge=1, description="the length of each part of `timeline`")] = 300
    timeline: list[Stretch] = Field(
        default_factory=list[Stretch],
        description="the span in equal parts, oldest first; one without requests has none",
    )


class Realtime(AnalyticsModel):
    """Now."""

    minute: Figures
    five_minutes: Figures
    requests_per_second: float = Field(ge=0, description="over the last minute")
    active_keys: Count = Field(description="keys that were used in the last five minutes")
    slow: list[RequestRow] = Field(description="the slowest of the last five minutes, at most 20")


class ExportQuery(AnalyticsModel):
    """A page of the recorded requests, oldest first."""

    start_ts: Nanoseconds
    end_ts: Nanoseconds = Field(description="up to, but not with, this time")
    after: str | None = Field(default=None, max_length=128, description="`next` of the page before")


class ExportReply(AnalyticsModel):
    """A page."""

    rows: list[RequestRow] = Field(max_length=MOST_ROWS)
    next: str | None = Field(default=None, description="null with the last page")


Format = Literal["json", "csv"]


COMMANDS: Final[tuple[Command, ...]] = (
    command("analytics.stats", StatsQuery, Stats),
    command("analytics.realtime", RealtimeQuery, Realtime),
    command("analytics.export", ExportQuery, ExportReply),
)
