"""Record, replay, record again: the same events, byte for byte, faults and reconnects included."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from contracts import subjects
from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import make_instrument
from producers.connection.socket import OPENERS
from producers.producer import Producer, ProducerPlan
from producers.recording.decode_command import RecordedFrames
from producers.recording.recorder import INDEX, Recording, RotateRule
from producers.recording.replay import Replay, list_files, read_lines
from producers.recording.replay_command import merge, parse, play
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.faults import Fault
from producers.simulator.server import Simulator
from runtime.book.books import BookPace
from runtime.nats.lanes.message import split_message

ROOT = Path(__file__).parents[3]


class Tape:
    """A lane that keeps everything in order."""

    def __init__(self):
        self.events = []

    def write(self, parts):
        subject, _, payload = split_message(parts)
        self.events.append((subject, payload))


async def record_live(venue_id, folder, rule=None, seconds=3.0):
    """Record a venue for a while, with a gap and a cut in between; give what was published live."""
    venue = VENUES[venue_id]
    live, recording = Tape(), Recording(venue_id, folder, rule or RotateRule())
    async with Simulator(SimulatorConfig(seed=3, rate=3.0, venues=(venue_id,), enforce_limits=False)) as sim:

        async def save(_venue, _body):
            recording.begin([feed.plan for feed in producer.feeds], producer.listed)

        plan = ProducerPlan(
            venue=venue,
            symbols=("BTC", "ETH"),
            ws_url=sim.ws_url(venue_id),
            rest_url=sim.rest_url(venue_id),
            pace=BookPace(interval=0.1, depth=20),
            policy=replace(venue.policy, connect_pace=0.0, pace=0.02),
            audit_every=0.5,
        )
        producer = Producer(plan, live, OPENERS["picows"], save, recorder=recording)
        producer.publisher.on_status = recording.on_status
        task = asyncio.create_task(producer.run())
        ends = time.monotonic() + seconds
        steps = [lambda: sim.inject(Fault(venue=venue_id, kind="gap", channel="depth")), lambda: sim.cut(venue_id)]
        while time.monotonic() < ends:
            await asyncio.sleep(0.3)
            recording.save()
            if steps and time.monotonic() > ends - seconds * 0.25 * (len(steps) + 1):
                steps.pop(0)()
        task.cancel()
        await asyncio.wait({task})
    recording.close()
    return live


def without_unplayed(events):
    """Before the instruments are known nothing is recorded."""
    return [item for item in events if b'"connecting"' not in item[1]]


@pytest.mark.parametrize("venue", sorted(VENUES))
async def test_replay_gives_the_same_bytes_as_live(venue, tmp_path):
    live = await record_live(venue, tmp_path / "one")
    again = Tape()
    options = parse([str(tmp_path / "one"), "--speed", "max", "--depth", "20", "--into", str(tmp_path / "two")])
    replays = await play(options, again, None)
    assert replays[venue].undecodable == 0
    kinds = {subject.split(".")[2] for subject, _ in live.events if subject.startswith("md.")}
    assert {"trade", "ticker", "delta", "book"} <= kinds
    assert len(live.events) > 60
    assert without_unplayed(again.events) == without_unplayed(live.events)

    third = Tape()
    await play(parse([str(tmp_path / "two"), "--speed", "max", "--depth", "20"]), third, None)
    assert third.events == again.events
    lines = [[line for path in list_files(tmp_path / name) for line, _ in read_lines(path)] for name in ("one", "two")]
    assert lines[0] == lines[1]


async def test_recorded_frames_can_be_decoded_line_by_line(tmp_path):
    live = await record_live("binance", tmp_path, seconds=2.0)
    raw = [data for path in list_files(tmp_path) for _, data in read_lines(path)]
    out = list(RecordedFrames(VENUES["binance"], "spot").lines(raw))
    assert all(isinstance(item, bytes) for item in out)
    decoded = [json.loads(line) for item in out if isinstance(item, bytes) for line in item.splitlines()]
    trades = [event["id"] for event in decoded if event["kind"] == "trade"]
    sent = [json.loads(body) for subject, body in live.events if subject.startswith(subjects.TRADE)]
    assert trades == [event["id"] for event in sent if "backfilled" not in event]


async def test_files_are_rotated_and_the_index_proves_them(tmp_path):
    await record_live("binance", tmp_path, RotateRule(max_bytes=100_000, max_seconds=60), seconds=3.0)
    entries = [json.loads(line) for line in (tmp_path / INDEX).read_text().splitlines()]
    assert len(entries) > 1
    for entry in entries:
        data = gzip.decompress((tmp_path / entry["file"]).read_bytes())
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert data.count(b"\n") == entry["lines"]
        assert json.loads(data.split(b"\n", 1)[0])["record"] == "header"


def test_lines_beyond_the_bound_are_lost_and_the_loss_is_written(tmp_path):
    recording = Recording("binance", tmp_path, RotateRule(), max_pending=200)
    for number in range(20):
        recording.on_frame("c", number, b"x" * 50)
    recording.save()
    recording.on_frame("c", 99, b"y")
    recording.close()
    lines = [line for path in list_files(tmp_path) for line, _ in read_lines(path)]
    kept = [line for line in lines if "raw" in line]
    (lost,) = [line for line in lines if line.get("record") == "lost"]
    assert recording.lost > 0
    assert len(kept) + lost["lines"] == 21


def test_folder_without_a_recording_is_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match=INDEX):
        list_files(tmp_path)


def test_unknown_connection_is_refused_by_name():
    with pytest.raises(FrameError, match="nowhere"):
        Replay(Tape()).on_line({"connection": "nowhere", "recv_ts_ns": 1, "raw": "{}"})


async def test_venues_are_merged_by_time(tmp_path):
    for venue, times in (("binance", (1, 4)), ("okx", (2, 3))):
        recording = Recording(venue, tmp_path, RotateRule())
        for ts in times:
            recording.on_mark("c", ts, "tick", {})
        recording.close()
    assert [line["ts"] for line in merge(list_files(tmp_path)) if "ts" in line] == [1, 2, 3, 4]


async def test_commands_record_and_replay(tmp_path):
    async with Simulator(SimulatorConfig(seed=3, rate=2.0, venues=("binance",))) as sim:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "producers", "record", "binance", "--into", str(tmp_path / "rec"), "--seconds", "6",
            cwd=ROOT,
            env={
                "PATH": "/usr/bin:/bin",
                "HYDROPHONE_SYMBOLS": "BTC",
                "HYDROPHONE_BINANCE_WS_URL": sim.ws_url("binance"),
                "HYDROPHONE_BINANCE_REST_URL": sim.rest_url("binance"),
            },
        )  # fmt: skip
        assert await asyncio.wait_for(process.wait(), 30) == 0
    played = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "producers", "replay", str(tmp_path / "rec"), "--speed", "max", "--stdout"],
        cwd=ROOT, capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    bodies = [line.split(b" ", 1) for line in played.stdout.splitlines()]
    assert sum(subject.startswith(subjects.TRADE.encode()) for subject, _ in bodies) > 5
    assert all(msgspec.json.decode(body)["sim"] for subject, body in bodies if subject.startswith(b"md."))


def run_cli(*arguments, **settings):
    """Run `python -m producers …` and give the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "producers", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.timeout(150)
def test_a_recording_made_while_the_venue_was_away_is_replayed_by_the_command_line(tmp_path):
    away = {"HYDROPHONE_OKX_WS_URL": "ws://127.0.0.1:1", "HYDROPHONE_OKX_REST_URL": "http://127.0.0.1:1"}
    recorded = run_cli("record", "okx", "--into", str(tmp_path), "--seconds", "3", **away)
    assert recorded.returncode == 0, recorded.stderr
    replayed = run_cli("replay", str(tmp_path), "--stdout", "--speed", "max")
    assert (replayed.returncode, replayed.stderr) == (0, "okx: 0 frames, 0 undecodable\n")
    assert '"state":"down"' in replayed.stdout


def test_a_recording_that_began_before_the_listing_came_goes_on_below_a_head_of_its_own(tmp_path):
    recording = Recording("okx", tmp_path, RotateRule())
    recording.on_status(b"{}")
    recording.save()
    recording.begin((), (make_instrument("okx", "BTC/USDT", "BTC-USDT"),))
    recording.begin((), (make_instrument("okx", "BTC/USDT", "BTC-USDT"),))
    recording.close()
    (path,) = list_files(tmp_path)
    lines = [line for line, _ in read_lines(path)]
    assert [line["record"] for line in lines] == ["header", "status", "header"]
    assert [len(line["instruments"]) for line in (lines[0], lines[2])] == [0, 1]


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone", "no json"])
def test_a_damaged_recording_is_named_in_one_line(tmp_path, damage):
    recording = Recording("okx", tmp_path, RotateRule())
    for number in range(2000):
        recording.on_status(b'{"n":%d}' % number)
    recording.close()
    (path,) = list_files(tmp_path)
    whole = path.read_bytes()
    damaged = {"cut": whole[: len(whole) // 2], "garbage": b"no gzip", "no json": gzip.compress(b"{nonsense\n")}
    path.write_bytes(damaged.get(damage, b""))
    if damage == "gone":
        path.unlink()
    replayed = run_cli("replay", str(tmp_path), "--stdout", "--speed", "max")
    assert replayed.returncode == 2
    assert len(replayed.stderr.splitlines()) == 1
    assert str(path) in replayed.stderr
