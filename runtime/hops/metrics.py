"""The samples of every hop as a Prometheus histogram, on a registry that is passed in.

`receive`, `publish` and `fold` are of `times` beside this; `reply` is a question to the market core, `push` a message
to WebSockets, `post` one to a webhook, `send` one to Telegram.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Histogram

_BUCKETS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)  # seconds


class HopMetrics:
    """`hydrophone_hop_seconds` of a process; the venue is `all` for what is of none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "hydrophone_hop_seconds",
            "Part of an event's way, by samples",
            ["hop", "venue", "kind"],
            buckets=_BUCKETS,
            registry=registry,
        )

    def observe(self, hop: str, venue: str, kind: str, seconds: float) -> None:
        """Count a sample."""
        self._histogram.labels(hop, venue, kind).observe(seconds)
