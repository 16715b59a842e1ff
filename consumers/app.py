"""Composition root: every consumer of a process on one broker, for `faststream run consumers.app:app` as well.

`app` runs the consumers that HYDROPHONE_CONSUMERS names, all when it names none; it is made when it is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

import structlog
from faststream import FastStream
from prometheus_client import CollectorRegistry, Counter, Gauge

from consumers.kept import KeptMetrics
from consumers.registry import BY_ITSELF, CONSUMERS, NEED_DOCUMENTS, NEED_TELEGRAM
from runtime import clock, retry
from runtime.app.application import make_app, make_broker
from runtime.app.service import Service
from runtime.config.options import bus_options
from runtime.config.settings import Settings, load
from runtime.health import Health
from runtime.hops.metrics import HopMetrics
from runtime.logging import logs
from runtime.metrics import BusMetrics
from runtime.monitor import monitor
from runtime.nats.bus import Bus
from runtime.nats.durable import MissingDurableError
from runtime.nats.leases.standby import Standby
from runtime.shared import Shared
from runtime.tracing.exporting import make_tracing

_log = structlog.get_logger("consumers")
_STOP_SECONDS: Final = 20.0
_COMMAND_SECONDS: Final = 13.0  # the longest: candles, which exchanges are asked for
_ALIVE_SECONDS: Final = 60.0
_RESTART: Final = retry.Policy(wait_initial=0.5, wait_max=30.0)
_LASTED_SECONDS: Final = 60.0  # a consumer that ran so long fails for the first time again
_ANYWHERE: Final = "0.0.0.0"  # noqa: S104  # probes and Prometheus come from other machines


def __getattr__(name: str) -> FastStream:
    """Return the application that the settings describe, for FastStream's command line."""
    if name != "app":
        raise AttributeError(name)
    settings = load()
    configure_logs(settings)
    return Process(settings, chosen(settings)).app


def chosen(settings: Settings, named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the consumers to run: those named, else those of the settings, else all.

    All are those that run together: the books have a process of their own, and only where producers leave them to it.
    Raises LookupError for one that is unknown, or named and cannot run.
    """
    together = [name for name in CONSUMERS if name not in BY_ITSELF]
    names = tuple(dict.fromkeys(named or settings.parts.consumers or together))
    if "books" in names and settings.venues.books != "elsewhere":
        raise LookupError("books: the producers keep them (HYDROPHONE_BOOKS=elsewhere leaves them to this consumer)")
    for needing, why, setting in _unmet(settings):
        off = [name for name in names if name in needing]
        if off and (named or settings.parts.consumers):
            raise LookupError(f"{', '.join(off)}: {why}, and {setting} is not set")
        names = tuple(name for name in names if name not in off)
    if unknown := [name for name in names if name not in CONSUMERS]:
        raise LookupError(f"no such consumer: {', '.join(unknown)}; there are {', '.join(CONSUMERS)}")
    return names


def configure_logs(settings: Settings) -> None:
    """Start the process's log and write what the settings warn of."""
    logs.configure(logs.LogConfig("consumers", settings.logs.level, settings.logs.directory, settings.secrets()))
    for line in settings.warnings:
        _log.warning("settings", warning=line)
    for needing, _, setting in _unmet(settings):
        _log.warning("consumers.off", consumers=sorted(needing), reason=f"{setting} is not set")


def _unmet(settings: Settings) -> list[tuple[frozenset[str], str, str]]:
    """Return the consumers that cannot run, with why, and the setting that is missing."""
    needs = (
        (settings.store.url, NEED_DOCUMENTS, "documents are kept", "MONGO_URL"),
        (settings.telegram.token, NEED_TELEGRAM, "a bot sends", "TELEGRAM_BOT_TOKEN"),
    )
    return [(needing, why, setting) for value, needing, why, setting in needs if value is None]


class Process:
    """The consumers of one process: connects before its broker does, starts after it, stops before it."""

    def __init__(self, settings: Settings, names: Sequence[str]) -> None:
        self.late = 0  # consumers that did not stop in time
        self._settings = settings
        self._registry = CollectorRegistry()
        self._bus = Bus(
            bus_options(settings.bus, "consumers"),
            metrics=BusMetrics(self._registry),
            tracing=make_tracing(settings.traces, "consumers"),
        )
        self._broker = make_broker(self._bus, "consumers", self._registry, seconds=_COMMAND_SECONDS)
        self._figures = _Figures.on(self._registry)
        self._shared = Shared()
        self._stop = asyncio.Event()
        self._supervised = [_Supervised(name, self) for name in names]
        self._tasks: list[asyncio.Task[None]] = []
        self._standby = Standby(self._bus, group) if (group := settings.parts.standby) else None
        self._standing: asyncio.Task[None] | None = None
        self._monitor = AsyncExitStack()
        self.app = make_app(self._broker, [one.made.router for one in self._supervised if one.made.router is not None])
        self.app.on_startup(self._connect)
        self.app.after_startup(self._start)
        self.app.on_shutdown(self._end)
        self.app.after_shutdown(self._close)

    async def _connect(self) -> None:
        await self._bus.connect()
        self._figures.health.check("bus", lambda: None if self._bus.connected else "no server answers")
        port = self._settings.logs.metrics_port
        if port:
            await self._monitor.enter_async_context(monitor(_ANYWHERE, port, self._figures.health, self._registry))

    async def _start(self) -> None:
        client = await self._broker.connect()
        self._figures.health.check("broker", lambda: None if client.is_connected else "no server answers")
        if self._standby is None:
            self._run_all()
        else:
            self._standing = asyncio.create_task(self._stand_by(self._standby), name="standby")

    def _run_all(self) -> None:
        self._tasks = [asyncio.create_task(one.run(), name=one.name) for one in self._supervised]

    async def _stand_by(self, standby: Standby) -> None:
        for one in self._supervised:
            one.on_standby()
        await standby.wait()
        if not self._stop.is_set():
            self._run_all()
            await standby.keep()

    async def _end(self) -> None:
        self._stop.set()
        if self._standing is not None:
            self._standing.cancel()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        self.late = len(late)
        for task in late:
            _log.error("consumer.not_stopped", consumer=task.get_name(), seconds=_STOP_SECONDS)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _close(self) -> None:
        if self._standby is not None:
            await self._standby.release()
        await self._monitor.aclose()
        await self._bus.close()

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the consumers are to stop."""
        return self._stop

    @property
    def settings(self) -> Settings:
        """What the consumers are made from."""
        return self._settings

    @property
    def figures(self) -> _Figures:
        """Where the consumers' figures go."""
        return self._figures

    def service(self, name: str, one: _Supervised) -> Service:
        """Return what one run of a consumer is given."""
        return Service(
            name=name,
            bus=self._bus,
            broker=self._broker,
            shared=self._shared,
            stop=self._stop,
            report=lambda event, value: self._figures.report(name, event, value),
            measure=self._figures.measure,
            hop=self._figures.hops.observe,
            keeps=lambda sizes: self._figures.kept.add(name, sizes),
            ready=one.on_ready,
        )


class _Supervised:
    """One consumer, made and started again with growing pauses whenever it fails; its neighbours go on meanwhile."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.made = CONSUMERS[name](process.settings)
        self._process, self._figures = process, process.figures
        self._problem: str | None = "starting"
        self._figures.health.check(name, lambda: self._problem)
        self._figures.restarts.labels(consumer=name)

    async def run(self) -> None:
        """Return when it was stopped."""
        stop, pauses = self._process.stopping, retry.delays(_RESTART)
        while not stop.is_set():
            began, taken = clock.monotonic(), False
            try:
                await self.made.run(self._process.service(self.name, self))
                if stop.is_set():
                    break
                raise RuntimeError("it ended by itself")
            except Exception as error:  # noqa: BLE001  # said in the log, in readiness and in the metrics
                self._on_failure(error)
                taken = _is_taken(error)
            if taken or clock.monotonic() - began >= _LASTED_SECONDS:
                pauses = retry.delays(_RESTART)
            with suppress(TimeoutError):
                async with asyncio.timeout(next(pauses)):
                    await stop.wait()
            self.made = CONSUMERS[self.name](self._process.settings)
        _log.info("consumer.stopped", consumer=self.name)

    def on_standby(self) -> None:
        """Another process of the group works: this one is as ready as it gets."""
        self._problem = None

    def on_ready(self) -> None:
        """Say that it reads live."""
        self._problem = None
        _log.info("consumer.ready", consumer=self.name)

    def _on_failure(self, error: Exception) -> None:
        self._problem = f"starting again after {type(error).__name__}: {error}"
        self._figures.restarts.labels(consumer=self.name).inc()
        self._figures.health.end(self.name)
        _log.critical("consumer.failed", consumer=self.name, error=f"{type(error).__name__}: {error}", exc_info=True)


def _is_taken(error: BaseException) -> bool:
    """Return whether it was a durable that somebody took away: it comes back, and no pause that grows would help."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(MissingDurableError) is not None
    return isinstance(error, MissingDurableError)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Where a consumer's figures go; that they come shows that it lives."""

    registry: CollectorRegistry
    counts: Gauge
    health: Health
    restarts: Counter
    hops: HopMetrics
    kept: KeptMetrics
    feeds: dict[str, Gauge] = field(default_factory=dict[str, Gauge])

    @classmethod
    def on(cls, registry: CollectorRegistry) -> _Figures:
        labels = ["consumer", "event"]
        counts = Gauge("hydrophone_consumer_events", "What a consumer counted", labels, registry=registry)
        restarts = Counter("hydrophone_consumer_restarts", "Times that it failed", ["consumer"], registry=registry)
        return cls(registry, counts, Health(), restarts, HopMetrics(registry), KeptMetrics(registry))

    def report(self, name: str, event: str, value: int) -> None:
        self.health.beat(name, _ALIVE_SECONDS)
        self.counts.labels(consumer=name, event=event).set(value)

    def measure(self, figure: str, venue: str, value: float) -> None:
        gauge = self.feeds.get(figure)
        if gauge is None:
            name, text = f"hydrophone_feed_{figure}", "Of a venue's feed, as consumers see it"
            gauge = self.feeds[figure] = Gauge(name, text, ["venue"], registry=self.registry)
        gauge.labels(venue=venue).set(value)
