"""Every attempt of the last 30 days: some of one endpoint in each document, the newest found first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.webhooks.store.events import DAY, KEPT_SECONDS, moment
from runtime.store import Collection, IndexSpec, Store

ATTEMPTS: Final = "webhook_attempts"
INDEXES: Final = (
    IndexSpec(ATTEMPTS, ("at",), ttl=KEPT_SECONDS),
    IndexSpec(ATTEMPTS, ("endpoint", "at_ns")),
)
_DIGITS: Final = 20
_LOOKS_NS: Final = tuple(seconds * 10**9 for seconds in (3600, DAY, KEPT_SECONDS))  # how far back, one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One post: its number from 1 on, what was answered (the first KB), or why nothing was."""

    event_id: str
    sequence: int
    event_type: str
    at_ns: int
    number: int
    status: int | None
    seconds: float
    answer: bytes
    error: str | None


class AttemptStore:
    """Attempts by endpoint and time."""

    def __init__(self, store: Store) -> None:
        self._attempts: Collection = store.collection(ATTEMPTS)

    async def add(self, endpoint: str, attempts: Sequence[Attempt], nonce: str) -> None:
        """Keep attempts, in order; `nonce` tells apart what two processes write in the same nanosecond."""
        at_ns = attempts[-1].at_ns
        document = {
            "_id": f"{endpoint}.{at_ns:0{_DIGITS}d}.{nonce}",
            "endpoint": endpoint,
            "at_ns": at_ns,
            "at": moment(at_ns),
            "rows": [{name: getattr(attempt, name) for name in Attempt.__slots__} for attempt in attempts],
        }
        await self._attempts.insert_one(document)

    async def delivered(self, endpoint: str, event_id: str, span: tuple[int, int]) -> Attempt | None:
        """Return the attempt that delivered an event within a span (ns UTC); None where there is none."""
        begin, end = span
        wanted = {"endpoint": endpoint, "at_ns": {"$gte": begin, "$lt": end}, "rows.event_id": event_id}
        async for document in self._attempts.find(wanted):
            for row in document["rows"]:
                if row["event_id"] == event_id and row["error"] is None:
                    return Attempt(**row)
        return None

    async def newest(self, endpoint: str, most: int, before_ns: int) -> list[Attempt]:
        """Return attempts of an endpoint before a time (ns UTC), the newest first, at most so many."""
        found: list[Attempt] = []
        end = before_ns
        for look in _LOOKS_NS:
            begin = before_ns - look
            wanted = {"endpoint": endpoint, "at_ns": {"$gte": begin, "$lt": end}}
            async for document in self._attempts.find(wanted).sort([("at_ns", -1)]).limit(most):
                found += [Attempt(**row) for row in reversed(document["rows"])]
            if len(found) >= most:
                break
            end = begin
        return found[:most]
