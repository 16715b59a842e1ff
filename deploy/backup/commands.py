"""The commands: save and restore everything, export and import documents only."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from deploy.backup.archive import new_archive, open_archive
from deploy.backup.keys import decide_keys, find_keys, save_keys, write_keys
from deploy.backup.manifest import FORMAT, ArchiveError, Manifest, SavedStream
from deploy.backup.places import (
    BUS_FILES,
    DOCUMENT_FILES,
    NoServersError,
    Place,
    find_mode,
    find_place,
    find_running,
    has_files,
    open_bus,
    open_documents,
    replacing,
)
from deploy.backup.restoring import empty_bus, empty_store, restore_documents, restore_streams
from deploy.backup.saving import SavedDocuments, Saving, save_documents
from deploy.datadir import held, read_run
from runtime import clock
from runtime.config.settings import Settings
from runtime.nats.streams.api import rfc3339

Command = Callable[[argparse.Namespace, Settings, Path], Coroutine[None, None, None]]


async def save(given: argparse.Namespace, settings: Settings, data: Path) -> None:
    """Save streams, buckets and documents while they are in use."""
    async with _source(given, settings, data, (BUS_FILES, DOCUMENT_FILES)) as place:
        with new_archive(given.to.absolute()) as draft:
            async with open_bus(place, place.files) as bus, open_documents(place, place.files) as store:
                began = rfc3339(clock.now_ns())
                saving = Saving(bus, draft, print, given.without)
                await saving.before()
                documents = await save_documents(store, draft, print)
                streams = await saving.after()
                versions = {"bus": str(bus.client.connected_server_version), "documents": await store.version()}
            keys = save_keys(draft, find_keys(settings, data).values(), whole=given.with_keys)
            manifest = _describe(place, began, versions, documents, streams=streams)
            manifest = manifest.model_copy(update={"keys": keys, "left_out": saving.left_out})
            draft.finish(manifest)
    print(f"saved in {given.to}: {count_held(manifest)}")


async def export(given: argparse.Namespace, settings: Settings, data: Path) -> None:
    """Save documents only."""
    async with _source(given, settings, data, (DOCUMENT_FILES,)) as place:
        with new_archive(given.to.absolute()) as draft:
            async with open_documents(place, place.files) as store:
                began = rfc3339(clock.now_ns())
                documents = await save_documents(store, draft, print)
                versions = {"documents": await store.version()}
            manifest = _describe(place, began, versions, documents)
            draft.finish(manifest)
    print(f"exported to {given.to}: {count_held(manifest)}")


async def restore(given: argparse.Namespace, settings: Settings, data: Path) -> None:
    """Restore an archive of `save` into servers that hold nothing."""
    source = given.source.absolute()
    manifest = open_archive(source)
    if not manifest.has_bus:
        raise ArchiveError(f"{given.source}: it holds documents only: `import` takes those")
    writing = [] if given.other_keys else decide_keys(manifest.keys, find_keys(settings, data), replace=given.replace)
    place = find_place(settings, data, given.mode or manifest.mode)
    with replacing(place, data, place.own(), replace=given.replace) as files:
        async with open_bus(place, files) as bus, open_documents(place, files) as store:
            await empty_bus(bus, manifest.streams, replace=given.replace)  # refused before anything is deleted
            await empty_store(store, replace=given.replace)
            await restore_documents(store, source, manifest.collections, print)
            await restore_streams(bus, source, manifest.streams, print, replicas=place.replicas)
        write_keys(source, data, writing)
    print(f"restored from {given.source}: {count_held(manifest)}")


async def load(given: argparse.Namespace, settings: Settings, data: Path) -> None:
    """Restore the documents of an archive into a store that holds nothing."""
    source = given.source.absolute()
    manifest = open_archive(source)
    place = find_place(settings, data, given.mode or manifest.mode)
    own = tuple(part for part in place.own() if part == DOCUMENT_FILES)
    with replacing(place, data, own, replace=given.replace) as files:
        async with open_documents(place, files) as store:
            await empty_store(store, replace=given.replace)
            await restore_documents(store, source, manifest.collections, print)
    print(f"imported from {given.source}: {len(manifest.collections)} collections")


COMMANDS: Final[Mapping[str, Command]] = {"save": save, "restore": restore, "export": export, "import": load}


@contextlib.asynccontextmanager
async def _source(
    given: argparse.Namespace, settings: Settings, data: Path, parts: tuple[str, ...]
) -> AsyncGenerator[Place]:
    """Yield where to save from; no copy starts meanwhile on those `parts` of the files that are our own servers'."""
    run = read_run(data)
    if run is not None:
        try:
            running = find_running(settings, data, run)
        except (KeyError, TypeError) as error:
            raise NoServersError(f"{data / 'run.json'} is not of a copy: {type(error).__name__}: {error}") from error
        yield running
        return
    place = find_place(settings, data, find_mode(data, given.mode))
    own = [part for part in place.own() if part in parts]
    if own and not has_files(place.files, own):
        raise NoServersError(
            f"nothing to save: {data} holds no data of a copy, and no servers are set (NATS_URL, MONGO_URL)"
        )
    with held(data) if own else contextlib.nullcontext():
        yield place


def _describe(
    place: Place,
    began: str,
    versions: Mapping[str, str],
    documents: SavedDocuments,
    *,
    streams: tuple[SavedStream, ...] = (),
) -> Manifest:
    return Manifest(
        format=FORMAT,
        began_at=began,
        ended_at=rfc3339(clock.now_ns()),
        mode=place.mode,
        versions={**_product(), **versions},
        streams=streams,
        documents_at=documents.at,
        collections=documents.collections,
        keys=(),
        left_out={},
    )


def _product() -> dict[str, str]:
    """The installed package's version; nothing in a checkout that was not installed."""
    try:
        return {"hydrophone": version("hydrophone")}
    except PackageNotFoundError:
        return {}


def count_held(manifest: Manifest) -> str:
    """How much an archive holds, in words."""
    documents = sum(collection.documents for collection in manifest.collections)
    messages = sum(int(stream.state["messages"]) for stream in manifest.streams)
    buckets = sum(stream.place.startswith("bucket") for stream in manifest.streams)
    held_here = [f"{len(manifest.collections)} collections with {documents} documents"]
    if manifest.has_bus:
        held_here.insert(0, f"{len(manifest.streams) - buckets} streams and {buckets} buckets with {messages} messages")
    return ", ".join(held_here) + (", and the master keys" if any(key.file for key in manifest.keys) else "")
