"""Every attempt of the last 30 days: some of one endpoint in each document, the newest found first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from consumers.webhooks.store.events import KEPT_SECONDS, moment
from runtime.store import Collection, IndexSpec, Store

ATTEMPTS: Final = "webhook_attempts"
INDEXES: Final = (IndexSpec(ATTEMPTS, ("at",), ttl=KEPT_SECONDS),)
_DIGITS: Final = 20


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
            "at": moment(at_ns),
            "rows": [asdict(attempt) for attempt in attempts],
        }
        await self._attempts.insert_one(document)

    async def newest(self, endpoint: str, most: int, before_ns: int | None = None) -> list[Attempt]:
        """Return attempts of an endpoint, the newest first; of those before a time (ns UTC) where one is given."""
        end = "~" if before_ns is None else f"{before_ns:0{_DIGITS}d}"
        wanted = {"_id": {"$gte": f"{endpoint}.", "$lt": f"{endpoint}.{end}"}}
        found: list[Attempt] = []
        async for document in self._attempts.find(wanted).sort([("_id", -1)]).limit(most):
            found += [Attempt(**row) for row in reversed(document["rows"])]
            if len(found) >= most:
                break
        return found[:most]
