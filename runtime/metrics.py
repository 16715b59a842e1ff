"""Metrics of a process, on a registry that is passed in; labels are venue and event, never symbol or user."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_HOP_BUCKETS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)  # seconds


class BusMetrics:
    """The connection's own figures: reconnects, losses by class of subject, round trip in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge("hydrophone_bus_connected", "1 while a server answers", registry=registry)
        self.reconnects = Counter("hydrophone_bus_reconnects", "Connections made again", registry=registry)
        self.rtt = Gauge("hydrophone_bus_rtt_seconds", "Last ping's round trip", registry=registry)
        self.dropped = Counter(
            "hydrophone_bus_dropped", "Messages lost on this side of the bus", ["event"], registry=registry
        )


class HopMetrics:
    """`hydrophone_hop_seconds` of a process; the venue is `all` for what is of none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "hydrophone_hop_seconds",
            "Part of an event's way, by samples",
            ["hop", "venue", "kind"],
            buckets=_HOP_BUCKETS,
            registry=registry,
        )

    def observe(self, hop: str, venue: str, kind: str, seconds: float) -> None:
        """Count a sample."""
        self._histogram.labels(hop, venue, kind).observe(seconds)
