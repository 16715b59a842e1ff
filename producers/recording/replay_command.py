"""`python -m producers replay DIR`: feeds a recording through the decoders to the bus, under `rp.<run>.`."""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import uvloop

from contracts import subjects
from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import escape_token
from producers.connection.publisher import Lane
from producers.recording.recorder import Recording, RotateRule
from producers.recording.replay import Replay, list_files, read_lines, time_of
from runtime import clock
from runtime.config import settings
from runtime.config.options import bus_options
from runtime.logging import logs
from runtime.nats.bus import Bus
from runtime.nats.lanes.message import Parts, make_parts, split_message
from runtime.nats.lanes.publisher import LanePublisher

FLUSH_EVERY = 1000
_log = logs.get()


class RunLane:
    """Puts every subject under `rp.<run>.`: what is replayed never passes as live."""

    def __init__(self, lane: Lane, run: str) -> None:
        self._lane = lane
        self._prefix = f"{subjects.REPLAY}{escape_token(run)}."
        self._run = escape_token(run)

    def write(self, parts: Parts) -> None:
        """Publish below the run, with ids of the run."""
        subject, headers, body = split_message(parts)
        msg_id = headers.get(subjects.HEADER_MESSAGE_ID)
        own = None if msg_id is None else f"{self._run}.{msg_id}"
        schema = headers.get(subjects.HEADER_SCHEMA)
        self._lane.write(make_parts(self._prefix + subject, body, schema=schema, msg_id=own))


class PrintLane:
    """Writes events to standard output, a line each: the subject, a blank, the body."""

    def write(self, parts: Parts) -> None:
        """Write one."""
        sys.stdout.buffer.write(split_message(parts).subject.encode() + b" " + parts[-2] + b"\n")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; wrong ones end the process with status 2 and say why."""
    parser = argparse.ArgumentParser(prog="python -m producers replay", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the recording")
    parser.add_argument("--speed", default="1", help="1 as it was, 10 ten times as fast, max as fast as possible")
    parser.add_argument("--run", default="replay", help="name of this run: events go to rp.<run>.…")
    parser.add_argument("--stdout", action="store_true", help="write the events to standard output, not to the bus")
    parser.add_argument("--into", type=Path, help="record what is replayed again, into this folder")
    parser.add_argument("--depth", type=int, default=100, help="levels a side of book snapshots")
    options = parser.parse_args(arguments)
    try:
        options.speed = 0.0 if options.speed == "max" else float(options.speed)
    except ValueError:
        options.speed = -1.0
    if options.speed < 0:
        parser.error("--speed: must be a positive number or max")
    return options


def merge(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Give the lines of all venues, by their times; a line without one stays behind the line before it."""
    venues: dict[str, list[Path]] = {}
    for path in files:
        venues.setdefault(path.parent.name, []).append(path)
    streams = (_timed(venue, paths) for venue, paths in sorted(venues.items()))
    for _, _, _, line in heapq.merge(*streams, key=lambda item: item[:3]):
        yield line


def _timed(venue: str, paths: list[Path]) -> Iterator[tuple[int, str, int, dict[str, Any]]]:
    last = number = 0
    for path in paths:
        for line, _ in read_lines(path):
            last = max(last, time_of(line) or 0)
            number += 1
            yield last, venue, number, {**line, "of": venue}


async def play(options: argparse.Namespace, lane: Lane, bus: Bus | None) -> dict[str, Replay]:
    """Replay everything; each venue has sessions of its own."""
    replays: dict[str, Replay] = {}
    recordings: dict[str, Recording] = {}
    last: int | None = None
    for count, line in enumerate(merge(list_files(options.folder)), start=1):
        venue = line.pop("of")
        ts = time_of(line)
        if ts is not None:
            if options.speed and last is not None and ts > last:
                await clock.sleep((ts - last) / 1e9 / options.speed)
            last = max(ts, last or 0)
        replay = replays.get(venue)
        if replay is None:
            replay = replays[venue] = Replay(lane, depth=options.depth)
            if options.into is not None:
                recording = recordings[venue] = Recording(venue, options.into, RotateRule())
                replay.recorder, replay.on_status = recording, recording.on_status
        if line.get("record") == "header" and venue in recordings:
            recordings[venue].adopt(line)
        replay.on_line(line)
        if count % FLUSH_EVERY == 0:
            for recording in recordings.values():
                recording.save()
            await (clock.sleep(0) if bus is None else bus.client.flush())
    for recording in recordings.values():
        recording.close()
    return replays


async def replay_to_bus(config: settings.Settings, options: argparse.Namespace) -> dict[str, Replay]:
    """Replay to the bus."""
    bus = await Bus(bus_options(config.bus, "replay")).connect()

    def on_gap(lost: int) -> None:
        _log.error("replay.lost", messages=lost)

    lane = LanePublisher(bus, on_gap=on_gap)
    try:
        return await play(options, RunLane(lane, options.run), bus)
    finally:
        lane.flush()
        await bus.close()


def main(arguments: list[str]) -> int:
    """Replay; gives the exit status."""
    options = parse(arguments)
    try:
        if options.stdout:
            replays = uvloop.run(play(options, PrintLane(), None))
            sys.stdout.flush()
        else:
            config = settings.load()
            logs.configure(logs.LogConfig("replay", config.logs.level, config.logs.directory, config.secrets()))
            replays = uvloop.run(replay_to_bus(config, options))
    except (settings.SettingsError, InvalidParameterError, FrameError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for venue, replay in sorted(replays.items()):
        sys.stderr.write(f"{venue}: {replay.lines['frame']} frames, {replay.undecodable} undecodable\n")
    return 0
