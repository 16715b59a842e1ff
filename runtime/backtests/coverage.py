"""What a backtest's span lacks: by the ledger of coverage, and by how far back the recorded trades go."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from contracts import streams
from contracts.instrument import escape_token
from contracts.services.coverage import HOUR_NS, KEPT_HOURS, KEY_HOUR, KEY_SEEN, KEY_VENUE
from runtime import clock
from runtime.backtests.job import Job
from runtime.coverage.spans import Span, cut, join
from runtime.coverage.view import Followed, LedgerView
from runtime.nats.bus import Bus
from runtime.nats.kv.compared import ComparedBucket
from runtime.nats.streams.api import call, parse_rfc3339

_AT_ONCE: Final = 32


async def find_unknown(bus: Bus, job: Job) -> list[Span] | None:
    """Return which parts of a job's span may lack trades (ns UTC); None where there is no ledger of its symbol."""
    about, span = Followed(job.exchange, job.symbol, "trade"), (job.begin_ns, job.end_ns)
    documents = await _read(ComparedBucket(bus, streams.COVERAGE), job.exchange, span)
    covered = LedgerView(documents.get).find(about, span, clock.now_ns())
    if covered.since is None:
        return None
    return join([*covered.unknown, *cut([(0, await _first_ns(bus, job.end_ns))], *span)])


async def _read(bucket: ComparedBucket, venue: str, span: Span) -> dict[str, bytes]:
    token = escape_token(venue)
    oldest = max(span[0], clock.now_ns() - KEPT_HOURS * HOUR_NS)
    hours = range(oldest // HOUR_NS, span[1] // HOUR_NS + 1)
    keys = [KEY_SEEN, KEY_VENUE + token, *(f"{KEY_HOUR}{token}.{hour}" for hour in hours)]
    found: dict[str, bytes] = {}
    for first in range(0, len(keys), _AT_ONCE):
        part = keys[first : first + _AT_ONCE]
        words = await asyncio.gather(*(bucket.find(key) for key in part))
        found |= {key: word.value for key, word in zip(part, words, strict=True) if word.value is not None}
    return found


async def _first_ns(bus: Bus, until: int) -> int:
    """Return when the oldest recorded trade or ticker was taken; `until` (ns UTC) where there is none."""
    state = cast("dict[str, Any]", (await call(bus, f"STREAM.INFO.{streams.MARKET}"))["state"])
    return parse_rfc3339(str(state["first_ts"])) if state["messages"] else until
