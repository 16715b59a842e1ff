"""Metrics of a process, on a registry that is passed in; labels are venue and event, never symbol or user."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class BusMetrics:
    """The connection's own figures: reconnects, losses by class of subject, round trip in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge("hydrophone_bus_connected", "1 while a server answers", registry=registry)
        self.reconnects = Counter("hydrophone_bus_reconnects", "Connections made again", registry=registry)
        self.rtt = Gauge("hydrophone_bus_rtt_seconds", "Last ping's round trip", registry=registry)
        self.dropped = Counter(
            "hydrophone_bus_dropped", "Messages lost on this side of the bus", ["event"], registry=registry
        )
