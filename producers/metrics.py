"""What producers count, read only when somebody asks: nothing is paid for it on the hot path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from producers.producer import Producer
from runtime.hops.metrics import HopMetrics

OUTCOMES: Final = ("right", "wrong", "open")


class ProducerCollector(Collector):
    """Prometheus metrics of the producers of this process; labels are venue and event."""

    def __init__(self, producers: Sequence[Producer], hops: HopMetrics) -> None:
        self._producers, self._hops = producers, hops

    def collect(self) -> Iterable[Metric]:
        """Give the metrics as they are now."""
        published = CounterMetricFamily(
            "hydrophone_producer_events", "Events handed to the bus", labels=["venue", "event"]
        )
        connected = GaugeMetricFamily("hydrophone_producer_connected", "Sockets that are open", labels=["venue"])
        reconnects = CounterMetricFamily(
            "hydrophone_producer_reconnects", "Connections lost and made again", labels=["venue"]
        )
        undecodable = CounterMetricFamily(
            "hydrophone_producer_undecodable", "Frames that could not be decoded", labels=["venue"]
        )
        audits = CounterMetricFamily(
            "hydrophone_producer_audits", "Live books compared with fresh snapshots", labels=["venue", "outcome"]
        )
        backfilled = CounterMetricFamily(
            "hydrophone_producer_trades_backfilled", "Trades that came by REST after a cut or a hole", labels=["venue"]
        )
        missing = CounterMetricFamily(
            "hydrophone_producer_trades_missing",
            "Trades that could not be had after a cut or a hole; a span of which no number is known counts as one",
            labels=["venue"],
        )
        for producer in self._producers:
            venue = producer.venue.id
            backfilled.add_metric([venue], sum(feed.session.filler.filled for feed in producer.feeds))
            missing.add_metric([venue], sum(feed.session.filler.missing for feed in producer.feeds))
            auditors = [feed.session.auditor for feed in producer.feeds]
            found = sum((one.counts for one in auditors if one is not None), Counter[str]())
            for outcome in OUTCOMES if any(auditors) else ():
                audits.add_metric([venue, outcome], found[outcome])
            for kind, count in sorted(producer.publisher.published.items()):
                published.add_metric([venue, kind], count)
            for hop, kind, nanoseconds in producer.publisher.hops.take():
                self._hops.observe(hop, venue, kind, nanoseconds / 1e9)
            connected.add_metric([venue], sum(feed.connected for feed in producer.feeds))
            reconnects.add_metric([venue], sum(feed.reconnects for feed in producer.feeds))
            undecodable.add_metric([venue], sum(feed.session.undecodable for feed in producer.feeds))
        return (published, connected, reconnects, undecodable, audits, backfilled, missing)
