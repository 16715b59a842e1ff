"""Records answered requests beside their way: a bounded list, published in batches until the stream has them.

Nothing is encoded, awaited or logged on a request's way. While the bus is away the newest requests wait; those for
which there is no room are counted, and the next batch says how many.
"""

from __future__ import annotations

import secrets
from collections import deque
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry, Counter

from api.http.answered import Answered
from contracts import streams, subjects
from contracts.services.analytics import MOST_ROWS, RequestBatch
from runtime import clock, retry
from runtime.nats.bus import Bus

FLUSH_SECONDS: Final = 2.0
MOST_WAITING: Final = 50_000
_LONGEST: Final = 64
_REMEMBERED: Final = 1024  # requests repeat themselves
_TRY: Final = retry.Policy(timeout=10.0)
_log = structlog.get_logger("analytics")


class RequestRecorder:
    """Keeps what was answered until the analytics stream has it."""

    def __init__(self, bus: Bus, registry: CollectorRegistry, most: int = MOST_WAITING) -> None:
        self._bus = bus
        self._waiting: deque[Answered] = deque()
        self._most = most
        self._dropped = 0
        self._pending: RequestBatch | None = None
        self._replica, self._batches = secrets.token_hex(6), 0
        self._lost = Counter("hydrophone_analytics_dropped", "Requests that were not recorded", registry=registry)

    def __len__(self) -> int:
        return len(self._waiting) + (0 if self._pending is None else len(self._pending.rows))

    def record(self, answered: Answered) -> None:
        """Keep one request; the oldest makes room where there is none."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self._dropped += 1
            self._lost.inc()
        self._waiting.append(answered)

    async def run(self) -> None:
        """Publish for ever, every two seconds."""
        while True:
            await clock.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Publish what waits; a batch that the stream does not take now is published later under the same id."""
        while self._pending is not None or self._waiting:
            batch = self._pending = self._pending or self._next()
            try:
                await self._bus.publish_acked(
                    subjects.ANALYTICS,
                    batch.model_dump_json().encode(),
                    headers={subjects.HEADER_MESSAGE_ID: batch.id},
                    stream=streams.ANALYTICS,
                    policy=_TRY,
                )
            except (NatsError, TimeoutError) as error:
                _log.warning("analytics.waiting", requests=len(self), error=str(error) or type(error).__name__)
                return
            self._pending = None

    def _next(self) -> RequestBatch:
        self._batches += 1
        rows = [row_of(self._waiting.popleft()) for _ in range(min(MOST_ROWS, len(self._waiting)))]
        dropped, self._dropped = self._dropped, 0
        about = {"id": f"{self._replica}.{self._batches}", "rows": rows, "dropped": dropped}
        return RequestBatch.model_validate(about)  # all rows at one go


def row_of(answered: Answered) -> dict[str, Any]:
    """Return the row that is published for a request (`RequestRow`)."""
    return {
        "ts": answered.ts,
        "endpoint": answered.endpoint,
        "method": answered.method[:16],
        "status": answered.status,
        "ms": round(answered.seconds * 1000, 3),
        "key": answered.key,
        "symbol": symbol_of(answered.endpoint, answered.path, answered.query),
        "error": answered.error,
        "cached": answered.cached,
    }


@lru_cache(maxsize=_REMEMBERED)
def symbol_of(endpoint: str, path: str, query: bytes) -> str | None:
    """Return the symbol that was requested: the parameter, or the part of the path; None for none."""
    marked = endpoint.find("{symbol}")
    if marked < 0:
        return _shortened(parse_qs(query.decode("latin-1")).get("symbol", [""])[0])
    return _shortened(path[marked:].partition("/")[0])


def _shortened(found: str) -> str | None:
    return found.upper()[:_LONGEST] or None
