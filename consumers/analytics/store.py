"""The recorded requests in documents: one for each process and five minutes, with its rows and their figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from consumers.analytics.core import Tally, tally_of
from contracts.services.analytics import MOST_ROWS, RequestBatch, RequestRow
from runtime.store import Document, IndexSpec, Store

COLLECTION: Final = "request_spans"
SPAN_NS: Final = 300_000_000_000
_LATE_NS: Final = 10_000_000_000  # a batch begins in one span and may end in the next
MOST_ROWS_OF_A_DOCUMENT: Final = 20_000
_DAY_SECONDS: Final = 86_400
_FIELDS: Final = tuple(RequestRow.model_fields)


def indexes(retention_days: int) -> tuple[IndexSpec, ...]:
    """Return the indexes: documents are dropped so many days after their span."""
    return (
        IndexSpec(COLLECTION, ("start",)),
        IndexSpec(COLLECTION, ("batches",)),
        IndexSpec(COLLECTION, ("at",), ttl=retention_days * _DAY_SECONDS),
    )


@dataclass(frozen=True, slots=True)
class _Open:
    """The document that is written now, and the figures of its rows."""

    name: str
    rows: int
    tally: Tally


class RequestStore:
    """Adds batches and reads spans. `writer` is unique among processes, so that each document has one writer."""

    def __init__(self, store: Store, writer: str) -> None:
        self._requests = store.collection(COLLECTION)
        self._writer = writer
        self._open: dict[int, _Open] = {}
        self._parts = 0

    async def save(self, batch: RequestBatch) -> bool:
        """Add a batch; returns False where it was added before."""
        if await self._requests.find_one({"batches": batch.id}, {"_id": 1}) is not None:
            return False
        start = (batch.rows[0].ts if batch.rows else 0) // SPAN_NS * SPAN_NS
        target = self._document(start)
        added = tally_of(batch.rows, batch.dropped)
        added.add(target.tally)
        del self._open[start]  # until it is written: what was half done is never written to again
        await self._requests.update_one(
            {"_id": target.name},
            {
                "$setOnInsert": {"start": start, "at": datetime.fromtimestamp((start + SPAN_NS) / 1e9, UTC)},
                "$push": {"batches": batch.id, "rows": {"$each": [_packed(row) for row in batch.rows]}},
                "$set": {"tally": added.encode()},
            },
            upsert=True,
        )
        self._open[start] = _Open(target.name, target.rows + len(batch.rows), added)
        return True

    async def sum_up(self, from_ts: int, to_ts: int, stretch_ns: int) -> dict[int, Tally]:
        """Return the figures of the spans that lie in that time or touch it, by the start of their stretch."""
        found: dict[int, Tally] = {}
        async for document in self._find(from_ts, to_ts, {"start": 1, "tally": 1}):
            start = document["start"] // stretch_ns * stretch_ns
            found.setdefault(start, Tally()).add(Tally.decode(document["tally"]))
        return dict(sorted(found.items()))

    async def rows(self, from_ts: int, to_ts: int) -> list[RequestRow]:
        """Return the requests of a short time."""
        found: list[RequestRow] = []
        async for document in self._find(from_ts, to_ts, {"rows": 1}):
            found += [row for row in map(_unpacked, document["rows"]) if from_ts <= row.ts < to_ts]
        return found

    async def page(self, from_ts: int, to_ts: int, after: str | None) -> tuple[list[RequestRow], str | None]:
        """Return requests, by the five minutes in which they came, and where the next page begins.

        Raises ValueError where `after` is no such place.
        """
        place, _, offset = (after or "@0").rpartition("@")
        names = sorted([(doc["start"], doc["_id"]) async for doc in self._find(from_ts, to_ts, {"start": 1})])
        first = 0 if not place else next((index for index, (_, name) in enumerate(names) if name == place), len(names))
        skip, found = int(offset), list[RequestRow]()
        for _, name in names[first:]:
            document = await self._requests.find_one({"_id": name}, {"rows": 1})
            rows: list[Any] = [] if document is None else document["rows"]
            for index in range(skip, len(rows)):
                if len(found) == MOST_ROWS:
                    return found, f"{name}@{index}"
                row = _unpacked(rows[index])
                if from_ts <= row.ts < to_ts:
                    found.append(row)
            skip = 0
        return found, None

    async def _find(self, from_ts: int, to_ts: int, fields: Document) -> AsyncIterator[Document]:
        wanted = {"start": {"$gte": (from_ts - _LATE_NS) // SPAN_NS * SPAN_NS, "$lt": to_ts}}
        async for document in self._requests.find(wanted, fields):
            yield document

    def _document(self, start: int) -> _Open:
        """Return the document for a span; the newest spans stay open, a full one is followed by another."""
        found = self._open.get(start)
        if found is None or found.rows >= MOST_ROWS_OF_A_DOCUMENT:
            self._parts += 1
            found = self._open[start] = _Open(f"{start}.{self._writer}.{self._parts}", 0, Tally())
            for old in sorted(self._open)[:-4]:
                del self._open[old]
        return found


def _packed(row: RequestRow) -> list[Any]:
    return [getattr(row, name) for name in _FIELDS]


def _unpacked(packed: list[Any]) -> RequestRow:
    return RequestRow.model_validate(dict(zip(_FIELDS, packed, strict=False)))
