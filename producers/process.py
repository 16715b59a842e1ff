"""Composition root of the sockets: settings in, one process that holds every venue until it is stopped."""

from __future__ import annotations

import asyncio
import gzip
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TypedDict

import msgspec
import structlog
import uvloop
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry

from contracts import streams, subjects
from contracts.errors import InvalidParameterError, UnknownVenueError
from contracts.instrument import Instrument
from contracts.symbols import find_venue
from producers.connection.socket import OPENERS
from producers.feed_service import FeedService
from producers.history_service import HistoryService, make_router
from producers.metrics import ProducerCollector
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.rest.rate_limit import SharedRateLimit
from producers.standby import GatedLane, Unit
from producers.traced_lane import TracedLane
from producers.upkeep import Upkeep
from producers.venue import Venue
from runtime.app.application import make_broker
from runtime.app.entry import freeze_imports
from runtime.app.serving import Serving
from runtime.book.books import BookPace
from runtime.config import settings
from runtime.config.options import bus_options
from runtime.health import Health, connected_check
from runtime.hops.metrics import HopMetrics
from runtime.logging import logs
from runtime.metrics import BusMetrics
from runtime.monitor import monitor
from runtime.nats.bus import Bus
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.leases.lease import Lease
from runtime.retry import Policy, retried
from runtime.tracing.exporting import make_tracing

_log = structlog.get_logger("producer")
UNTIL_WRITTEN = Policy(attempts=None, timeout=None)
LEASE_SECONDS = 5.0
HISTORY_SECONDS = 9.0
ANYWHERE = "0.0.0.0"  # noqa: S104  # probes and Prometheus come from other machines


class _Addresses(TypedDict):
    ws_url: str | None
    rest_url: str | None
    sandbox: bool


def plans(config: settings.VenueSettings, names: Sequence[str]) -> list[ProducerPlan]:
    """Return what each producer does: `okx` is all groups of a venue's symbols, `okx/1` one of them.

    Raises UnknownVenueError that lists the supported ones, InvalidParameterError for a group that there is not.
    """
    pace = BookPace(interval=config.book_interval_ms / 1000, depth=config.book_depth)
    units: dict[tuple[str, int], None] = {}
    for name in names or config.venues:
        text, slash, number = name.partition("/")
        venue = find_venue(text, VENUES)
        if slash and not (number.isdecimal() and int(number) < config.symbol_groups):
            raise InvalidParameterError(
                f"{name}: there are groups 0 to {config.symbol_groups - 1} (HYDROPHONE_SYMBOL_GROUPS)", parameter=name
            )
        units.update({(venue, group): None for group in ([int(number)] if slash else range(config.symbol_groups))})
    return [
        ProducerPlan(
            venue=VENUES[venue],
            symbols=config.symbols,
            **_addresses(config, VENUES[venue]),
            pace=pace,
            group=(group, config.symbol_groups),
            refresh=config.listing_minutes * 60.0,
            books_elsewhere=config.books == "elsewhere",
        )
        for venue, group in units
    ]


def _addresses(config: settings.VenueSettings, venue: Venue) -> _Addresses:
    """Return where a venue is: addresses of the settings first, then its test network where that is wanted."""
    ws_url, rest_url = config.ws_urls.get(venue.id), config.rest_urls.get(venue.id)
    if not config.sandbox or venue.sandbox is None or ws_url or rest_url:
        return {"ws_url": ws_url or None, "rest_url": rest_url or None, "sandbox": False}
    return {"ws_url": venue.sandbox.ws_url, "rest_url": venue.sandbox.rest_url, "sandbox": True}


def log_sandboxes(work: Iterable[ProducerPlan]) -> None:
    """Log for each venue whether its test network is used, where test networks are wanted."""
    for venue, plan in {plan.venue.id: plan for plan in work}.items():
        if plan.sandbox:
            _log.info("venue.sandbox", venue=venue, ws_url=plan.ws_url, rest_url=plan.rest_url)
        else:
            reason = "no test network is known" if plan.venue.sandbox is None else "its addresses are set"
            _log.warning("venue.no_sandbox", venue=venue, reason=reason)


async def produce(config: settings.Settings, work: list[ProducerPlan]) -> None:
    """Run every unit until the process receives a signal."""
    if config.venues.sandbox:
        log_sandboxes(work)
    registry = CollectorRegistry()
    tracing = make_tracing(config.traces, "producers")
    bus = await Bus(bus_options(config.bus, "producers"), metrics=BusMetrics(registry), tracing=tracing).connect()
    units: list[Unit] = []

    def on_gap(lost: int) -> None:
        for unit in units:
            unit.producer.on_bus_gap(lost)

    lane = LanePublisher(bus, on_gap=on_gap)
    units += [_unit(plan, lane, bus, config.venues) for plan in work]
    registry.register(ProducerCollector([unit.producer for unit in units], HopMetrics(registry)))
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        if config.logs.metrics_port:
            health = Health()
            health.check("bus", connected_check(lambda: bus.connected))
            await stack.enter_async_context(monitor(ANYWHERE, config.logs.metrics_port, health, registry))
        broker = make_broker(bus, "producers", registry, seconds=HISTORY_SECONDS)
        stack.push_async_callback(broker.stop)
        await broker.start()
        history = HistoryService({unit.producer.venue.id: unit.producer for unit in units})
        serving = Serving(bus, broker, make_router(history))
        stack.push_async_callback(serving.close)
        await serving.open()
        if config.venues.books == "elsewhere":
            _log.info("books.elsewhere", reason="only their continuity is checked here, and no checksum")
        feeds = FeedService(units)
        stack.push_async_callback(feeds.close)
        await feeds.open(bus)
        await _run_until(stop, units, bus)
    lane.flush()
    await bus.close()


class BusListings:
    """The cache of listings on the bus (`producers.listing.ListingCache`)."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def save(self, unit: str, listed: Sequence[Instrument], *, sim: bool) -> None:
        """Keep the listing where it is another one; where the bus does not take it now, the next one will do."""
        body = gzip.compress(msgspec.json.encode(listed), 3, mtime=0)
        try:
            if await self.load(unit) != listed:
                headers = {subjects.HEADER_SIMULATED: "1"} if sim else None
                await self._bus.jetstream().publish(f"$KV.{streams.LISTINGS}.{unit}", body, headers=headers)
        except NatsError as error:
            _log.warning("listing.not_kept", unit=unit, error=str(error) or type(error).__name__)

    async def load(self, unit: str) -> list[Instrument] | None:
        """Return the kept listing; None where there is none, or it cannot be read."""
        try:
            entry = await (await self._bus.jetstream().key_value(streams.LISTINGS)).get(unit)
        except NatsError:
            return None
        return msgspec.json.decode(gzip.decompress(entry.value or b""), type=list[Instrument])


async def save_instruments(bus: Bus, unit: str, body: bytes) -> None:
    """Write what a unit follows into the bucket of instruments, until it is written."""
    store = bus.jetstream()

    async def put() -> None:
        await (await store.key_value(streams.INSTRUMENTS)).put(unit, body)

    await retried(put, on=NatsError, policy=UNTIL_WRITTEN)


def _unit(plan: ProducerPlan, lane: LanePublisher, bus: Bus, config: settings.VenueSettings) -> Unit:
    gate = GatedLane(TracedLane(lane, bus.tracing) if bus.tracing.ratio else lane)
    rate_limit = SharedRateLimit(bus, plan.venue.id, plan.venue.rest.budget, config.rate_limit)
    save = partial(save_instruments, bus)
    producer = Producer(plan, gate, OPENERS[config.socket], save, rate_limit=rate_limit, cache=BusListings(bus))
    return Unit(plan.name, producer, gate)


def _lease(bus: Bus, unit: Unit, on_lost: Callable[[], None]) -> Lease:
    key = subjects.LEASE_PRODUCERS + unit.name
    return Lease(bus, key, on_lost=on_lost, ttl=LEASE_SECONDS, about=unit.producer.describe)


async def _run_until(stop: asyncio.Event, units: Sequence[Unit], bus: Bus) -> None:
    """Run the units until `stop`; an unexpected error of one ends the process, a supervisor starts it again."""
    tasks = [asyncio.create_task(unit.run(partial(_lease, bus, unit)), name=unit.name) for unit in units]
    tasks.append(asyncio.create_task(Upkeep(units).run(bus), name="upkeep"))
    waiter = asyncio.create_task(stop.wait(), name="stop")
    done, _ = await asyncio.wait([*tasks, waiter], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiter):
        task.cancel()
    await asyncio.wait([*tasks, waiter])
    for task in done:
        if task is not waiter:
            task.result()


def main(arguments: list[str]) -> int:
    """Hold the sockets of these venues (the settings' where none is named) until a signal; returns the exit status."""
    try:
        config = settings.load()
        work = plans(config.venues, arguments)
        bus_options(config.bus, "producers")
    except (ValueError, UnknownVenueError, InvalidParameterError) as error:
        supported = f"\nsupported venues: {', '.join(sorted(VENUES))}" if isinstance(error, UnknownVenueError) else ""
        sys.stderr.write(f"{error}{supported}\n")
        return 2
    logs.configure(logs.LogConfig("producers", config.logs.level, config.logs.directory, config.secrets()))
    freeze_imports()  # this module is imported late
    uvloop.run(produce(config, work))
    return 0
