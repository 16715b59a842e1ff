"""Backups on real servers: everything is there again exactly, and readers go on where they were."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts import streams
from contracts.subjects import HEADER_MESSAGE_ID
from deploy.backup.archive import new_archive
from deploy.backup.manifest import ArchiveError
from deploy.backup.restoring import NotEmptyError, restore_streams
from deploy.backup.saving import Saving
from runtime.app.resume import Mark, Resumed, Start, find_start
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.api import call, parse_rfc3339
from runtime.provision import apply, declared, verify
from runtime.servers.embedded import nats_server
from runtime.store import IndexSpec, Store
from tests.deploy.backup.stage import contents, documents_of, place_in, typed

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300)]
PLAN = declared(synced=True)
WHALE = "signal.v1.whale.okx.BTC.x"
FILLED = "order.v1.filled.me"
INDEXES = [
    IndexSpec("users", ("tenant", "-name"), unique=True),
    IndexSpec("users", ("waiting",), where={"waiting": True}),
    IndexSpec("logs", ("at",), ttl=86_400_000),
]


@asynccontextmanager
async def bus_on(directory: Path) -> AsyncGenerator[tuple[Bus, str]]:
    async with nats_server(directory) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test", pending_bytes=2**26)).connect()
        try:
            yield bus, server.url
        finally:
            await bus.close()


@pytest_asyncio.fixture
async def full(tmp_path: Path) -> AsyncGenerator[tuple[Bus, str]]:
    """A bus with something of every kind on it."""
    async with bus_on(tmp_path / "old") as (bus, url):
        await apply(bus, PLAN)
        await fill(bus)
        yield bus, url


async def fill(bus: Bus) -> None:
    js = bus.jetstream()
    for number in range(6):
        await js.publish(WHALE, b"%d" % number, headers={HEADER_MESSAGE_ID: f"whale-{number}"})
        await js.publish(FILLED, b"%d" % number, headers={HEADER_MESSAGE_ID: f"fill-{number}"})
    await read(bus, streams.SIGNALS, "clusters", acked=2, more=1)
    await read(bus, streams.TRADING, "portfolio", acked=4)
    bucket = await js.key_value(streams.LISTINGS)
    for number in range(4):
        await bucket.put("okx", b"listing %d" % number)
    for number in range(300):  # more than the server sends without an answer
        await bus.client.publish(f"md.v1.trade.okx.BTC.USDT.{number}", os.urandom(40_000))
    await bus.client.flush()
    await js.publish("telegram.v1.result.5.job-1", b"sent")
    await js.publish("budget.v1.okx.1", b"", headers={"Nats-Incr": "+7"})


async def read(bus: Bus, stream: str, durable: str, acked: int, more: int = 0) -> list[bytes]:
    """Take messages off a durable, acknowledge the first of them, and give all."""
    subscription = await bus.jetstream().pull_subscribe_bind(durable, stream)
    found = await subscription.fetch(acked + more, timeout=20)
    for one in found[:acked]:
        await one.ack_sync()
    await subscription.unsubscribe()
    return [one.data for one in found]


def settings(monkeypatch: pytest.MonkeyPatch, data: Path, bus: str | None, documents: str | None) -> None:
    monkeypatch.setenv("HYDROPHONE_DATA", str(data))
    monkeypatch.setenv("HYDROPHONE_KEY_PEPPER", "a pepper of at least thirty-two characters, as it is in use")
    for name, value in (("NATS_URL", bus), ("MONGO_URL", documents)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)


@asynccontextmanager
async def database(url: str) -> AsyncGenerator[tuple[Store, str]]:
    """A database of its own, with the URL that names it."""
    named = place_in(url, f"test_{uuid4().hex[:12]}")
    store = Store(named, timeout=60.0)  # nothing is measured
    yield store, named
    await store.drop_database()
    await store.close()


async def fill_documents(store: Store) -> None:
    await store.create_indexes(INDEXES)
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    users = [{"_id": number, "tenant": "é", "name": f"n{number}", "waiting": number < 5} for number in range(1200)]
    await store.collection("users").insert_many(users)
    await store.collection("logs").insert_one({"_id": "l", "at": at, "price": "0.1", "tags": [1, None, 2**40, 1.0]})


async def test_everything_is_restored_as_it_was(
    full: tuple[Bus, str], documents_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, url = full
    archive = tmp_path / "archive"
    mark = Mark(
        2, parse_rfc3339((await call(old, "STREAM.MSG.GET.SIGNALS", b'{"seq":2}'))["message"]["time"]), exact=True
    )
    async with database(documents_url) as (store, mongo), database(documents_url) as (other, elsewhere):
        await fill_documents(store)
        settings(monkeypatch, tmp_path / "data", url, mongo)
        await typed("save", "--to", str(archive))
        held = await contents(old)
        rows = await documents_of(store)
        async with bus_on(tmp_path / "new") as (new, target):
            settings(monkeypatch, tmp_path / "data", target, elsewhere)
            await typed("restore", "--from", str(archive))
            assert await contents(new) == held
            assert await documents_of(other) == rows
            await verify(new, PLAN)
            assert await find_start(new, streams.SIGNALS, mark) == Resumed(Start(sequence=3))
            assert await read(new, streams.TRADING, "portfolio", acked=2) == [b"4", b"5"]
            found = await read(
                new, streams.SIGNALS, "clusters", acked=3
            )  # 2 is on its way, until 30 s after its delivery
            assert found in ([b"3", b"4", b"5"], [b"2", b"3", b"4"])
            with pytest.raises(NotEmptyError, match="--replace"):
                await typed("restore", "--from", str(archive))
            await typed("restore", "--from", str(archive), "--replace")
            assert await contents(new) == held
    for path in (archive, *archive.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


async def test_what_was_read_while_it_was_saved_is_read_again(full: tuple[Bus, str], tmp_path: Path) -> None:
    old, _ = full
    with new_archive(tmp_path / "archive") as draft:
        saving = Saving(old, draft, lambda _line: None)
        await saving.before()
        await read(old, streams.TRADING, "portfolio", acked=2)  # its documents may be saved without them
        await old.jetstream().publish(FILLED, b"6", headers={HEADER_MESSAGE_ID: "fill-6"})
        saved = await saving.after()
        async with bus_on(tmp_path / "new") as (new, _):
            said: list[str] = []
            await restore_streams(new, draft.directory, saved, said.append)
            assert "stream TRADING: 7 messages, portfolio from where they were" in said
            assert await read(new, streams.TRADING, "portfolio", acked=3) == [b"4", b"5", b"6"]
            await verify(new, PLAN)


async def test_a_stream_that_the_server_does_not_take_is_named(full: tuple[Bus, str], tmp_path: Path) -> None:
    old, _ = full
    with new_archive(tmp_path / "archive") as draft:
        saving = Saving(old, draft, lambda _line: None, ["MARKET"])
        await saving.before()
        saved = [stream for stream in await saving.after() if stream.name in {"DLQ", "TRADING"}]
        broken = draft.directory / saved[1].file.path
        broken.write_bytes(broken.read_bytes()[:200])
        async with bus_on(tmp_path / "new") as (new, _):
            with pytest.raises(ArchiveError, match=r"^stream (DLQ|TRADING): "):
                await restore_streams(new, draft.directory, saved, print)


async def test_nothing_is_restored_while_parts_read(
    full: tuple[Bus, str], documents_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, url = full
    async with database(documents_url) as (_, mongo):
        settings(monkeypatch, tmp_path / "data", url, mongo)
        await typed("save", "--to", str(tmp_path / "archive"), "--without", "MARKET")
        subscription = await bus.jetstream().pull_subscribe_bind("audit", streams.AUDIT)
        waiting = asyncio.create_task(subscription.fetch(1, timeout=20))
        while not (await call(bus, "CONSUMER.INFO.AUDIT.audit"))["num_waiting"]:  # noqa: ASYNC110  # asked of the server
            await asyncio.sleep(0.05)
        before = await contents(bus)
        with pytest.raises(NotEmptyError, match="AUDIT"):
            await typed("restore", "--from", str(tmp_path / "archive"), "--replace")
        assert await contents(bus) == before
        waiting.cancel()


async def test_a_disk_that_takes_no_more_leaves_no_archive(
    full: tuple[Bus, str], documents_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = full
    async with database(documents_url) as (store, mongo):
        await fill_documents(store)
        settings(monkeypatch, tmp_path / "data", url, mongo)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))  # MARKET has 12 MB
        try:
            with pytest.raises(OSError, match="large"):
                await typed("save", "--to", str(tmp_path / "to" / "archive"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list((tmp_path / "to").iterdir()) == []


async def test_documents_move_from_a_server_to_our_own_and_back(
    documents_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, first, second = tmp_path / "data", str(tmp_path / "first"), str(tmp_path / "second")
    async with database(documents_url) as (store, mongo), database(documents_url) as (other, elsewhere):
        await fill_documents(store)
        settings(monkeypatch, data, None, mongo)
        await typed("export", "--to", first)
        settings(monkeypatch, data, None, None)  # our own server, on files in the data directory
        await typed("import", "--from", first)
        with pytest.raises(NotEmptyError, match="holds data"):
            await typed("import", "--from", first)
        await typed("export", "--to", second)
        with pytest.raises(ArchiveError, match="documents only"):
            await typed("restore", "--from", second)
        settings(monkeypatch, data, None, elsewhere)
        await typed("import", "--from", second)
        with pytest.raises(NotEmptyError, match="2 collections"):
            await typed("import", "--from", second)
        assert await documents_of(other) == await documents_of(store)
