"""Restores an archive into servers that hold nothing, or whose contents may go."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from contracts import streams
from deploy.backup.archive import batches, read_chunks, read_documents
from deploy.backup.manifest import ArchiveError, SavedCollection, SavedStream
from deploy.backup.saving import MB, Say, list_durables, list_pages
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError, call
from runtime.nats.streams.config import BUCKET_PREFIX
from runtime.nats.streams.snapshots import CHUNK_BYTES, Snapshot, restore_stream
from runtime.store import Store, StoreError

_BATCH: Final = 500
_BATCH_BYTES: Final = 4 * MB
_DECLARED: Final = frozenset(
    {spec.name for spec in streams.STREAMS} | {BUCKET_PREFIX + spec.name for spec in streams.BUCKETS}
)


class NotEmptyError(RuntimeError):
    """The target holds something, or is in use; the message says what."""


async def empty_bus(bus: Bus, saved: Iterable[SavedStream], *, replace: bool) -> None:
    """Return when the bus has no stream of ours and none that is restored; they are deleted with `replace`.

    NotEmptyError where it has without, and while parts read from it: they would act on what is half restored.
    """
    ours = _DECLARED | {stream.name for stream in saved}
    names = [str(info["config"]["name"]) for info in await list_pages(bus, "STREAM.LIST", "streams")]
    there = [name for name in names if name in ours]
    busy = [name for name in there if await _is_read(bus, name)]
    if busy:
        raise NotEmptyError(f"the bus {bus.options.places()} is in use ({', '.join(busy)} read): stop all parts first")
    if there and not replace:
        raise NotEmptyError(f"the bus {bus.options.places()} has {len(there)} streams: empty it, or give --replace")
    for name in there:
        await call(bus, f"STREAM.DELETE.{name}")


async def _is_read(bus: Bus, stream: str) -> bool:
    found = await list_pages(bus, f"CONSUMER.LIST.{stream}", "consumers")
    return any(info.get("num_waiting") or info.get("push_bound") for info in found)


async def empty_store(store: Store, *, replace: bool) -> None:
    """Return when the store holds nothing; NotEmptyError where it does without `replace`."""
    there = await store.list_collections()
    if there and not replace:
        raise NotEmptyError(f"the document store has {len(there)} collections: empty it, or give --replace")
    if there:
        await store.drop_database()


async def restore_streams(
    bus: Bus, archive: Path, saved: Iterable[SavedStream], say: Say, *, replicas: int = 1
) -> None:
    """Make each stream with its durables; those that went on while it was saved go back to where they were before.

    `replicas`: at most so many copies of each. ArchiveError names the stream at fault.
    """
    for stream in saved:
        try:
            again = await _restore_stream(bus, archive, stream, replicas)
        except (ApiRefusalError, NoAnswerError, OSError) as error:
            raise ArchiveError(f"{stream.place}: {error}") from error
        back = f", {', '.join(again)} from where they were" if again else ""
        say(f"{stream.place}: {stream.state['messages']} messages{back}")


async def _restore_stream(bus: Bus, archive: Path, stream: SavedStream, replicas: int) -> list[str]:
    config = {**stream.config, "num_replicas": min(int(stream.config["num_replicas"]), replicas)}
    chunks = read_chunks(archive / stream.file.path, CHUNK_BYTES)
    answer = await restore_stream(bus, Snapshot(config, stream.state), chunks)
    _compare(stream, answer["state"])
    return await _take_back(bus, stream)


def _compare(stream: SavedStream, state: dict[str, Any]) -> None:
    """Compare what the server has now; messages may have come to the end of their life meanwhile, sequences stay."""
    wanted, found = int(stream.state["last_seq"]), int(state["last_seq"])
    if wanted != found or int(state["messages"]) > int(stream.state["messages"]):
        raise ArchiveError(f"{stream.place}: it ends at {found} now, it was saved with {wanted}")


async def _take_back(bus: Bus, stream: SavedStream) -> list[str]:
    """Reset durables that acknowledged something while the backup was made; the names.

    A work queue's is left: what it acknowledged is gone. So is one that began with what was new: the server allows no
    other place for it, and what it leads to is saved after its stream.
    """
    if stream.config.get("retention") == "workqueue":
        return []
    now = {durable.name: durable for durable in await list_durables(bus, stream.name)}
    again: list[str] = []
    for durable in stream.durables:
        here = now.get(durable.name)
        if here is None:
            continue  # deleted while the backup was made
        info = await call(bus, f"CONSUMER.INFO.{stream.name}.{durable.name}")
        if here.acked > durable.acked and info["config"]["deliver_policy"] == "all":
            body = json.dumps({"seq": durable.floor + 1}).encode()
            await call(bus, f"CONSUMER.RESET.{stream.name}.{durable.name}", body)
            again.append(durable.name)
    return again


async def restore_documents(store: Store, archive: Path, saved: Iterable[SavedCollection], say: Say) -> None:
    """Insert every document and make every index; ArchiveError names the collection at fault."""
    for collection in saved:
        try:
            await _restore_collection(store, archive, collection)
        except (StoreError, OSError) as error:
            raise ArchiveError(f"{collection.place}: {str(error).splitlines()[0]}") from error
        say(f"{collection.place}: {collection.documents} documents, {len(collection.indexes)} indexes")


async def _restore_collection(store: Store, archive: Path, collection: SavedCollection) -> None:
    for batch in batches(read_documents(archive / collection.file.path), _BATCH, _BATCH_BYTES):
        await store.insert_raw(collection.name, batch)
    found = await store.collection(collection.name).count_documents({})
    if found != collection.documents:
        raise ArchiveError(f"{collection.place}: {found} documents are there, {collection.documents} were saved")
    for index in collection.indexes:
        await store.add_index(collection.name, dict(index))
