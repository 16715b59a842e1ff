"""Composition root: `python -m consumers [name …]` runs the named consumers in one process, all when none is named."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog
import uvloop
from prometheus_client import CollectorRegistry, Gauge

from consumers.registry import CONSUMERS
from runtime import logs
from runtime.bus import Bus
from runtime.health import Health
from runtime.metrics import BusMetrics
from runtime.monitor import monitor
from runtime.options import bus_options
from runtime.service import Service
from runtime.settings import Settings, SettingsError, load

_log = structlog.get_logger("consumers")
_STOP_SECONDS = 20.0
_ALIVE_SECONDS = 60.0
_ANYWHERE = "0.0.0.0"  # noqa: S104  # probes and Prometheus come from other machines


async def consume(settings: Settings, names: Sequence[str]) -> int:
    """Run consumers until a signal says stop (0), or one of them fails (1): a supervisor starts the process again."""
    registry = CollectorRegistry()
    counts = Gauge("hydrophone_consumer_events", "What a consumer counted", ["consumer", "event"], registry=registry)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bus = await Bus(bus_options(settings.bus, "consumers"), metrics=BusMetrics(registry)).connect()
    health = Health()
    health.check("bus", lambda: None if bus.connected else "no server answers")
    figures = _Figures(registry, counts, health)
    services = [_service(name, bus, stop, figures) for name in names]
    try:
        async with AsyncExitStack() as stack:
            if settings.logs.metrics_port:
                await stack.enter_async_context(monitor(_ANYWHERE, settings.logs.metrics_port, health, registry))
            return await _run_all(services, settings, stop)
    finally:
        await bus.close()


async def _run_all(services: Sequence[Service], settings: Settings, stop: asyncio.Event) -> int:
    """The first that fails stops the others in good order."""
    tasks = [asyncio.create_task(_run(service, settings), name=service.name) for service in services]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
    for task in late:
        _log.error("consumer.not_stopped", consumer=task.get_name(), seconds=_STOP_SECONDS)
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return 1 if late or not all(task.result() for task in tasks if task not in late) else 0


async def _run(service: Service, settings: Settings) -> bool:
    try:
        await CONSUMERS[service.name](service, settings)
    except Exception as error:  # noqa: BLE001  # said here, told by the exit status
        _log.critical("consumer.failed", consumer=service.name, error=f"{type(error).__name__}: {error}", exc_info=True)
        return False
    _log.info("consumer.stopped", consumer=service.name)
    return True


@dataclass(frozen=True, slots=True)
class _Figures:
    """Where a consumer's figures go; that they come tells that it lives."""

    registry: CollectorRegistry
    counts: Gauge
    health: Health
    feeds: dict[str, Gauge] = field(default_factory=dict[str, Gauge])

    def report(self, name: str, event: str, value: int) -> None:
        self.health.beat(name, _ALIVE_SECONDS)
        self.counts.labels(consumer=name, event=event).set(value)

    def measure(self, figure: str, venue: str, seconds: float) -> None:
        gauge = self.feeds.get(figure)
        if gauge is None:
            name, text = f"hydrophone_feed_{figure}_seconds", "Part of the way from a venue to a consumer"
            gauge = self.feeds[figure] = Gauge(name, text, ["venue"], registry=self.registry)
        gauge.labels(venue=venue).set(seconds)


def _service(name: str, bus: Bus, stop: asyncio.Event, figures: _Figures) -> Service:
    return Service(
        name=name,
        bus=bus,
        stop=stop,
        report=lambda event, value: figures.report(name, event, value),
        measure=figures.measure,
        ready=lambda: _log.info("consumer.ready", consumer=name),
    )


def main(arguments: list[str]) -> int:
    """Run what the command line names; 2 where it or the settings cannot be understood."""
    unknown = [name for name in arguments if name not in CONSUMERS]
    if unknown:
        print(f"no such consumer: {', '.join(unknown)}; there are {', '.join(CONSUMERS)}", file=sys.stderr)
        return 2
    try:
        settings = load()
        bus_options(settings.bus, "consumers")
    except (SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure(logs.LogConfig("consumers", settings.logs.level, settings.logs.directory, settings.secrets()))
    for line in settings.warnings:
        _log.warning("settings", warning=line)
    return uvloop.run(consume(settings, tuple(dict.fromkeys(arguments)) or tuple(CONSUMERS)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
