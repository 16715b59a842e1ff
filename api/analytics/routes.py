"""`/admin/analytics/*`: the figures of the analytics consumer, and the recorded requests as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api.http.access.keys import ADMIN
from api.http.envelope import Success, utc
from api.http.errors import documented
from api.http.routing import requires
from api.http.validation import check_query
from contracts.errors import DisabledError, InvalidParameterError
from contracts.services.analytics import (
    ExportQuery,
    ExportReply,
    Figures,
    Format,
    Percentiles,
    Realtime,
    RealtimeQuery,
    RequestRow,
    Stats,
    StatsQuery,
)
from runtime.clients.command_client import CommandClient
from runtime.clients.ttl_cache import TtlCache

_FAILURES: Final = documented(400, 401, 403, 429, 500, 503)
_TYPES: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
_SECOND_NS: Final = 1_000_000_000
_FIRST_YEAR, _LAST_YEAR = 1971, 2261
router: Final = APIRouter(
    prefix="/admin/analytics",
    tags=["admin"],
    dependencies=[requires(ADMIN), Depends(check_query)],
    responses=_FAILURES,
)


@dataclass(frozen=True, slots=True)
class AnalyticsSources:
    """Where the figures come from, and are kept; None in place of a client where analytics is switched off."""

    commands: CommandClient | None
    format: Format = "json"
    kept: TtlCache = field(default_factory=TtlCache)

    def client(self) -> CommandClient:
        """Return the client; raises DisabledError."""
        if self.commands is None:
            raise DisabledError("Analytics is switched off", setting="GPT_API_ANALYTICS_ENABLED")
        return self.commands


def _sources(request: Request) -> AnalyticsSources:
    return request.app.state.analytics


Sources = Annotated[AnalyticsSources, Depends(_sources)]


class StretchOut(BaseModel):
    """What was requested in one part of a span."""

    start: datetime
    requests: int
    errors: int = Field(description="answers of status 500 or more")
    refused: int = Field(description="answers of status 400 to 499")
    ms: Percentiles | None


class StatsAnswer(Figures):
    """The figures of a span of time."""

    start: datetime
    end: datetime
    stretch_seconds: int = Field(description="the length of each part of `timeline`")
    timeline: list[StretchOut] = Field(
        description="the span in equal parts, oldest first; one without requests has none"
    )


class RequestOut(BaseModel):
    """One request."""

    timestamp: datetime
    endpoint: str
    method: str
    status: int
    ms: float
    key: str | None
    symbol: str | None
    error: str | None
    cached: bool | None

    @classmethod
    def of(cls, row: RequestRow) -> RequestOut:
        """Return a recorded request as it is answered."""
        return cls(timestamp=utc(row.ts), **row.model_dump(exclude={"ts"}))


class RealtimeAnswer(BaseModel):
    """Figures of the last minutes."""

    minute: Figures
    five_minutes: Figures
    requests_per_second: float = Field(description="over the last minute")
    active_keys: int = Field(description="keys that were used in the last five minutes")
    slow: list[RequestOut] = Field(description="the slowest of the last five minutes")


class PeriodQuery(BaseModel):
    """Over which time."""

    model_config = ConfigDict(extra="forbid")
    period_hours: int = Field(24, ge=1, le=24 * 366, description="the hours up to now")


class SpanQuery(BaseModel):
    """Which requests, and in which form."""

    model_config = ConfigDict(extra="forbid")
    start_date: datetime = Field(description="from this time or day (UTC) on")
    end_date: datetime = Field(description="up to this time; a day alone is meant whole")
    format: Format | None = Field(None, description="the setting GPT_API_ANALYTICS_EXPORT_FORMAT where it is left out")


@router.get("/stats", operation_id="getAnalyticsStats", response_model=Success[StatsAnswer])
async def stats(query: Annotated[PeriodQuery, Query()], sources: Sources) -> Success[StatsAnswer]:
    """Figures of the requests of the last hours: routes, symbols, keys, durations, errors, cache hits.

    They are kept for a minute.
    """
    asked = StatsQuery(period_hours=query.period_hours)
    client = sources.client()
    found = await sources.kept.get(
        f"analytics.stats.{query.period_hours}", lambda: client.request("analytics.stats", asked, Stats)
    )
    figures = found.model_dump(exclude={"from_ts", "to_ts", "timeline"})
    parts = [StretchOut(start=utc(part.start_ts), **part.model_dump(exclude={"start_ts"})) for part in found.timeline]
    return Success(data=StatsAnswer(**figures, start=utc(found.from_ts), end=utc(found.to_ts), timeline=parts))


@router.get("/realtime", operation_id="getAnalyticsRealtime", response_model=Success[RealtimeAnswer])
async def realtime(sources: Sources) -> Success[RealtimeAnswer]:
    """Figures of the last minute and the last five, and the slowest requests of these."""
    found = await sources.client().request("analytics.realtime", RealtimeQuery(), Realtime)
    return Success(
        data=RealtimeAnswer(
            minute=found.minute,
            five_minutes=found.five_minutes,
            requests_per_second=found.requests_per_second,
            active_keys=found.active_keys,
            slow=[RequestOut.of(row) for row in found.slow],
        )
    )


@router.get("/export", operation_id="exportAnalytics", response_class=StreamingResponse)
async def export(query: Annotated[SpanQuery, Query()], sources: Sources) -> StreamingResponse:
    """The recorded requests, oldest first, as one JSON array or as CSV with a header line; sent while it is read."""
    client = sources.client()
    span = _span(query)
    chosen = query.format or sources.format
    first = await client.request("analytics.export", span, ExportReply)
    pages = _pages(client, span, first)
    lines = _as_csv(pages) if chosen == "csv" else _as_json(pages)
    name = f"requests-{query.start_date:%Y%m%d}-{query.end_date:%Y%m%d}.{chosen}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=_TYPES[chosen], headers=headers)


def _span(query: SpanQuery) -> ExportQuery:
    """Return the span in nanoseconds; raises InvalidParameterError where it ends before it begins."""
    start, end = _aware(query.start_date, "start_date"), _aware(query.end_date, "end_date")
    if end == datetime(end.year, end.month, end.day, tzinfo=UTC):
        end += timedelta(days=1)
    if end <= start:
        raise InvalidParameterError("The export ends before it begins", parameter="end_date")
    return ExportQuery(start_ts=int(start.timestamp()) * _SECOND_NS, end_ts=int(end.timestamp()) * _SECOND_NS)


def _aware(at: datetime, parameter: str) -> datetime:
    """Return a time in UTC; raises InvalidParameterError for one that no nanoseconds can say."""
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise InvalidParameterError(f"It is not in {_FIRST_YEAR} to {_LAST_YEAR}", parameter=parameter)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


async def _pages(client: CommandClient, span: ExportQuery, first: ExportReply) -> AsyncIterator[list[RequestRow]]:
    page = first
    while True:
        yield page.rows
        if page.next is None:
            return
        page = await client.request("analytics.export", span.model_copy(update={"after": page.next}), ExportReply)


async def _as_json(pages: AsyncIterator[list[RequestRow]]) -> AsyncIterator[str]:
    before = "["
    async for rows in pages:
        for row in rows:
            yield before + RequestOut.of(row).model_dump_json()
            before = ",\n"
    yield "[]" if before == "[" else "]"


async def _as_csv(pages: AsyncIterator[list[RequestRow]]) -> AsyncIterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(RequestOut.model_fields)
    async for rows in pages:
        for row in rows:
            values = RequestOut.of(row).model_dump(mode="json")
            writer.writerow(map(_cell, values.values()))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _cell(value: Any) -> Any:
    """Return a value for a spreadsheet, which would run a text that begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value
