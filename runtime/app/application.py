"""The FastStream application of a process: one broker with the house's middlewares, and what AsyncAPI says of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from faststream import FastStream
from faststream.nats import NatsRouter
from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from faststream.nats.prometheus.provider import NatsMetricsSettingsProvider
from faststream.prometheus import ConsumeAttrs
from faststream.prometheus.middleware import PrometheusMiddleware
from prometheus_client import CollectorRegistry

from runtime.app.commands import Commands
from runtime.app.contract_decoder import decode_by_contract
from runtime.app.settling import Settling
from runtime.app.specification import SERVER, BusSpecification
from runtime.nats.broker import Broker
from runtime.nats.bus import Bus, subject_class
from runtime.nats.durable import DurableRule


class _BySubjectClass(NatsMetricsSettingsProvider):
    """Labels messages with the class of their subject: FastStream's own label is the subject, symbols and all."""

    def get_consume_attrs_from_message(self, msg: Any) -> ConsumeAttrs:
        found = super().get_consume_attrs_from_message(msg)
        return {**found, "destination_name": subject_class(found["destination_name"])}

    def get_publish_destination_name_from_cmd(self, cmd: Any) -> str:
        return subject_class(cmd.destination)


def make_broker(
    bus: Bus, name: str, registry: CollectorRegistry, *, rule: DurableRule | None = None, seconds: float = 10.0
) -> Broker:
    """Return the process's broker: commands within `seconds`, durables by `rule`, FastStream's metrics and traces.

    Of the middlewares the last is the innermost: metrics and traces see what ours make of an error's message.
    """
    metrics = PrometheusMiddleware[Any, Any](
        settings_provider_factory=lambda _: _BySubjectClass(),
        registry=registry,
        app_name=name,
        metrics_prefix="hydrophone_faststream",
    )
    traces = NatsTelemetryMiddleware(tracer_provider=bus.tracing.provider)
    return Broker(
        bus.options,
        on_drop=bus.count_drop,
        decoder=decode_by_contract,
        middlewares=(Commands(seconds), Settling(bus, rule or DurableRule()), metrics, traces),
        specification_url=bus.options.places().split(", "),
        description=SERVER,
    )


def make_app(broker: Broker, routers: Iterable[NatsRouter] = ()) -> FastStream:
    """Return the application; `routers` are described from the start, and served by whoever owns them."""
    broker.include_routers(*routers)
    return FastStream(broker, logger=None, specification=BusSpecification(broker.specification.url))
