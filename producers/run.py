"""Composition root of the sockets: settings in, one process that holds every venue until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence

import uvloop
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry

from contracts import streams
from contracts.errors import UnknownVenueError
from contracts.symbols import find_venue
from producers.desk import BookPace
from producers.meters import ProducerCollector
from producers.registry import VENUES
from producers.service import Producer, ProducerPlan
from producers.socket import OPENERS
from runtime import logs, settings
from runtime.bus import Bus
from runtime.lane import LanePublisher
from runtime.metrics import BusMetrics
from runtime.options import bus_options
from runtime.retry import Policy, retried

UNTIL_WRITTEN = Policy(attempts=None, timeout=None)
SOCKET = "picows"


def plans(config: settings.VenueSettings, names: Sequence[str]) -> list[ProducerPlan]:
    """Lay out what each venue's producer does; raises UnknownVenueError that lists the supported ones."""
    pace = BookPace(interval=config.book_interval_ms / 1000, depth=config.book_depth)
    chosen = [find_venue(name, VENUES) for name in (names or config.venues)]
    return [
        ProducerPlan(
            venue=VENUES[venue],
            symbols=config.symbols,
            ws_url=config.ws_urls.get(venue) or None,
            rest_url=config.rest_urls.get(venue) or None,
            pace=pace,
        )
        for venue in dict.fromkeys(chosen)
    ]


async def produce(config: settings.Settings, work: list[ProducerPlan]) -> None:
    """Run every venue until the process is told to stop."""
    registry = CollectorRegistry()
    bus = await Bus(bus_options(config.bus, "producers"), metrics=BusMetrics(registry)).connect()
    producers: list[Producer] = []

    def on_gap(lost: int) -> None:
        for producer in producers:
            producer.on_bus_gap(lost)

    async def save_instruments(venue: str, body: bytes) -> None:
        bucket = bus.jetstream()

        async def put() -> None:
            await (await bucket.key_value(streams.INSTRUMENTS)).put(venue, body)

        await retried(put, on=NatsError, policy=UNTIL_WRITTEN)

    lane = LanePublisher(bus, on_gap=on_gap)
    producers += [Producer(plan, lane, OPENERS[SOCKET], save_instruments) for plan in work]
    registry.register(ProducerCollector(producers))
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await _until(stop, producers)
    lane.flush()
    await bus.close()


async def _until(stop: asyncio.Event, producers: Sequence[Producer]) -> None:
    """Run the producers until `stop`; an unexpected error of one ends the process, a supervisor starts it again."""
    tasks = [asyncio.create_task(producer.run(), name=producer.venue.id) for producer in producers]
    waiter = asyncio.create_task(stop.wait(), name="stop")
    done, _ = await asyncio.wait([*tasks, waiter], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiter):
        task.cancel()
    await asyncio.wait([*tasks, waiter])
    for task in done:
        if task is not waiter:
            task.result()


def main(arguments: list[str]) -> int:
    """Hold the sockets of these venues (of the settings' where none is named) until told to stop; gives the status."""
    try:
        config = settings.load()
        work = plans(config.venues, arguments)
    except (settings.SettingsError, UnknownVenueError) as error:
        supported = f"\nsupported venues: {', '.join(sorted(VENUES))}" if isinstance(error, UnknownVenueError) else ""
        sys.stderr.write(f"{error}{supported}\n")
        return 2
    logs.configure(logs.LogConfig("producers", config.logs.level, config.logs.directory, config.secrets()))
    uvloop.run(produce(config, work))
    return 0
