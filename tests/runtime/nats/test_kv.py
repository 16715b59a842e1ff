"""Mirrors and writers of key-value buckets on a real bus, through restarts and buckets that were made again."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from nats.js.kv import KeyValue

from contracts.streams import BucketSpec
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.kv.mirror import Entry, Mirror
from runtime.nats.kv.writer import BucketWriter
from runtime.provision import Plan, apply
from runtime.servers.embedded import nats_server

Eventually = Callable[..., Awaitable[None]]
PLAN = Plan(streams=(), buckets=(BucketSpec("K_STATE", max_bytes=8 * 1024 * 1024),), durables=())


@pytest_asyncio.fixture
async def bucket(bus: Bus) -> AsyncGenerator[KeyValue]:
    await apply(bus, PLAN)
    yield await bus.jetstream().key_value("K_STATE")
    await bus.api("STREAM.DELETE.KV_K_STATE")


def value(mirror: Mirror, key: str) -> bytes | None:
    entry = mirror.get(key)
    return None if entry is None else entry.value


async def test_mirror_has_every_key_once_open_and_follows_changes(
    bus: Bus, bucket: KeyValue, eventually: Eventually
) -> None:
    for number in range(300):
        await bucket.put(f"a.{number}", b"%d" % number)
    mirror = await Mirror(bus, "K_STATE").open()
    assert sorted(key for key, _ in mirror.entries("a.")) == sorted(f"a.{number}" for number in range(300))
    await bucket.put("a.7", b"new")
    await bucket.delete("a.8")
    await bucket.purge("a.9")
    await eventually(lambda: mirror.get("a.9") is None)
    assert (value(mirror, "a.7"), value(mirror, "a.8")) == (b"new", None)
    assert mirror.age() < 5
    await mirror.close()


async def test_empty_bucket_opens_at_once(bus: Bus, bucket: KeyValue) -> None:
    mirror = await Mirror(bus, "K_STATE").open(timeout=5)
    assert list(mirror.entries()) == []
    await mirror.close()


async def test_missing_bucket_is_named(bus: Bus) -> None:
    mirror = Mirror(bus, "K_NOT_THERE")
    with pytest.raises(TimeoutError, match="bucket K_NOT_THERE: not read"):
        await mirror.open(timeout=0.3)
    await mirror.close()


async def test_listener_hears_only_its_prefix_and_of_deletes(
    bus: Bus, bucket: KeyValue, eventually: Eventually
) -> None:
    mirror = await Mirror(bus, "K_STATE").open()
    received: list[tuple[str, bytes | None]] = []

    def listener(key: str, entry: Entry | None) -> None:
        received.append((key, None if entry is None else entry.value))

    mirror.listen("ticker.", listener)
    await bucket.put("book.x", b"1")
    await bucket.put("ticker.x", b"2")
    await bucket.delete("ticker.x")
    await eventually(lambda: len(received) == 2)
    assert received == [("ticker.x", b"2"), ("ticker.x", None)]
    await mirror.close()


async def test_mirror_is_right_again_after_a_restart_and_knows_its_age(
    tmp_path: Path, eventually: Eventually, record_property: Callable[[str, object], None]
) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="mirror")).connect()
        await apply(bus, PLAN)
        bucket = await bus.jetstream().key_value("K_STATE")
        for number in range(50):
            await bucket.put(f"k.{number}", b"old")
        mirror = await Mirror(bus, "K_STATE").open()
        await server.kill()
        await eventually(lambda: mirror.age() > 0.5)
        await server.start()
        writer = await Bus(BusOptions(servers=(server.url,), name="writer")).connect()
        other = await writer.jetstream().key_value("K_STATE")
        for number in range(49):
            await other.put(f"k.{number}", b"new")
        await other.delete("k.49")
        written = time.monotonic()
        await eventually(lambda: {entry.value for _, entry in mirror.entries()} == {b"new"})
        record_property("figure", f"50 of 50 keys right {time.monotonic() - written:.1f} s after they were written")
        assert len(list(mirror.entries())) == 49
        await eventually(lambda: mirror.age() < 1.5)
        await mirror.close()
        await writer.close()
        await bus.close()


async def test_keys_of_a_bucket_made_anew_replace_the_old_ones(
    bus: Bus, bucket: KeyValue, eventually: Eventually
) -> None:
    await bucket.put("old", b"1")
    await bucket.put("both", b"1")
    mirror = await Mirror(bus, "K_STATE").open()
    received: list[str] = []
    mirror.listen("old", lambda key, entry: received.append(key) if entry is None else None)
    await bus.api("STREAM.DELETE.KV_K_STATE")
    await apply(bus, PLAN)
    await bucket.put("both", b"2")
    await eventually(lambda: value(mirror, "both") == b"2" and mirror.get("old") is None, seconds=12)
    assert received == ["old"]
    await mirror.close()


async def test_writer_writes_only_the_newest_value_of_a_key(bus: Bus, bucket: KeyValue) -> None:
    writer = BucketWriter(bus, "K_STATE")
    for number in range(5000):
        writer.put("hot", b"%d" % number)
        writer.put(f"cold.{number % 3}", b"%d" % number)
    writer.put("gone", b"1")
    writer.delete("gone")
    await writer.close()
    assert (await bucket.get("hot")).value == b"4999"
    info = await bus.jetstream().stream_info("KV_K_STATE")
    assert info.state.last_seq == 5
    assert sorted(await bucket.keys()) == ["cold.0", "cold.1", "cold.2", "hot"]


async def test_writer_beyond_its_bound_drops_the_oldest_and_counts(bus: Bus, bucket: KeyValue) -> None:
    dropped: list[tuple[str, int]] = []
    bus.listen_drop(lambda subject, keys: dropped.append((subject, keys)))
    writer = BucketWriter(bus, "K_STATE", max_keys=2)
    for key in ("a", "b", "c"):
        writer.put(key, b"1")
    await writer.close()
    assert sorted(await bucket.keys()) == ["b", "c"]
    assert dropped == [("kv.K_STATE", 1)]


async def test_writer_goes_on_until_written_through_a_restart(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="writer")).connect()
        await apply(bus, PLAN)
        writer = BucketWriter(bus, "K_STATE")
        await server.kill()
        await eventually(lambda: not bus.connected)
        for number in range(200):
            writer.put(f"k.{number}", b"1")
        await server.start()
        await writer.flush()
        bucket = await bus.jetstream().key_value("K_STATE")
        assert len(await bucket.keys()) == 200
        await writer.close()
        await bus.close()
