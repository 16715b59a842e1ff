"""The middle of the stream: who wants which topic, and each event encoded once for all who want it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from api import answers
from api.market.documents import Ticker
from api.market.state import MarketState, Reader
from api.metrics import StreamMetrics
from api.stream import messages, protocol
from api.stream.outbox import Message, Outbox, make_message
from api.stream.topics import Topic, tail_of, topics_of
from contracts.errors import HydrophoneError
from contracts.instrument import Instrument
from runtime import clock

PRICE_TURN_SECONDS: Final = 0.01  # changes of a price within this time make one message
LOOK_SECONDS: Final = 1.0  # how often prices are looked at without an event: they grow stale in silence
_STATES: Final = {"candle", "book"}
_UNSAID: Final = ("age", "timestamp")


class Subscriber(Protocol):
    """Who gets messages."""

    @property
    def outbox(self) -> Outbox:
        """Where they are put."""
        ...


class Hub:
    """Folds events of the bus into messages for those who subscribed; nothing here waits for anybody."""

    def __init__(self, state: MarketState, metrics: StreamMetrics, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._state = state
        self._metrics = metrics
        self._now_ns = now_ns
        self._wanted: dict[Topic, set[Subscriber]] = defaultdict(set)
        self._watched: Counter[Topic] = Counter()
        self._tickers: dict[str, Ticker] = {}
        self._last: dict[Topic, Message] = {}
        self._priced: dict[str, dict[str, Any]] = {}
        self._turn: asyncio.TimerHandle | None = None
        self._clients: set[Subscriber] = set()

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def join(self, client: Subscriber) -> None:
        """Count a client in."""
        self._clients.add(client)
        self._metrics.clients.set(len(self._clients))

    def leave(self, client: Subscriber) -> None:
        """Count a client out; what it wanted must have been removed."""
        self._clients.discard(client)
        self._metrics.clients.set(len(self._clients))
        self._metrics.dropped.labels("dropped").inc(client.outbox.dropped)
        self._metrics.dropped.labels("conflated").inc(client.outbox.conflated)

    def on_slow(self) -> None:
        """Count a client that was closed as too slow."""
        self._metrics.closed_slow.inc()

    def add(self, client: Subscriber, topic: Topic) -> None:
        """Push every change of a topic to a client from now on."""
        self._wanted[topic].add(client)

    def remove(self, client: Subscriber, topic: Topic) -> None:
        """Push it no longer."""
        wanting = self._wanted.get(topic)
        if wanting is None:
            return
        wanting.discard(client)
        if not wanting:
            del self._wanted[topic]
            self._forget(topic)

    def watch(self, topic: Topic) -> None:
        """Keep the newest state of a topic for somebody who asks for it now and then."""
        self._watched[topic] += 1

    def unwatch(self, topic: Topic) -> None:
        """Keep it no longer."""
        self._watched[topic] -= 1
        if self._watched[topic] <= 0:
            del self._watched[topic]
            self._forget(topic)

    def current(self, topic: Topic) -> Message | None:
        """The newest state of a topic as a message; None where nothing is known."""
        if topic.channel == protocol.PRICE:
            fields = self._price_fields(topic.name)
            return None if fields is None else self._message(fields)
        if topic.channel == protocol.BOOK:
            return self._current_book(topic)
        return self._last.get(topic)

    def on_event(self, kind: str, subject: str, event: Any) -> None:
        """Push one event of the bus."""
        if kind == "ticker":
            tail = tail_of(subject)
            held = self._tickers.get(tail)
            item = self._instrument(tail)
            cached = None if item is None else Reader(self._state, self._now_ns()).find_ticker(item)
            newest = cached if held is None or (cached is not None and cached.ts_recv > held.ts_recv) else held
            self._tickers[tail] = messages.fold_ticker(newest, event)
            self.look_soon()
            return
        topics = topics_of(kind, subject, event)
        wanting = set[Subscriber]().union(*(self._wanted.get(topic, ()) for topic in topics))
        if not wanting and not any(topic in self._watched for topic in topics):
            return
        message = self._event_message(kind, subject, event)
        if message is None:
            return
        if kind in _STATES:
            self._last[topics[0]] = message
        self._push(wanting, message, topics[0] if kind in _STATES else None)

    def on_gap(self, reason: str) -> None:
        """Tell every client that events may be missing."""
        message = self._message(messages.gap_message(reason))
        self._push(self._clients, message, ("gap", reason))

    def look_soon(self) -> None:
        """Look at all prices at the end of this turn: called for anything that may have changed one."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_later(PRICE_TURN_SECONDS, self.look)

    def look(self) -> None:
        """Push each wanted price that is not what was pushed last."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        for topic in [topic for topic in self._wanted if topic.channel == protocol.PRICE]:
            fields = self._price_fields(topic.name)
            if fields is None:
                continue
            said = {name: value for name, value in fields.items() if name not in _UNSAID}
            if self._priced.get(topic.name) != said:
                self._priced[topic.name] = said
                self._push(self._wanted[topic], self._message(fields), topic)

    async def keep_looking(self) -> None:
        """Look again and again, for what changes without an event."""
        while True:
            await clock.sleep(LOOK_SECONDS)
            self.look()

    def _forget(self, topic: Topic) -> None:
        if topic not in self._wanted and topic not in self._watched:
            self._last.pop(topic, None)
        if topic not in self._wanted and topic.channel == protocol.PRICE:
            self._priced.pop(topic.name, None)

    def _push(self, clients: Iterable[Subscriber], message: Message, state: object | None) -> None:
        for client in clients:
            if state is None:
                client.outbox.put_event(message)
            else:
                client.outbox.put_state(state, message)

    def _price_fields(self, name: str) -> dict[str, Any] | None:
        try:
            reader = Reader(self._state, self._now_ns(), self._tickers)
            return messages.price_message(reader, self._state.find_listed(name))
        except HydrophoneError:
            return None  # no venue has told a price yet: the first one that does is pushed

    def _current_book(self, topic: Topic) -> Message | None:
        held = self._last.get(topic)
        item = self._instrument(topic.name)
        if held is not None or item is None:
            return held
        reader = Reader(self._state, self._now_ns())
        book = reader.find_book(item)
        return None if book is None else self._message(messages.book_message(reader, item, book))

    def _event_message(self, kind: str, subject: str, event: Any) -> Message | None:
        if kind != "book":
            return self._message(messages.event_message(kind, event))
        item = self._instrument(tail_of(subject))
        if item is None:
            return None
        reader = Reader(self._state, self._now_ns())
        return self._message(messages.book_message(reader, item, messages.book_of(event)))

    def _instrument(self, tail: str) -> Instrument | None:
        return self._state.find_instrument(tail)

    def _message(self, fields: dict[str, Any]) -> Message:
        return make_message(answers.encode(fields, self._now_ns()))
