"""Saves everything while it is in use, in the order in which what was read agrees with what was written from it.

First where readers stand (durables and buckets), then documents, then streams: what a document calls published is in
its stream, and what a reader calls read is in its documents. What happened in between is read and done again, under the
same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from contracts import streams
from deploy.backup.archive import Draft, writing_documents
from deploy.backup.manifest import SavedCollection, SavedDurable, SavedStream
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.streams.api import call, rfc3339
from runtime.nats.streams.config import BUCKET_PREFIX
from runtime.nats.streams.snapshots import save_stream
from runtime.store import Store

Say = Callable[[str], object]
MB: Final = 1_000_000
# Where a process stands in what it acts on: as late as the streams, for what is done is seen there.
_WITH_STREAMS: Final = (BUCKET_PREFIX + streams.LEASES,)
# Jobs after what they are made from, and what came of them last: what was done is not done again.
_LAST: Final = (streams.JOBS, streams.REMINDERS, streams.SCHEDULES, streams.TELEGRAM)
_FIRST: Final = (streams.LIQUIDATIONS, streams.SIGNALS, streams.OWN_ALERTS)


@dataclass(frozen=True, slots=True)
class SavedDocuments:
    """What was saved of the documents; `at` is RFC 3339."""

    collections: tuple[SavedCollection, ...]
    at: str


def plan_order(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the streams to save before the documents, and those to save after them, each in order."""
    buckets = sorted(name for name in names if name.startswith(BUCKET_PREFIX) and name not in _WITH_STREAMS)
    rest = sorted(set(names) - set(buckets), key=_rank)
    return buckets, rest


def _rank(name: str) -> tuple[int, str]:
    if name in _FIRST:
        return _FIRST.index(name), name
    return len(_FIRST) + (_LAST.index(name) + 1 if name in _LAST else 0), name


async def list_pages(bus: Bus, request: str, field: str) -> list[dict[str, Any]]:
    """Every page of one of the bus's lists: `STREAM.LIST` with `streams`, `CONSUMER.LIST.<stream>` with `consumers`."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await call(bus, request, b'{"offset":%d}' % len(found))
        page = cast("list[dict[str, Any]]", answer.get(field) or [])
        found += page
        if not page or len(found) >= int(answer["total"]):
            return found


def durable_position(info: dict[str, Any]) -> SavedDurable:
    """Where a durable stands, of the server's account of it."""
    delivered = int(info["delivered"]["consumer_seq"])
    return SavedDurable(
        name=str(info["name"]),
        floor=int(info["ack_floor"]["stream_seq"]),
        acked=delivered - int(info["num_ack_pending"]),
    )


async def list_durables(bus: Bus, stream: str) -> tuple[SavedDurable, ...]:
    """Where each durable of a stream stands now."""
    found = await list_pages(bus, f"CONSUMER.LIST.{stream}", "consumers")
    return tuple(durable_position(info) for info in found if info["config"].get("durable_name"))


class Saving:
    """The bus's side of a backup: `before` the documents and `after` them. `left_out` is the reason by stream."""

    def __init__(self, bus: Bus, draft: Draft, say: Say, without: Sequence[str] = ()) -> None:
        self._bus, self._draft, self._say = bus, draft, say
        self._without = frozenset(without)
        self._durables: dict[str, tuple[SavedDurable, ...]] = {}
        self._after: list[str] = []
        self._saved: list[SavedStream] = []
        self.left_out: dict[str, str] = {}

    async def before(self) -> None:
        """Note where every durable stands and save the buckets."""
        found = [str(info["config"]["name"]) for info in await list_pages(self._bus, "STREAM.LIST", "streams")]
        self.left_out = {name: "asked for" for name in found if name in self._without}
        if unknown := self._without - set(found):
            raise ValueError(f"--without {', '.join(sorted(unknown))}: no such stream")
        names = [name for name in found if name not in self.left_out]
        for name in names:
            self._durables[name] = await list_durables(self._bus, name)
        buckets, self._after = plan_order(names)
        for name in buckets:
            await self._save(name)

    async def after(self) -> tuple[SavedStream, ...]:
        """Save the streams and return all that was saved, in order."""
        for name in self._after:
            await self._save(name)
        return tuple(self._saved)

    async def _save(self, name: str) -> None:
        path = f"bus/{name}.snapshot"
        taken_at = rfc3339(clock.now_ns())
        with self._draft.writing(path) as file:
            snapshot = await save_stream(self._bus, name, file.write)
        saved = SavedStream(
            name=name,
            file=self._draft.written(path),
            taken_at=taken_at,
            config=dict(snapshot.config),
            state=dict(snapshot.state),
            durables=self._durables[name],
        )
        self._saved.append(saved)
        size = saved.file.bytes / MB
        self._say(f"{saved.place}: {snapshot.state['messages']} messages, {size:.1f} MB, as of {taken_at}")


async def save_documents(store: Store, draft: Draft, say: Say) -> SavedDocuments:
    """Save every collection, all as of one moment where the server has transactions."""
    indexes = await store.find_indexes()
    saved: list[SavedCollection] = []
    at = rfc3339(clock.now_ns())
    async with store.moment() as read:
        for name in indexes:
            path, count = f"documents/{name}.bson.gz", 0
            with writing_documents(draft, path) as add:
                async for document in read(name):
                    add(document)
                    count += 1
            file = draft.written(path)
            saved.append(SavedCollection(name=name, file=file, documents=count, indexes=tuple(indexes[name])))
            say(f"collection {name}: {count} documents, {file.bytes / MB:.1f} MB, as of {at}")
    return SavedDocuments(tuple(saved), at)
