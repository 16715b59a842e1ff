"""The servers that are saved from or restored into: a running copy's, those of the settings, or our own in the data
directory, which are started for as long as it takes.
"""  # noqa: D205

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr

from deploy.backup.manifest import Mode
from deploy.backup.restoring import NotEmptyError
from deploy.datadir import held
from runtime.config.options import bus_options
from runtime.config.settings import Settings
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import document_server, nats_server
from runtime.store import Store

BUS_FILES: Final = "nats/jetstream"
DOCUMENT_FILES: Final = "documents"
_PART: Final = "backup"
_CONNECT_SECONDS: Final = 10.0
_OPERATION_SECONDS: Final = 60.0
_NO_LIMIT: Final = 1 << 50  # bytes; what streams may reserve was decided when they were made


class NoServersError(RuntimeError):
    """There is nothing to save from, or it does not answer; the message says what is looked for and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where bus and documents are; None is our own server on the files below `files`."""

    mode: Mode | None
    bus: BusOptions | None
    documents: str | None
    files: Path
    replicas: int = 1

    def own(self) -> tuple[str, ...]:
        """The files of our own servers, below `files`."""
        bus = (BUS_FILES,) if self.bus is None else ()
        return bus + ((DOCUMENT_FILES,) if self.documents is None else ())


def find_running(settings: Settings, data: Path, run: Mapping[str, Any]) -> Place:
    """The servers of a running copy, of what its run.json says; KeyError where it lacks something."""
    bus = settings.bus.model_copy(update={"url": SecretStr(run["nats"]["admin_url"])})
    return Place(
        mode=run["mode"],
        bus=bus_options(bus, _PART),
        documents=run["documents"]["url"],
        files=data / run["mode"],
    )


def find_place(settings: Settings, data: Path, mode: Mode | None) -> Place:
    """The servers of the settings; our own of `mode` where they name none."""
    url = settings.store.url
    external = settings.bus.url is not None and url is not None
    return Place(
        mode=None if external else mode or "run",
        bus=None if settings.bus.url is None else bus_options(settings.bus, _PART),
        documents=None if url is None else url.get_secret_value(),
        files=data / (mode or "run"),
        replicas=1 if settings.bus.url is None else settings.bus.replicas,
    )


def find_mode(data: Path, wanted: Mode | None) -> Mode | None:
    """The mode of what lies in a data directory; NoServersError where there is more than one and none is wanted."""
    there = [mode for mode in get_args(Mode) if has_files(data / mode, (BUS_FILES, DOCUMENT_FILES))]
    if wanted is None and len(there) > 1:
        raise NoServersError(f"{data} has data of {' and of '.join(there)}: say which with --mode")
    return wanted or (there[0] if there else None)


def has_files(files: Path, parts: Iterable[str]) -> bool:
    """Whether one of these folders holds something."""
    return any((files / part).is_dir() and any((files / part).iterdir()) for part in parts)


@asynccontextmanager
async def open_bus(place: Place, files: Path) -> AsyncGenerator[Bus]:
    """Yield a connection to the bus; our own one runs on `files` for as long as the block lasts.

    NoServersError where it does not answer within 10 s.
    """
    if place.bus is not None:
        async with _connected(place.bus) as bus:
            yield bus
        return
    async with (
        nats_server(files / "nats", max_bytes=_NO_LIMIT) as server,
        _connected(BusOptions(servers=(server.url,), name=_PART)) as bus,
    ):
        yield bus


@asynccontextmanager
async def _connected(options: BusOptions) -> AsyncGenerator[Bus]:
    bus = Bus(options)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await bus.connect()
    except TimeoutError as error:
        raise NoServersError(f"the bus {options.places()} does not answer") from error
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def open_documents(place: Place, files: Path) -> AsyncGenerator[Store]:
    """Yield the document store; our own one runs on `files` for as long as the block lasts.

    StoreError where it does not answer.
    """
    if place.documents is not None:
        async with _store(place.documents) as store:
            yield store
        return
    async with document_server(files) as server, _store(server.url) as store:
        yield store


@asynccontextmanager
async def _store(url: str) -> AsyncGenerator[Store]:
    store = Store(url, timeout=_OPERATION_SECONDS)
    try:
        await store.ping()
        yield store
    finally:
        await store.close()


@contextmanager
def replacing(place: Place, data: Path, own: tuple[str, ...], *, replace: bool) -> Generator[Path]:
    """Yield an empty folder for our own servers' new files, which take the old ones' place when the block ends.

    Where it raises, the old ones are as they were. NotEmptyError where there are old ones without `replace`,
    NoDirectoryError where a copy runs on them.
    """
    if not own:
        yield place.files
        return
    with held(data):
        for part in own:
            if not replace and has_files(place.files, (part,)):
                raise NotEmptyError(f"{place.files / part} holds data: move it away, or give --replace")
        place.files.mkdir(mode=0o700, exist_ok=True)
        draft = place.files / "restoring"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        try:
            yield draft
            os.sync()  # what the servers wrote is on the disk before anything takes a name
            for part in own:
                _swap(draft / part, place.files / part)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _swap(new: Path, place: Path) -> None:
    """Give the new files their place; the old ones are removed after that."""
    old = place.with_name(f"{place.name}.replaced")
    shutil.rmtree(old, ignore_errors=True)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
