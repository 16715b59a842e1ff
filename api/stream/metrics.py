"""What this face counts of streams, on a registry that is passed in; no label is a symbol or a key."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class StreamMetrics:
    """Stream clients, what was sent to them, and what they were too slow for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.clients = Gauge("hydrophone_stream_clients", "Clients now", registry=registry)
        self.dropped = Counter(
            "hydrophone_stream_dropped", "Messages that clients were too slow for", ["how"], registry=registry
        )
        self.closed_slow = Counter("hydrophone_stream_closed_slow", "Clients closed as too slow", registry=registry)
