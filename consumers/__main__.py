"""Composition root: `python -m consumers [name …]` runs the named consumers in one process, all when none is named."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while this loads and connects ends it without a traceback

import structlog
import uvloop
from prometheus_client import CollectorRegistry, Counter, Gauge

from consumers.registry import CONSUMERS
from runtime import clock, retry
from runtime.app.entry import run
from runtime.app.service import Service
from runtime.config.options import bus_options
from runtime.config.settings import Settings, SettingsError, load
from runtime.health import Health
from runtime.logging import logs
from runtime.metrics import BusMetrics
from runtime.monitor import monitor
from runtime.nats.bus import Bus

_log = structlog.get_logger("consumers")
_STOP_SECONDS = 20.0
_ALIVE_SECONDS = 60.0
_RESTART = retry.Policy(wait_initial=0.5, wait_max=30.0)
_LASTED_SECONDS = 60.0  # after running so long, a failure starts the backoff from its beginning
_ANYWHERE = "0.0.0.0"  # noqa: S104  # probes and Prometheus come from other machines


async def consume(settings: Settings, names: Sequence[str]) -> int:
    """Run consumers until a signal says stop: 0, or 1 where one of them did not end in time."""
    registry = CollectorRegistry()
    counts = Gauge("hydrophone_consumer_events", "What a consumer counted", ["consumer", "event"], registry=registry)
    stop = asyncio.Event()
    bus = await Bus(bus_options(settings.bus, "consumers"), metrics=BusMetrics(registry)).connect()
    # Until here a signal ends the process at once: there is nothing to put in order.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    health = Health()
    health.check("bus", lambda: None if bus.connected else "no server answers")
    restarts = Counter("hydrophone_consumer_restarts", "Times that it failed", ["consumer"], registry=registry)
    figures = _Figures(registry, counts, health, restarts)
    try:
        async with AsyncExitStack() as stack:
            if settings.logs.metrics_port:
                await stack.enter_async_context(monitor(_ANYWHERE, settings.logs.metrics_port, health, registry))
            return await _run_all([_Supervised(name, bus, stop, figures) for name in names], settings)
    finally:
        await bus.close()


async def _run_all(kept: Sequence[_Supervised], settings: Settings) -> int:
    """Run each until the signal; one that fails is started again, alone. 1 where one did not stop in time."""
    stop = kept[0].stop
    tasks = [asyncio.create_task(one.run(settings), name=one.name) for one in kept]
    await stop.wait()
    _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
    for task in late:
        _log.error("consumer.not_stopped", consumer=task.get_name(), seconds=_STOP_SECONDS)
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return 1 if late else 0


class _Supervised:
    """One consumer, started again with growing pauses whenever it fails; its neighbours go on meanwhile."""

    def __init__(self, name: str, bus: Bus, stop: asyncio.Event, figures: _Figures) -> None:
        self.name, self.stop = name, stop
        self._bus, self._figures = bus, figures
        self._problem: str | None = "starting"
        figures.health.check(name, lambda: self._problem)
        figures.restarts.labels(consumer=name)

    async def run(self, settings: Settings) -> None:
        """Return when it was stopped."""
        pauses = retry.delays(_RESTART)
        while not self.stop.is_set():
            began = clock.monotonic()
            try:
                await CONSUMERS[self.name](self._service(), settings)
                if self.stop.is_set():
                    break
                raise RuntimeError("it ended by itself")
            except Exception as error:  # noqa: BLE001  # said in the log, in readiness and in the metrics
                self._on_failure(error)
            if clock.monotonic() - began >= _LASTED_SECONDS:
                pauses = retry.delays(_RESTART)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), next(pauses))
        _log.info("consumer.stopped", consumer=self.name)

    def _service(self) -> Service:
        return Service(
            name=self.name,
            bus=self._bus,
            stop=self.stop,
            report=lambda event, value: self._figures.report(self.name, event, value),
            measure=self._figures.measure,
            ready=self._on_ready,
        )

    def _on_ready(self) -> None:
        self._problem = None
        _log.info("consumer.ready", consumer=self.name)

    def _on_failure(self, error: Exception) -> None:
        self._problem = f"starting again after {type(error).__name__}: {error}"
        self._figures.restarts.labels(consumer=self.name).inc()
        self._figures.health.end(self.name)
        _log.critical("consumer.failed", consumer=self.name, error=f"{type(error).__name__}: {error}", exc_info=True)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Where a consumer's figures go; each one counts as a sign of life."""

    registry: CollectorRegistry
    counts: Gauge
    health: Health
    restarts: Counter
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
    sys.exit(run(main))
