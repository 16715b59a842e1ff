"""What streams hold and durables have before them, as Prometheus figures; read from answers that the healer has."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from runtime.health import Health, connected_check
from runtime.monitor import monitor
from runtime.nats.bus import Bus

_ANYWHERE: Final = "0.0.0.0"  # noqa: S104  # probes and Prometheus come from other machines


class StreamFigures:
    """Messages and bytes by stream, and by durable what was not delivered, or delivered and not acknowledged."""

    def __init__(self, registry: CollectorRegistry) -> None:
        stream, durable = ["stream"], ["stream", "durable"]
        self._messages = Gauge("hydrophone_stream_messages", "Messages in a stream", stream, registry=registry)
        self._bytes = Gauge("hydrophone_stream_bytes", "Bytes in a stream", stream, registry=registry)
        self._full = Gauge("hydrophone_stream_limit_bytes", "Bytes that it may hold", stream, registry=registry)
        self._pending = Gauge("hydrophone_durable_pending", "Messages not delivered", durable, registry=registry)
        self._unacknowledged = Gauge(
            "hydrophone_durable_unacknowledged", "Messages delivered and not acknowledged", durable, registry=registry
        )
        self.healed = Counter(
            "hydrophone_provision_healed", "Times that it was made again", ["place"], registry=registry
        )

    def observe(self, answer: Mapping[str, Any]) -> None:
        """Take an answer of the server to STREAM.INFO or CONSUMER.INFO."""
        if "stream_name" in answer:
            names = answer["stream_name"], answer["name"]
            self._pending.labels(*names).set(answer["num_pending"])
            self._unacknowledged.labels(*names).set(answer["num_ack_pending"])
            return
        name, state = answer["config"]["name"], answer["state"]
        self._messages.labels(name).set(state["messages"])
        self._bytes.labels(name).set(state["bytes"])
        if (limit := answer["config"].get("max_bytes", -1)) > 0:
            self._full.labels(name).set(limit)


@asynccontextmanager
async def watching(bus: Bus, port: int, places: Iterable[str]) -> AsyncGenerator[tuple[StreamFigures, Health]]:
    """Give where figures and beats go; served on the port for as long as the block lasts, nowhere where it is 0.

    `places`: what may be made again. Each is counted from 0, or Prometheus would see no increase the first time.
    """
    registry, health = CollectorRegistry(), Health()
    health.check("bus", connected_check(lambda: bus.connected))
    async with AsyncExitStack() as stack:
        if port:
            await stack.enter_async_context(monitor(_ANYWHERE, port, health, registry))
        figures = StreamFigures(registry)
        for place in places:
            figures.healed.labels(place)
        yield figures, health
