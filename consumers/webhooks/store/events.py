"""The events of endpoints in pages, how far each endpoint's delivery is, and what is dead.

A page is one document with consecutive events of one endpoint. It is named by its first sequence, so that two writers
that would assign the same sequence cannot both write; and a thousand events cost a few documents. Every range that is
read is bounded on both sides: the embedded server fetches all that lies in it before it takes the first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, cast

from consumers.webhooks.delivery.progress import Progress, read_progress
from consumers.webhooks.store.rows import MOST_ROWS, Dead, Overview, Page, Row
from runtime.store import AlreadyThereError, Collection, Document, IndexSpec, Store, upsert

PAGES: Final = "webhook_events"
PROGRESS: Final = "webhook_progress"
DEAD: Final = "webhook_dead"
POSITIONS: Final = "webhook_positions"
DAY: Final = 24 * 3600
KEPT_SECONDS: Final = 30 * DAY
INDEXES: Final = (
    IndexSpec(PAGES, ("endpoint", "first"), unique=True),
    IndexSpec(PAGES, ("at",), ttl=KEPT_SECONDS),
    IndexSpec(DEAD, ("endpoint", "sequence")),
    IndexSpec(DEAD, ("at",), ttl=KEPT_SECONDS),
    IndexSpec(PROGRESS, ("notice",)),
)
_SECOND_NS: Final = 1_000_000_000
_DIGITS: Final = 15
_OVERVIEW: Final[Document] = {
    "next": 1,
    "wake": 1,
    "blocked_until": 1,
    "disabled": 1,
    "replay": 1,
    "again": 1,
    "resume": 1,
}
NOTHING: Final[Mapping[str, Any]] = {}


class StaleWriterError(RuntimeError):
    """Another process writes here now: begin again from what it wrote."""


def moment(ts_ns: int) -> datetime:
    """Return ns UTC as a time of documents, to the millisecond."""
    return datetime.fromtimestamp(ts_ns / _SECOND_NS, UTC)


def page_name(endpoint: str, sequence: int) -> str:
    """Return the name of the page that begins with a sequence."""
    return f"{endpoint}.{sequence:0{_DIGITS}d}"


class EventStore:
    """Every question names its endpoint; who may ask for one is decided before."""

    def __init__(self, store: Store) -> None:
        self._pages: Collection = store.collection(PAGES)
        self._progress: Collection = store.collection(PROGRESS)
        self._dead: Collection = store.collection(DEAD)
        self._positions: Collection = store.collection(POSITIONS)

    async def add_pages(self, pages: Iterable[Page]) -> None:
        """Keep pages, in order; StaleWriterError where another process has assigned the same sequences."""
        try:
            await self._pages.insert_many([_page_document(page) for page in pages])
        except Exception as error:
            if _is_duplicate(error):
                raise StaleWriterError("another process assigns sequences") from None
            raise

    async def read_pages(self, endpoint: str, sequence: int, most: int) -> list[Page]:
        """Return pages that begin at a sequence or soon after it, the oldest first."""
        wanted = {"endpoint": endpoint, "first": {"$gte": sequence, "$lt": sequence + 2 * MOST_ROWS}}
        found = self._pages.find(wanted).sort([("first", 1)]).limit(most)
        return [_read_page(document) async for document in found]

    async def find_page(self, endpoint: str, sequence: int) -> Page | None:
        """Return the page that holds a sequence; None where it is not kept any more, or not assigned yet."""
        wanted = {"endpoint": endpoint, "first": {"$gt": sequence - MOST_ROWS, "$lte": sequence}}
        async for document in self._pages.find(wanted).sort([("first", -1)]).limit(1):
            return _read_page(document) if document["last"] >= sequence else None
        return None

    async def rows_after(self, endpoint: str, sequence: int, most: int) -> list[Row]:
        """Return the events after a sequence, the oldest first, at most so many."""
        inside = await self.find_page(endpoint, sequence + 1)
        pages = [] if inside is None else [inside]
        if sum(len(page.rows) for page in pages) < most:
            start = sequence + 1 if inside is None else inside.rows[-1].sequence + 1
            pages += await self.read_pages(endpoint, start, most)
        return [row for page in pages for row in page.rows if row.sequence > sequence][:most]

    async def has_page(self, endpoint: str, sequence: int) -> bool:
        """Return whether there is a page that begins with a sequence."""
        return await self._pages.find_one({"_id": page_name(endpoint, sequence)}, {"_id": 1}) is not None

    async def last_sequence(self, endpoint: str) -> int:
        """Return the last sequence that was assigned, 0 for none."""
        kept = await self._progress.find_one({"_id": endpoint}, {"next": 1, "page": 1}) or {}
        wanted = {"endpoint": endpoint, "first": {"$gte": int(kept.get("page", 1))}}
        async for document in self._pages.find(wanted, {"last": 1}).sort([("first", -1)]).limit(1):
            return int(document["last"])
        return int(kept.get("next", 1)) - 1

    async def ids_after(self, endpoint: str, sequence: int) -> set[str]:
        """Return the ids of an endpoint's events after a sequence."""
        wanted = {"endpoint": endpoint, "first": {"$gt": sequence - MOST_ROWS}}
        return {row["event_id"] async for document in self._pages.find(wanted) for row in document["rows"]}

    async def first_since(self, endpoint: str, since_ns: int) -> int | None:
        """Return the first sequence that was assigned at a time or later; None where there is none."""
        wanted = {"endpoint": endpoint, "at": {"$gte": moment(since_ns)}}
        async for document in self._pages.find(wanted).sort([("first", 1)]):
            for row in document["rows"]:
                if row["created_ns"] >= since_ns:
                    return int(row["sequence"])
        return None

    async def ids_since(self, since_ns: int) -> AsyncIterator[str]:
        """Give the ids of the events of every page that was written at a time or later."""
        async for document in self._pages.find({"at": {"$gte": moment(since_ns)}}):
            for row in document["rows"]:
                yield row["event_id"]

    async def find_rows(self, ids: AbstractSet[str], span: tuple[int, int]) -> list[tuple[str, Row]]:
        """Return events by their ids, each with its endpoint, of the pages that were written in a span (ns UTC)."""
        begin, end = (moment(at) for at in span)
        wanted = {"at": {"$gte": begin, "$lt": end}, "rows.event_id": {"$in": list(ids)}}
        pages = [_read_page(document) async for document in self._pages.find(wanted)]
        return [(page.endpoint, row) for page in pages for row in page.rows if row.event_id in ids]

    async def load_progress(self, endpoint: str) -> tuple[Progress, Document]:
        """Return an endpoint's progress, and what was asked for meanwhile (`replay`, `again`, `resume`)."""
        document = await self._progress.find_one({"_id": endpoint}) or {}
        return read_progress(endpoint, document), {
            name: document[name] for name in ("replay", "again", "resume") if document.get(name)
        }

    async def save_progress(
        self, progress: Progress, document: Document, answered: Mapping[str, Any] = NOTHING
    ) -> None:
        """Keep an endpoint's progress as `document`; StaleWriterError where another process has written since.

        `answered`: what was asked for and has been done; what was asked for since stays.
        """
        update: Document = {"$set": {**document, "version": progress.version + 1}}
        wanted: Document = {"_id": progress.endpoint, "version": progress.version}
        pulled = answered.get("again")
        if pulled:
            update["$pullAll"] = {"again": pulled}
        gone = {name: "" for name in ("replay", "resume") if name in answered}
        if gone:
            update["$unset"] = gone
            wanted |= {name: answered[name] for name in gone}
        try:
            result = await self._progress.update_one(wanted, update, upsert=progress.version == 0)
        except AlreadyThereError:
            result = None
        if result is None or not (result.matched_count or result.upserted_id is not None):
            raise StaleWriterError(f"another process delivers for {progress.endpoint}")
        progress.version += 1
        if progress.notice == document.get("notice"):
            progress.notice = None

    async def ask(self, endpoint: str, *, again: Sequence[int] = (), replay: int | None = None) -> None:
        """Ask whoever delivers next to post events again: some, or every one from a sequence on."""
        update: Document = {"$setOnInsert": {"version": 0}}
        if again:
            update["$addToSet"] = {"again": {"$each": list(again)}}
        if replay is not None:
            update["$min"] = {"replay": replay}
        await self._progress.update_one({"_id": endpoint}, update, upsert=True)

    async def ask_resume(self, endpoint: str, at_ns: int) -> None:
        """Ask whoever delivers next to post again, whatever failed before."""
        await self._progress.update_one({"_id": endpoint, "version": {"$gt": 0}}, {"$set": {"resume": at_ns}})

    async def overviews(self) -> dict[str, Overview]:
        """Return what the reconciler looks at, by endpoint."""
        found = self._progress.find({}, _OVERVIEW)
        return {str(one["_id"]): _overview(one) async for one in found}

    async def notices(self) -> list[tuple[Progress, str]]:
        """Return the progress of endpoints whose owners are to be notified of a change, with the change."""
        found = self._progress.find({"notice": {"$gt": ""}})
        return [(read_progress(str(one["_id"]), one), str(one["notice"])) async for one in found]

    async def noticed(self, endpoint: str, notice: str) -> None:
        """Forget a notice that was given."""
        await self._progress.update_one({"_id": endpoint, "notice": notice}, {"$set": {"notice": None}})

    async def bury(self, letters: Sequence[Dead]) -> None:
        """Keep that events are dead."""
        for letter in letters:
            document = {**asdict(letter), "at": moment(letter.at_ns)}
            del document["event_id"]
            await self._dead.update_one({"_id": letter.event_id}, {"$set": document}, upsert=True)

    async def revive(self, endpoint: str, sequences: Sequence[int]) -> None:
        """Forget that events are dead."""
        await self._dead.delete_many({"endpoint": endpoint, "sequence": {"$in": list(sequences)}})

    async def dead_between(self, endpoint: str, first: int, last: int) -> dict[int, Dead]:
        """Return the dead among some sequences."""
        wanted = {"endpoint": endpoint, "sequence": {"$gte": first, "$lte": last}}
        found: dict[int, Dead] = {}
        async for document in self._dead.find(wanted):
            fields = {name: document[name] for name in Dead.__slots__ if name != "event_id"}
            found[document["sequence"]] = Dead(event_id=document["_id"], **cast("Any", fields))
        return found

    async def count_dead(self, endpoint: str | None = None) -> int:
        """Return how many are dead."""
        return await self._dead.count_documents({} if endpoint is None else {"endpoint": endpoint})

    async def load_positions(self) -> dict[str, tuple[int, int]]:
        """Return, by stream, the last sequence that was read and by when (ns UTC)."""
        found = self._positions.find({})
        return {str(one["_id"]): (int(one["sequence"]), int(one["read_by"])) async for one in found}

    async def save_positions(self, positions: Mapping[str, tuple[int, int]]) -> None:
        """Keep how far streams were read."""
        changes = [
            upsert({"_id": stream}, {"$set": {"sequence": sequence, "read_by": read_by}})
            for stream, (sequence, read_by) in positions.items()
        ]
        if changes:
            await self._positions.bulk_write(changes, ordered=False)


def _overview(document: Document) -> Overview:
    return Overview(
        next=int(document.get("next", 1)),
        wake=int(document.get("wake", -1)),
        blocked_until=int(document.get("blocked_until", 0)),
        disabled=int(document.get("disabled", 0)),
        open=len(document.get("open", ())),
        is_stopped=bool(document.get("disabled") or document.get("circuit", [0] * 5)[2]),
        notice=bool(document.get("notice")),
        asked=any(document.get(name) for name in ("replay", "again", "resume")),
    )


def _page_document(page: Page) -> Document:
    first, last = page.rows[0], page.rows[-1]
    return {
        "_id": page_name(page.endpoint, first.sequence),
        "endpoint": page.endpoint,
        "owner": page.owner,
        "first": first.sequence,
        "last": last.sequence,
        "at": moment(last.created_ns),
        "rows": [_row_document(row) for row in page.rows],
    }


def _row_document(row: Row) -> Document:
    document = {name: getattr(row, name) for name in Row.__slots__}
    if row.trace is None:
        del document["trace"]  # so that a version without traces reads it
    return document


def _read_page(document: Document) -> Page:
    return Page(document["endpoint"], document["owner"], [Row(**row) for row in document["rows"]])


def _is_duplicate(error: Exception) -> bool:
    details: Any = getattr(error, "details", None) or {}
    return any(one.get("code") == 11000 for one in details.get("writeErrors", ()))  # noqa: PLR2004
