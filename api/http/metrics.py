"""What this face counts of HTTP, on a registry that is passed in; no label is a symbol or a key."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class HttpMetrics:
    """Requests by route, method and status, and how long they took in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "hydrophone_http_requests", "Answers", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "hydrophone_http_request_seconds", "Time to the answer", ["route"], registry=registry, buckets=_BUCKETS
        )

    def on_answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        named = method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "(other)"
        self._requests.labels(route, named, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
