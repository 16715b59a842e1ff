"""`python -m producers record [venue …] --into DIR`: writes what the venues send to compressed, rotated files."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from contracts.errors import UnknownVenueError
from producers.connection.socket import OPENERS, OpenSocket
from producers.process import plans
from producers.producer import Producer, ProducerPlan
from producers.recording.recorder import Recording, RotateRule
from runtime import clock
from runtime.config import settings
from runtime.logging import logs
from runtime.nats.lanes.message import Parts

SAVE_EVERY = 0.5
_log = logs.get()


class Discard:
    """A lane for processes that only record: there is no bus."""

    def write(self, parts: Parts) -> None:
        """Drop it."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; wrong ones end the process with status 2 and say why."""
    parser = argparse.ArgumentParser(prog="python -m producers record", description=__doc__)
    parser.add_argument("venues", nargs="*", help="venues (default: HYDROPHONE_VENUES)")
    parser.add_argument("--into", type=Path, required=True, help="folder of the recording")
    parser.add_argument("--seconds", type=float, help="stop after so long (default: at Ctrl-C)")
    parser.add_argument("--rotate-mb", type=int, default=256, help="begin a new file after so many MiB, uncompressed")
    parser.add_argument("--rotate-seconds", type=int, default=3600, help="begin a new file after so long")
    return parser.parse_args(arguments)


async def record(
    work: list[tuple[ProducerPlan, Recording]], open_socket: OpenSocket, seconds: float | None
) -> list[Recording]:
    """Record until a signal, or for so many seconds; everything that arrived is on disk when it returns."""
    producers = [_producer(plan, recording, open_socket) for plan, recording in work]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    tasks = [asyncio.create_task(producer.run()) for producer in producers]
    recordings = [recording for _, recording in work]
    try:
        while not stop.is_set() and not any(task.done() for task in tasks):
            await clock.sleep(SAVE_EVERY)
            for recording in recordings:
                await asyncio.to_thread(recording.save)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for recording in recordings:
            recording.close()
    for task in tasks:
        if not task.cancelled():
            task.result()
    return recordings


def _producer(plan: ProducerPlan, recording: Recording, open_socket: OpenSocket) -> Producer:
    async def save(_venue: str, _body: bytes) -> None:
        recording.begin([feed.plan for feed in producer.feeds], producer.listed)

    producer = Producer(plan, Discard(), open_socket, save, recorder=recording)
    producer.publisher.on_status = recording.on_status
    return producer


def main(arguments: list[str]) -> int:
    """Record; gives the exit status."""
    options = parse(arguments)
    try:
        config = settings.load()
        work = plans(config.venues, options.venues)
    except (settings.SettingsError, UnknownVenueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure(logs.LogConfig("record", config.logs.level, config.logs.directory, config.secrets()))
    rule = RotateRule(options.rotate_mb * 1024 * 1024, options.rotate_seconds)
    whole = {plan.venue.id: replace(plan, group=(0, 1)) for plan in work}
    pairs = [(plan, Recording(venue, options.into, rule)) for venue, plan in whole.items()]
    for recording in uvloop.run(record(pairs, OPENERS[config.venues.socket], options.seconds)):
        _log.info("record.ended", venue=recording.venue, frames=recording.frames, lost=recording.lost)
    return 0
