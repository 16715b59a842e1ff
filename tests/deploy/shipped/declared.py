"""Every metric that the parts declare, by the names of its samples, with its labels, from registries like theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from api.analytics.recorder import RequestRecorder
from api.cache.metrics import CacheMetrics
from api.http.middleware import HttpMetrics
from api.stream.hub import StreamMetrics
from consumers.app import _Figures  # pyright: ignore[reportPrivateUsage]
from consumers.cache.feeds import Feed
from producers.metrics import ProducerCollector
from runtime.app.application import make_broker
from runtime.hops.metrics import HopMetrics
from runtime.metrics import BusMetrics
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.figures import StreamFigures

ROOT = Path(__file__).parents[3]
ROOMS = ("runtime", "producers", "consumers", "api", "bot", "deploy")
ADDED = frozenset({"job", "instance"})  # by Prometheus, to everything
SAMPLES = {
    "counter": {"_total": ()},
    "gauge": {"": ()},
    "histogram": {"_bucket": ("le",), "_sum": (), "_count": ()},
}


def registries() -> tuple[CollectorRegistry, ...]:
    every, producers, consumers, api, healer = (CollectorRegistry() for _ in range(5))
    bus = Bus(BusOptions(servers=("nats://127.0.0.1:1",), name="test"), metrics=BusMetrics(every))
    make_broker(bus, "test", every)
    producers.register(ProducerCollector([], HopMetrics(producers)))
    figures, feed = _Figures.on(consumers), Feed("binance")
    for now in range(5):
        feed.on_latency("trade", SimpleNamespace(ts_event=now, ts_recv=now + 1), now + 2)
    for figure, value in feed.measure().items():
        figures.measure(figure, feed.venue, value)
    HttpMetrics(api)
    StreamMetrics(api)
    CacheMetrics(api, dict)
    RequestRecorder(bus, api)
    StreamFigures(healer)
    return every, producers, consumers, api, healer


def families(registry: CollectorRegistry) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """The name, kind and labels of each metric of a registry."""
    for collector in registry._collector_to_names:
        one: Any = collector
        if hasattr(one, "_labelnames"):
            yield one._name, one._type, one._labelnames
        else:
            yield from ((found.name, found.type, found._labelnames) for found in one.collect())


def declared() -> dict[str, frozenset[str]]:
    """Labels by the name of each sample."""
    found: dict[str, frozenset[str]] = {}
    for registry in registries():
        for name, kind, labels in families(registry):
            for ending, more in SAMPLES[kind].items():
                found[name + ending] = frozenset({*labels, *more, *ADDED})
    return found


def named_in_code() -> set[str]:
    """Every metric's name that stands in the code as it is."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {name for path in files for name in re.findall(r'"(hydrophone_[a-z_]+)"', path.read_text())}
