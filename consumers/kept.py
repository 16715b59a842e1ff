"""Prometheus figures of what consumers keep in memory for long, read when they are collected."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime.app.service import Sizes


class KeptMetrics(Collector):
    """The bytes by consumer and kind; those of a consumer that was made again are the new one's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sizes: dict[str, Sizes] = {}
        registry.register(self)

    def add(self, consumer: str, sizes: Sizes) -> None:
        """Ask a consumer from now on."""
        self._sizes[consumer] = sizes

    def describe(self) -> Iterator[Metric]:
        """Return the family, empty."""
        yield _family()

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they are now."""
        kept = _family()
        for consumer, sizes in self._sizes.items():
            for kind, size in sizes().items():
                kept.add_metric([consumer, kind], size)
        yield kept


def _family() -> GaugeMetricFamily:
    text = "Memory that a consumer keeps for long, its containers with it"
    return GaugeMetricFamily("hydrophone_consumer_kept_bytes", text, labels=["consumer", "kind"])
