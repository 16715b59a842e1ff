"""The hub of the stream: which clients subscribed to which topic, and each event as one message for all of them."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection
from functools import partial
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as Count

from api.market import formats
from api.stream import messages, protocol
from api.stream.backlog import Message
from api.stream.fan_out import FanOut, Outbox
from api.stream.prices import Prices
from api.stream.topics import Topic, topics_of_event
from contracts import codec, subjects
from contracts.errors import HydrophoneError
from contracts.instrument import tail_symbol
from contracts.schema import literals
from contracts.services.market import OrderbookQuery
from runtime import clock
from runtime.clients.market_client import MarketClient, encode_query
from runtime.hops.metrics import HopMetrics

_STATES: Final = {"candle", "book"}


class StreamMetrics:
    """Stream clients, what was sent to them, and what they were too slow for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.clients = Gauge("hydrophone_stream_clients", "WebSocket clients now", registry=registry)
        self.event_clients = Gauge(
            "hydrophone_stream_event_clients", "Clients of server-sent events now", registry=registry
        )
        self.dropped = Count(
            "hydrophone_stream_dropped", "Messages that clients were too slow for", ["how"], registry=registry
        )
        for how in ("dropped", "conflated"):  # 0 from the start, so that the first one is an increase
            self.dropped.labels(how)
        self.hops = HopMetrics(registry)
        self.closed_slow = Count("hydrophone_stream_closed_slow", "Clients closed as too slow", registry=registry)


class Subscribers:
    """Who subscribed to which topic; a client that did so twice gets an event once, until it ends both."""

    def __init__(self) -> None:
        self._held: defaultdict[Topic, Counter[Outbox]] = defaultdict(Counter)

    def add(self, outbox: Outbox, topic: Topic) -> None:
        """Subscribe a client to a topic."""
        self._held[topic][outbox] += 1

    def remove(self, outbox: Outbox, topic: Topic) -> None:
        """Undo one `add`."""
        held = self._held[topic]
        held[outbox] -= 1
        if not held[outbox]:
            del held[outbox]
        if not held:
            del self._held[topic]

    def find(self, topics: Collection[Topic]) -> Collection[Outbox]:
        """Return who subscribed to any of some topics, each client once."""
        found = [held for topic in topics if (held := self._held.get(topic))]
        return found[0] if len(found) == 1 else set[Outbox]().union(*found)

    def everybody(self) -> Collection[Outbox]:
        """Return who subscribed to anything."""
        return set[Outbox]().union(*self._held.values())


class Hub:
    """Folds events of the bus into messages for those who subscribed; nothing here waits for anybody."""

    def __init__(self, market: MarketClient, metrics: StreamMetrics) -> None:
        self._market = market
        self.metrics = metrics
        self.fan_out = FanOut(partial(metrics.hops.observe, "push", "all", "message"))
        self._subscribers = Subscribers()
        self._watched: Counter[Topic] = Counter()
        self._last: dict[Topic, Message] = {}
        self.prices = Prices(market, self._on_price)
        self._clients: set[Outbox] = set()

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def join(self, outbox: Outbox) -> None:
        """Count a client in."""
        self._clients.add(outbox)
        self.metrics.clients.set(len(self._clients))

    def leave(self, outbox: Outbox) -> None:
        """Count a client out; what it wanted must have been removed."""
        self._clients.discard(outbox)
        self.metrics.clients.set(len(self._clients))
        self.metrics.dropped.labels("dropped").inc(outbox.backlog.dropped)
        self.metrics.dropped.labels("conflated").inc(outbox.backlog.conflated)

    def add(self, outbox: Outbox, topic: Topic) -> None:
        """Push every change of a topic to a client, once however often it is added."""
        self._subscribers.add(outbox, topic)
        self.watch(topic)

    def remove(self, outbox: Outbox, topic: Topic) -> None:
        """Undo one `add`."""
        self._subscribers.remove(outbox, topic)
        self.unwatch(topic)

    def watch(self, topic: Topic) -> None:
        """Keep the newest state of a topic."""
        self._watched[topic] += 1
        if topic.channel == protocol.PRICE:
            self.prices.acquire(topic.name)

    def unwatch(self, topic: Topic) -> None:
        """Undo one `watch`."""
        self._watched[topic] -= 1
        if topic.channel == protocol.PRICE:
            self.prices.release(topic.name)
        if not self._watched[topic]:
            del self._watched[topic]
            self._last.pop(topic, None)

    async def send_current(self, outbox: Outbox, topic: Topic) -> None:
        """Send a client the newest state of a topic that it subscribed to, where one is known."""
        if topic.channel == protocol.PRICE:
            fields = self.prices.find_known(topic.name)
            message = None if fields is None else encoded(fields, topic)
        else:
            message = await self.find_current(topic)
        if message is not None:
            self.fan_out.push(message, (outbox,))

    async def find_current(self, topic: Topic) -> Message | None:
        """The newest state of a topic as a message; None where nothing is known."""
        if topic.channel == protocol.PRICE:
            fields = await self.prices.find(topic.name)
            return None if fields is None else encoded(fields, topic)
        if topic.channel == protocol.BOOK and topic not in self._last:
            return await self._find_book(topic)
        return self._last.get(topic)

    def on_event(self, subject: str, event: Any) -> None:
        """Push one event of the bus."""
        if subject.startswith(subjects.CONSOLIDATED_TICKER):
            self.prices.on_event(subject, event)
            return
        topics = topics_of_event(subject, event)
        kind = codec.kind_of(subject)
        outboxes = self._subscribers.find(topics)
        if not outboxes and not (kind in _STATES and topics[0] in self._watched):
            return
        fields = messages.book_message(subject, event) if kind == "book" else messages.event_message(kind, event)
        message = encoded(fields, topics[0] if kind in _STATES else None)
        if kind in _STATES:
            self._last[topics[0]] = message
        self.fan_out.push(message, outboxes)

    def on_gap(self, reason: str) -> None:
        """Send every client that events may be missing."""
        self.fan_out.push(encoded(messages.gap_message(reason), ("gap", reason)), self._clients)

    async def keep_closing_slow(self, seconds: float) -> None:
        """Close whoever takes nothing for so many seconds, soon after."""
        interval = min(seconds / 4, 1.0)
        loop = asyncio.get_running_loop()
        while True:
            looked = loop.time()
            await clock.sleep(interval)
            if loop.time() - looked > 2 * interval:
                continue  # this process had no processor: what clients took meanwhile is not known yet
            for outbox in list(self._clients):
                if outbox.end_if_stuck(loop.time() - seconds):
                    self.metrics.closed_slow.inc()

    def _on_price(self, name: str, fields: dict[str, Any]) -> None:
        topic = Topic(protocol.PRICE, name)
        outboxes = self._subscribers.find((topic,))
        if outboxes:
            self.fan_out.push(encoded(fields, topic), outboxes)

    async def _find_book(self, topic: Topic) -> Message | None:
        """Request the book that an instrument has now; what came meanwhile is newer."""
        venue, symbol = tail_symbol(topic.name)
        query = OrderbookQuery(symbol=symbol, exchange=venue, depth=messages.BOOK_DEPTH)
        try:
            found = await self._market.request("orderbook", encode_query(query))
        except HydrophoneError:
            return self._last.get(topic)
        body = formats.render(found, messages.book_state, clock.now_ns())
        return self._last.get(topic) or Message(body, topic)


def encoded(fields: dict[str, Any], key: object = None, position: bytes = b"") -> Message:
    """Encode a message for all who get it."""
    return Message(literals.encode(fields, clock.now_ns()), key, position)
