"""Prometheus figures of what is kept, read when they are collected: nothing is counted twice on a request's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.services.replies.market import ClassStatus


class CacheMetrics(Collector):
    """Hits, misses and entries by class."""

    def __init__(self, registry: CollectorRegistry, by_class: Callable[[], Mapping[str, ClassStatus]]) -> None:
        self._by_class = by_class
        registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """Return the families, empty."""
        return iter(self._families())

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they are now."""
        hits, misses, entries = self._families()
        for name, status in self._by_class().items():
            hits.add_metric([name], status.hits)
            misses.add_metric([name], status.misses)
            entries.add_metric([name], status.entries)
        return iter((hits, misses, entries))

    def _families(self) -> tuple[CounterMetricFamily, CounterMetricFamily, GaugeMetricFamily]:
        return (
            CounterMetricFamily("hydrophone_cache_hits", "Answers from memory", labels=["class"]),
            CounterMetricFamily("hydrophone_cache_misses", "Answers that had to be requested", labels=["class"]),
            GaugeMetricFamily("hydrophone_cache_entries", "What is kept", labels=["class"]),
        )
