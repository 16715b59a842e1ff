"""Analytics on the bus: batches of requests from their durable into documents, figures by command."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faststream.nats import NatsRouter

from consumers.analytics.core import describe, describe_stretch, slowest_rows, stretch_length, sum_of, tally_of
from consumers.analytics.store import RequestStore, indexes
from contracts.errors import InvalidParameterError
from contracts.services.analytics import (
    QUEUE,
    ExportQuery,
    ExportReply,
    Realtime,
    RealtimeQuery,
    RequestBatch,
    Stats,
    StatsQuery,
)
from contracts.streams import DURABLES, DurableSpec
from contracts.subjects import ANALYTICS_COMMAND
from runtime import clock
from runtime.app.commands import command
from runtime.app.documents import open_store
from runtime.app.service import Consumer, Service
from runtime.app.serving import serve
from runtime.app.settling import durable

DURABLE: Final[DurableSpec] = next(spec for spec in DURABLES if spec.name == "analytics")
HOUR_NS: Final = 3_600_000_000_000
MINUTE_NS: Final = 60_000_000_000
SECOND_NS: Final = 1_000_000_000
_SLOW: Final = 20


@dataclass(frozen=True, slots=True)
class AnalyticsPlan:
    """The document store's URL, and for how many days requests are kept."""

    documents: str
    retention_days: int = 30


def make_consumer(plan: AnalyticsPlan) -> Consumer:
    """Return the consumer that records until it is stopped, once its documents are there."""
    requests: list[RequestStore] = []
    router = make_router(lambda: requests[-1])

    async def run(service: Service) -> None:
        async with open_store(service, plan.documents, indexes(plan.retention_days)) as store:
            if store is not None:
                requests.append(RequestStore(store, secrets.token_hex(4)))
                await serve(router, service)

    return Consumer(run, router)


def make_router(requests: Callable[[], RequestStore]) -> NatsRouter:
    """Return the handlers; `requests()` is where the requests are kept."""
    router = NatsRouter()

    @router.subscriber(**durable(DURABLE))
    async def on_batch(batch: RequestBatch) -> None:
        """Save a batch once; what the store refuses for now is delivered again later."""
        await requests().save(batch)

    @router.subscriber(**command(ANALYTICS_COMMAND + "stats", QUEUE))
    async def on_stats(query: StatsQuery) -> Stats:
        """Reply with the figures of some hours."""
        now = clock.now_ns()
        begin = max(0, now - query.period_hours * HOUR_NS)
        length = stretch_length(now - begin)
        stretches = await requests().sum_up(begin, now, length)
        return Stats(
            **describe(sum_of(stretches.values())).model_dump(),
            from_ts=begin,
            to_ts=now,
            stretch_seconds=length // SECOND_NS,
            timeline=[describe_stretch(start, tally) for start, tally in stretches.items()],
        )

    @router.subscriber(**command(ANALYTICS_COMMAND + "realtime", QUEUE))
    async def on_realtime(_query: RealtimeQuery) -> Realtime:
        """Reply with the figures of the last minutes."""
        now = clock.now_ns()
        five = await requests().rows(now - 5 * MINUTE_NS, now + MINUTE_NS)
        minute = [row for row in five if row.ts >= now - MINUTE_NS]
        return Realtime(
            minute=describe(tally_of(minute)),
            five_minutes=describe(tally_of(five)),
            requests_per_second=round(len(minute) / 60, 3),
            active_keys=len({row.key for row in five if row.key is not None}),
            slow=slowest_rows(five, _SLOW),
        )

    @router.subscriber(**command(ANALYTICS_COMMAND + "export", QUEUE))
    async def on_export(query: ExportQuery) -> ExportReply:
        """Reply with a page of the recorded requests."""
        try:
            rows, next_ = await requests().page(query.start_ts, query.end_ts, query.after)
        except ValueError:
            raise InvalidParameterError("It is no `next` of an export", parameter="after") from None
        return ExportReply(rows=rows, next=next_)

    return router
