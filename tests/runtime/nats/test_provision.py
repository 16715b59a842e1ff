"""The provisioner against a real server: what it creates, what it changes, what it refuses, what it heals."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from contracts import streams
from contracts.streams import SIGNALS, STREAMS, BucketSpec, DurableSpec, Retention, StreamSpec
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.api import call
from runtime.nats.streams.config import find_drift, stream_config
from runtime.nats.streams.figures import StreamFigures, watching
from runtime.provision import (
    Plan,
    ProvisionError,
    apply,
    declared,
    disk_bytes,
    keep,
    reserved_bytes,
    syncs_always,
    verify,
)
from runtime.servers.embedded import NatsConfig, NatsServer, free_port, nats_command, nats_server, save_nats_config

Eventually = Callable[..., Awaitable[None]]
MIB = 1024 * 1024
MARKET = StreamSpec("P_MARKET", ("p.md.>",), max_age=600, max_bytes=MIB)
JOBS = StreamSpec("P_JOBS", ("p.job.>",), max_age=0, max_bytes=MIB, effects=True, retention="workqueue")
BUCKET = BucketSpec("P_STATE", max_bytes=MIB, ttl=30)
DURABLE = DurableSpec("P_MARKET", "p_storms", "p.md.liquidation.>")
PLAN = Plan(streams=(MARKET, JOBS), buckets=(BUCKET,), durables=(DURABLE,), synced=True)


@pytest_asyncio.fixture
async def clean(bus: Bus) -> AsyncGenerator[Bus]:
    yield bus
    for name in ("P_MARKET", "P_JOBS", "KV_P_STATE"):
        await bus.api(f"STREAM.DELETE.{name}")


async def test_market_is_persisted_asynchronously_and_effects_are_not(clean: Bus) -> None:
    await apply(clean, PLAN)
    market = (await call(clean, "STREAM.INFO.P_MARKET"))["config"]
    jobs = (await call(clean, "STREAM.INFO.P_JOBS"))["config"]
    assert (market["persist_mode"], market["discard"]) == ("async", "old")
    assert (jobs.get("persist_mode", "default"), jobs["discard"], jobs["retention"]) == ("default", "new", "workqueue")


async def test_signals_that_were_acknowledged_survive_a_kill_of_the_server(
    tmp_path: Path, eventually: Eventually
) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        signals = next(spec for spec in STREAMS if spec.name == SIGNALS)
        await apply(bus, Plan(streams=(signals,), buckets=(), durables=(), synced=True))
        for number in range(100):
            header = {"Nats-Msg-Id": str(number)}
            await bus.publish_acked("signal.v1.whale.binance.BTC.USDT.spot", b"{}", headers=header, stream=SIGNALS)
        await server.kill()
        await server.start()
        await eventually(lambda: bus.connected)
        assert (await bus.jetstream().stream_info(SIGNALS)).state.messages == 100
        await bus.close()


async def test_second_apply_changes_nothing(clean: Bus) -> None:
    first = await apply(clean, PLAN)
    assert {line.split(": ")[1] for line in first} == {"created"}
    second = await apply(clean, PLAN)
    assert {line.split(": ")[1] for line in second} == {"as declared"}
    await verify(clean, PLAN)


async def test_bucket_is_usable_as_key_value(clean: Bus) -> None:
    await apply(clean, PLAN)
    bucket = await clean.jetstream().key_value("P_STATE")
    revision = await bucket.create("a.b", b"1")
    await bucket.update("a.b", b"2", last=revision)
    assert (await bucket.get("a.b")).value == b"2"


async def test_changed_limits_are_applied(clean: Bus) -> None:
    await apply(clean, PLAN)
    bigger = replace(PLAN, streams=(replace(MARKET, max_bytes=2 * MIB), JOBS), durables=(replace(DURABLE, ack_wait=9),))
    lines = await apply(clean, bigger)
    assert "stream P_MARKET: changed max_bytes" in lines
    assert "durable P_MARKET/p_storms: changed ack_wait" in lines
    assert (await call(clean, "STREAM.INFO.P_MARKET"))["config"]["max_bytes"] == 2 * MIB


async def test_unsafe_drift_is_refused_with_the_field_and_nothing_is_touched(clean: Bus) -> None:
    await apply(clean, PLAN)
    changed = replace(
        PLAN,
        streams=(replace(MARKET, max_bytes=2 * MIB), replace(JOBS, retention="limits")),
        durables=(replace(DURABLE, deliver="all"),),
    )
    with pytest.raises(ProvisionError) as caught:
        await apply(clean, changed)
    assert "stream P_JOBS: retention is 'workqueue', declared 'limits'" in str(caught.value)
    assert "durable P_MARKET/p_storms: deliver_policy is 'new', declared 'all'" in str(caught.value)
    assert (await call(clean, "STREAM.INFO.P_MARKET"))["config"]["max_bytes"] == MIB


async def test_verify_names_drift_and_what_is_missing(clean: Bus) -> None:
    await apply(clean, replace(PLAN, buckets=()))
    with pytest.raises(ProvisionError) as caught:
        await verify(clean, replace(PLAN, streams=(replace(MARKET, max_age=601), JOBS)))
    assert "stream P_MARKET: max_age is 600000000000, declared 601000000000" in str(caught.value)
    assert "bucket P_STATE: missing" in str(caught.value)


async def test_effects_are_refused_on_a_server_that_is_not_known_to_sync(bus: Bus) -> None:
    with pytest.raises(ProvisionError, match=r"stream P_JOBS: refused.*sync_interval: always"):
        await apply(bus, replace(PLAN, synced=False))


async def test_synced_server_is_told_from_one_that_is_not(nats: NatsServer, tmp_path: Path) -> None:
    assert await syncs_always([nats.monitor_url]) is True
    assert await syncs_always([]) is False
    lazy = NatsConfig(tmp_path, free_port(), free_port(), sync_always=False)
    process = await asyncio.create_subprocess_exec(*nats_command(save_nats_config(lazy)), stderr=-3)
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await syncs_always([f"http://127.0.0.1:{lazy.monitor_port}"]) is False
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                break
    finally:
        process.kill()
        await process.wait()


async def test_what_vanishes_is_created_again(clean: Bus, eventually: Eventually) -> None:
    await apply(clean, PLAN)
    healed: list[str] = []
    keeper = asyncio.create_task(keep(clean, PLAN, healed.append, interval=0.05))
    await clean.api("STREAM.DELETE.P_MARKET")
    await eventually(lambda: len(healed) >= 2)
    assert healed == ["stream P_MARKET", "durable P_MARKET/p_storms"]
    keeper.cancel()
    await verify(clean, PLAN)


async def test_what_is_kept_shows_what_streams_hold_and_how_far_durables_are(
    clean: Bus, eventually: Eventually
) -> None:
    await apply(clean, PLAN)
    registry = CollectorRegistry()
    figures, healed, beats = StreamFigures(registry), list[str](), list[int]()
    for number in range(3):
        await clean.jetstream().publish("p.md.liquidation.x", b"%d" % number)
    keeper = asyncio.create_task(
        keep(clean, PLAN, healed.append, interval=0.05, observe=figures.observe, beat=lambda: beats.append(1))
    )
    durable = {"stream": "P_MARKET", "durable": "p_storms"}
    await eventually(lambda: registry.get_sample_value("hydrophone_durable_pending", durable) == 3)
    keeper.cancel()
    assert beats
    assert healed == []
    assert registry.get_sample_value("hydrophone_stream_messages", {"stream": "P_MARKET"}) == 3
    assert registry.get_sample_value("hydrophone_stream_limit_bytes", {"stream": "KV_P_STATE"}) == MIB
    assert registry.get_sample_value("hydrophone_durable_unacknowledged", durable) == 0


async def test_command_provisions_every_declared_item_and_says_so(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        environment = {**os.environ, "NATS_URL": server.url, "NATS_MONITOR_URLS": server.monitor_url}
        command = [sys.executable, "-m", "runtime.provision"]
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=-1)
        output, _ = await process.communicate()
        lines = output.decode().splitlines()
        assert process.returncode == 0, lines
        plan = declared(synced=True)
        wanted = {f"stream {spec.name}: created" for spec in plan.streams}
        wanted |= {f"bucket {spec.name}: created" for spec in plan.buckets}
        wanted |= {f"durable {spec.stream}/{spec.name}: created" for spec in plan.durables}
        assert wanted <= set(lines)


async def test_command_refuses_effects_without_proof_of_sync(nats: NatsServer) -> None:
    environment = {**os.environ, "NATS_URL": nats.url}
    command = [sys.executable, "-m", "runtime.provision"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=-1)
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert b"sync_interval: always" in output


async def test_subjects_move_to_a_stream_of_their_own_and_their_durable_with_them(clean: Bus) -> None:
    await apply(clean, PLAN)
    js = clean.jetstream()
    await js.publish("p.md.trade.x", b"old")
    rare = StreamSpec("P_RARE", ("p.md.liquidation.>",), max_age=900, max_bytes=MIB)
    moved = replace(
        PLAN,
        streams=(rare, replace(MARKET, subjects=("p.md.trade.>",)), JOBS),
        durables=(replace(DURABLE, stream="P_RARE"),),
    )
    try:
        lines = await apply(clean, moved)
        assert "stream P_MARKET: changed subjects" in lines
        assert "stream P_RARE: created" in lines
        assert any(line.startswith("durable P_MARKET/p_storms: deleted") for line in lines)
        await verify(clean, moved)
        assert (await js.publish("p.md.liquidation.x", b"new")).stream == "P_RARE"
        assert (await call(clean, "STREAM.INFO.P_MARKET"))["state"]["messages"] == 1
        assert {line.split(": ")[1] for line in await apply(clean, moved)} == {"as declared"}
    finally:
        await clean.api("STREAM.DELETE.P_RARE")


async def test_data_of_the_first_version_is_moved_to_the_new_streams(tmp_path: Path) -> None:
    kinds = ("trade", "ticker", "liquidation", "funding", "interest", "candle")
    first = StreamSpec(streams.MARKET, tuple(f"md.v1.{kind}.>" for kind in kinds), max_age=86400, max_bytes=1024 * MIB)
    old = DurableSpec(streams.MARKET, "storms", "md.v1.liquidation.>")
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await apply(bus, Plan(streams=(first,), buckets=(), durables=(old,), synced=True))
        await apply(bus, declared(synced=True))
        await verify(bus, declared(synced=True))
        for subject, stream in (
            ("md.v1.trade.okx.BTC.USDT.perp", streams.MARKET),
            ("md.v1.liquidation.okx.BTC.USDT.perp", streams.LIQUIDATIONS),
            ("md.v1.candle.1d.okx.BTC.USDT.perp", streams.CANDLES_1H),
        ):
            assert (await bus.jetstream().publish(subject, b"{}")).stream == stream
        await bus.close()


async def test_subjects_that_no_stream_takes_over_are_not_given_up(clean: Bus) -> None:
    await apply(clean, PLAN)
    with pytest.raises(ProvisionError, match="subjects"):
        await apply(clean, replace(PLAN, streams=(replace(MARKET, subjects=("p.other.>",)), JOBS), durables=()))


def test_settings_of_retention_change_what_is_declared() -> None:
    kept = Retention(ages={streams.FEEDS: 60}, sizes={streams.MARKET: 512 * MIB}, scale=0.5)
    plan = declared(synced=True, retention=kept)
    found = {spec.name: spec for spec in (*plan.streams, *plan.buckets)}
    assert found[streams.MARKET].max_bytes == 256 * MIB
    assert [spec.max_age for spec in plan.streams if spec.name == streams.FEEDS] == [60]
    assert found[streams.PROBE].max_bytes == MIB  # as small as declared, nothing is made smaller than it is useful
    assert reserved_bytes(plan) < reserved_bytes(declared(synced=True))


def test_what_is_compressed_takes_a_third_of_the_disk_and_a_block_that_is_written() -> None:
    plain, whole = StreamSpec("A", ("a",), max_age=0, max_bytes=300 * MIB), declared(synced=True)
    one = Plan(streams=(plain,), buckets=(), durables=())
    assert disk_bytes(one) == reserved_bytes(one) == 300 * MIB
    assert disk_bytes(replace(one, streams=(replace(plain, compressed=True),))) == 108 * MIB
    compressed = {spec.name for spec in whole.streams if spec.compressed}
    assert compressed == {streams.PAST, streams.PAST_BOOKS, streams.PAST_TRADES}


def test_subjects_may_be_added_but_not_taken_away() -> None:
    wanted = stream_config(MARKET)
    assert [drift.safe for drift in find_drift("s", wanted, {**wanted, "subjects": []})] == [True]
    assert [drift.safe for drift in find_drift("s", wanted, {**wanted, "subjects": ["p.md.>", "q"]})] == [False]
    assert json.dumps(wanted)


async def test_what_may_be_made_again_is_counted_from_nothing(bus: Bus) -> None:
    port = free_port()
    async with watching(bus, port, ["stream A"]) as (figures, health), httpx.AsyncClient() as client:
        health.beat("healer", 60.0)
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        assert 'hydrophone_provision_healed_total{place="stream A"} 0.0' in text
        figures.healed.labels("stream A").inc()
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        assert 'hydrophone_provision_healed_total{place="stream A"} 1.0' in text
        assert (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
