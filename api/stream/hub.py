"""The middle of the stream: who wants which topic, and each event encoded once for all who want it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from api.market import formats
from api.market.client import MarketClient
from api.stream import messages, protocol
from api.stream.metrics import StreamMetrics
from api.stream.prices import Prices
from api.stream.send_queue import Message, SendQueue, make_message
from api.stream.topics import Topic, topics_of
from contracts.errors import HydrophoneError
from contracts.instrument import tail_symbol
from contracts.schema import literals
from runtime import clock

_STATES: Final = {"candle", "book"}
_TICKER: Final = "consolidated_ticker"


class Hub:
    """Folds events of the bus into messages for those who subscribed; nothing here waits for anybody."""

    def __init__(self, market: MarketClient, metrics: StreamMetrics, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._market = market
        self._metrics = metrics
        self._now_ns = now_ns
        self._wanted: dict[Topic, set[SendQueue]] = defaultdict(set)
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
        self._metrics.clients.set(len(self._clients))

    def leave(self, queue: SendQueue) -> None:
        """Count a client out; what it wanted must have been removed."""
        self._clients.discard(queue)
        self._metrics.clients.set(len(self._clients))
        self._metrics.dropped.labels("dropped").inc(queue.dropped)
        self._metrics.dropped.labels("conflated").inc(queue.conflated)

    def on_slow(self) -> None:
        """Count a client that was closed as too slow."""
        self._metrics.closed_slow.inc()

    def add(self, queue: SendQueue, topic: Topic) -> None:
        """Push every change of a topic to a client from now on."""
        if topic.channel == protocol.PRICE and topic not in self._wanted:
            self.prices.acquire(topic.name)
        self._wanted[topic].add(queue)

    def remove(self, queue: SendQueue, topic: Topic) -> None:
        """Push it no longer."""
        wanting = self._wanted.get(topic)
        if wanting is None:
            return
        wanting.discard(queue)
        if not wanting:
            del self._wanted[topic]
            self._forget(topic)
            if topic.channel == protocol.PRICE:
                self.prices.release(topic.name)

    def watch(self, topic: Topic) -> None:
        """Keep the newest state of a topic for somebody who asks for it now and then."""
        self._watched[topic] += 1
        if topic.channel == protocol.PRICE:
            self.prices.acquire(topic.name)

    def unwatch(self, topic: Topic) -> None:
        """Keep it no longer."""
        self._watched[topic] -= 1
        if topic.channel == protocol.PRICE:
            self.prices.release(topic.name)
        if self._watched[topic] <= 0:
            del self._watched[topic]
            self._forget(topic)

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
        wanting = set[SendQueue]().union(*(self._wanted.get(topic, ()) for topic in topics))
        if not wanting and not any(topic in self._watched for topic in topics):
            return
        message = self._event_message(kind, subject, event)
        if kind in _STATES:
            self._last[topics[0]] = message
        self._push(wanting, message, topics[0] if kind in _STATES else None)

    def on_gap(self, reason: str) -> None:
        """Tell every client that events may be missing."""
        message = self._message(messages.gap_message(reason))
        self._push(self._clients, message, ("gap", reason))

    def _forget(self, topic: Topic) -> None:
        if topic not in self._wanted and topic not in self._watched:
            self._last.pop(topic, None)

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
        """Ask for the book that an instrument has now; what came meanwhile is newer."""
        venue, symbol = tail_symbol(topic.name)
        question = {"depth": messages.BOOK_DEPTH, "exchange": venue, "symbol": symbol}
        try:
            found = await self._market.request("orderbook", msgspec.json.encode(question))
        except HydrophoneError:
            return self._last.get(topic)
        body = formats.render(found, messages.book_state, self._now_ns())
        return self._last.get(topic) or make_message(body)

    def _event_message(self, kind: str, subject: str, event: Any) -> Message:
        fields = messages.book_message(subject, event) if kind == "book" else messages.event_message(kind, event)
        return self._message(fields)

    def _message(self, fields: dict[str, Any]) -> Message:
        return make_message(literals.encode(fields, self._now_ns()))
