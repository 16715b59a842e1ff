"""The fan-out of the stream: who subscribed to which topic, and each event encoded once for all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as Count

from api.market import formats
from api.market.client import MarketClient, encode_query
from api.stream import messages, protocol
from api.stream.prices import Prices
from api.stream.send_queue import Message, SendQueue, make_message
from api.stream.topics import Topic, topics_of
from contracts.errors import HydrophoneError
from contracts.instrument import tail_symbol
from contracts.schema import literals
from contracts.services.market import OrderbookQuery
from runtime import clock

_STATES: Final = {"candle", "book"}
_TICKER: Final = "consolidated_ticker"


class StreamMetrics:
    """Stream clients, what was sent to them, and what they were too slow for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.clients = Gauge("hydrophone_stream_clients", "Clients now", registry=registry)
        self.dropped = Count(
            "hydrophone_stream_dropped", "Messages that clients were too slow for", ["how"], registry=registry
        )
        self.closed_slow = Count("hydrophone_stream_closed_slow", "Clients closed as too slow", registry=registry)


class Hub:
    """Folds events of the bus into messages for those who subscribed; nothing here waits for anybody."""

    def __init__(self, market: MarketClient, metrics: StreamMetrics) -> None:
        self._market = market
        self.metrics = metrics
        self._wanted: dict[Topic, Counter[SendQueue]] = defaultdict(Counter)
        self._watched: Counter[Topic] = Counter()
        self._last: dict[Topic, Message] = {}
        self.prices = Prices(market, self._on_price)
        self._clients: set[SendQueue] = set()

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def join(self, queue: SendQueue) -> None:
        """Count a client in."""
        self._clients.add(queue)
        self.metrics.clients.set(len(self._clients))

    def leave(self, queue: SendQueue) -> None:
        """Count a client out; what it wanted must have been removed."""
        self._clients.discard(queue)
        self.metrics.clients.set(len(self._clients))
        self.metrics.dropped.labels("dropped").inc(queue.dropped)
        self.metrics.dropped.labels("conflated").inc(queue.conflated)

    def add(self, queue: SendQueue, topic: Topic) -> None:
        """Push every change of a topic to a client, once however often it is added."""
        self._wanted[topic][queue] += 1
        self.watch(topic)

    def remove(self, queue: SendQueue, topic: Topic) -> None:
        """Undo one `add`."""
        wanting = self._wanted[topic]
        wanting[queue] -= 1
        if not wanting[queue]:
            del wanting[queue]
        if not wanting:
            del self._wanted[topic]
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

    async def find_current(self, topic: Topic) -> Message | None:
        """The newest state of a topic as a message; None where nothing is known."""
        if topic.channel == protocol.PRICE:
            fields = await self.prices.find(topic.name)
            return None if fields is None else self._message(fields)
        if topic.channel == protocol.BOOK and topic not in self._last:
            return await self._find_book(topic)
        return self._last.get(topic)

    def on_event(self, kind: str, subject: str, event: Any) -> None:
        """Push one event of the bus."""
        if kind == _TICKER:
            self.prices.on_event(subject, event)
            return
        topics = topics_of(kind, subject, event)
        if not any(topic in self._watched for topic in topics):
            return
        wanting = set[SendQueue]().union(*(self._wanted.get(topic, ()) for topic in topics))
        fields = messages.book_message(subject, event) if kind == "book" else messages.event_message(kind, event)
        message = self._message(fields)
        if kind in _STATES:
            self._last[topics[0]] = message
        self._push(wanting, message, topics[0] if kind in _STATES else None)

    def on_gap(self, reason: str) -> None:
        """Send every client that events may be missing."""
        message = self._message(messages.gap_message(reason))
        self._push(self._clients, message, ("gap", reason))

    def _push(self, queues: Iterable[SendQueue], message: Message, state: object | None) -> None:
        for queue in queues:
            if state is None:
                queue.put_event(message)
            else:
                queue.put_state(state, message)

    def _on_price(self, name: str, fields: dict[str, Any]) -> None:
        topic = Topic(protocol.PRICE, name)
        wanting = self._wanted.get(topic)
        if wanting:
            self._push(wanting, self._message(fields), topic)

    async def _find_book(self, topic: Topic) -> Message | None:
        """Request the book that an instrument has now; what came meanwhile is newer."""
        venue, symbol = tail_symbol(topic.name)
        query = OrderbookQuery(symbol=symbol, exchange=venue, depth=messages.BOOK_DEPTH)
        try:
            found = await self._market.request("orderbook", encode_query(query))
        except HydrophoneError:
            return self._last.get(topic)
        body = formats.render(found, messages.book_state, clock.now_ns())
        return self._last.get(topic) or make_message(body)

    def _message(self, fields: dict[str, Any]) -> Message:
        return make_message(literals.encode(fields, clock.now_ns()))
