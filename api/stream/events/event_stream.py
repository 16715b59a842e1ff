"""One client of `GET /events`: first what it missed, then what comes, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.http.connections import BoundedHttp
from api.stream import messages
from api.stream.backlog import Backlog, Message, QueueFullError
from api.stream.events import window
from api.stream.events.cursor import Places, format_cursor
from api.stream.events.event_log import EventLog, Missed
from api.stream.events.window import SENT_EACH, ReadingWatch, find_window
from api.stream.fan_out import NotReady
from api.stream.feed import StreamFeed
from api.stream.hub import Hub, encoded
from api.stream.topics import Target, Topic, topics_of_event
from contracts import codec
from contracts.schema.literals import SentAt
from runtime import clock
from runtime.nats.bus import NoAnswerError

RETRY: Final = b"retry: 2000\n\n"  # milliseconds until a browser comes back
EVENTS_KEPT: Final = 10_000
_TYPE_AT: Final = len(b'{"type":"')


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants: prices; topics of events, and their subjects by stream; its places, if it was here before.

    `gap` is why it gets nothing of what it missed.
    """

    prices: tuple[Target, ...]
    events: frozenset[Topic]
    subjects: Mapping[str, tuple[str, ...]]
    places: Places
    gap: str | None = None


@dataclass(frozen=True, slots=True)
class EventServices:
    """What clients are served by."""

    hub: Hub
    feed: StreamFeed
    log: EventLog


class EventOutbox:
    """What waits for one client: newest prices, and every event. Past its bound the client has to come again."""

    writer = NotReady()

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.backlog = Backlog(EVENTS_KEPT, whole=True)
        self.changed = asyncio.Event()
        self.ended = False

    def hold(self, messages: list[Message]) -> None:
        """Keep messages until they are written."""
        try:
            for message in messages:
                self.backlog.put(message)
        except QueueFullError:
            self.ended = True
        self.changed.set()

    def end(self) -> None:
        """End the stream behind what is written: the client comes again."""
        self.ended = True
        self.changed.set()

    def end_if_stuck(self, since: float) -> bool:
        """Writing has a time limit of its own."""
        return False


class EventStream(Response):
    """The answer that goes on until the client leaves or reads no more, or the process ends.

    One that takes nothing for `send_seconds` is cut; so is one that reads nothing of a stream on which little comes.
    """

    media_type = "text/event-stream"

    def __init__(self, wanted: Wanted, services: EventServices, send_seconds: float) -> None:
        super().__init__(headers={"x-accel-buffering": "no"})
        self._wanted = wanted
        self._services = services
        self._send_seconds = send_seconds
        self._outbox = EventOutbox()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        connection: BoundedHttp = scope["hydrophone.connection"]
        connection.bound_buffers()
        connection.on_shutdown = self._outbox.end
        headers = [item for item in self.raw_headers if item[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if connection.scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        leaving = asyncio.create_task(_until_gone(receive))
        writing = asyncio.create_task(self._keep_writing(send, connection.transport))
        try:
            await asyncio.wait({leaving, writing}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                await self._finish(writing, connection, send)
        finally:
            leaving.cancel()
            writing.cancel()
            await asyncio.gather(leaving, writing, return_exceptions=True)

    async def _finish(self, writing: asyncio.Task[None], connection: BoundedHttp, send: Send) -> None:
        """End the answer where the client takes it, else the connection."""
        try:
            writing.result()
            async with asyncio.timeout(self._send_seconds):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            self._services.hub.metrics.closed_slow.inc()
            connection.abort()

    async def _keep_writing(self, send: Send, transport: asyncio.Transport) -> None:
        async def write(text: bytes) -> None:
            async with asyncio.timeout(self._send_seconds):
                await send({"type": "http.response.body", "body": text, "more_body": True})

        with self._subscribed():
            here = dict(self._services.log.places)
            await write(RETRY + keep_alive(SENT_EACH) + self._greeting(here))
            try:
                missed = await self._find_missed(here)
            except NoAnswerError:
                return  # the client comes again with the same id
            for text in missed_texts(missed, self._wanted, here):
                await write(text)
            for target in self._wanted.prices:
                await self._services.hub.send_current(self._outbox, target.topics[0])
            watch = ReadingWatch()
            while not self._outbox.ended:
                if not watch.is_reading(find_window(transport)):
                    raise TimeoutError
                await self._write_until(clock.monotonic() + window.LOOK_SECONDS, write)

    async def _write_until(self, until: float, write: Callable[[bytes], Awaitable[None]]) -> None:
        """Write what comes until a time, and fill up what is too little for a look at whether it is read."""
        written = 0
        while (text := await self._next(until - clock.monotonic())) is not None:
            await write(text)
            written += len(text)
            if self._outbox.ended or clock.monotonic() >= until:
                break
        if written < SENT_EACH and not self._outbox.ended:
            await write(keep_alive(SENT_EACH - written))

    @contextmanager
    def _subscribed(self) -> Generator[None]:
        hub, feed, log = self._services.hub, self._services.feed, self._services.log
        hub.metrics.event_clients.inc()
        for target in self._wanted.prices:
            feed.acquire(target.patterns[0])
            hub.add(self._outbox, target.topics[0])
        for topic in self._wanted.events:
            log.subscribers.add(self._outbox, topic)
        try:
            yield
        finally:
            for topic in self._wanted.events:
                log.subscribers.remove(self._outbox, topic)
            for target in self._wanted.prices:
                hub.remove(self._outbox, target.topics[0])
                feed.release(target.patterns[0])
            hub.metrics.event_clients.dec()

    def _greeting(self, here: Places) -> bytes:
        fields = {"client_id": secrets.token_hex(8), "server_time": SentAt(), "timestamp": SentAt()}
        message = encoded({"type": "connected", **fields}, None, format_cursor({**here, **self._wanted.places}))
        return event_text(message.payload, message.position)

    async def _find_missed(self, here: Places) -> list[Missed]:
        """Return what it missed of each stream that it was reading and still wants."""
        log, wanted = self._services.log, self._wanted
        known = [(stream, wanted.places[stream]) for stream in wanted.subjects if stream in wanted.places]
        found = (log.find_missed(stream, mark, wanted.subjects[stream], here[stream]) for stream, mark in known)
        return list(await asyncio.gather(*found))

    async def _next(self, seconds: float) -> bytes | None:
        """Return what is to be written next, once something waits; None after so many seconds."""
        outbox = self._outbox
        if not outbox.backlog and not outbox.ended:
            outbox.changed.clear()
            try:
                async with asyncio.timeout(seconds):
                    await outbox.changed.wait()
            except TimeoutError:
                return None
        return b"".join(event_text(payload, message.position) for message, payload in outbox.backlog.take())


def keep_alive(size: int) -> bytes:
    """Return a comment of about so many bytes, which clients pass over."""
    return b": keep-alive%b\n\n" % (b" " * size)


def missed_texts(missed: Sequence[Missed], wanted: Wanted, here: Places) -> Iterator[bytes]:
    """Yield gaps, then what a client missed in the order of time, each with where the client stands behind it."""
    places = {**here, **{found.stream: wanted.places[found.stream] for found in missed}}
    if wanted.gap is not None:
        yield _gap_text(wanted.gap, places)
    for found in missed:
        if found.gap is not None:
            if not found.events:
                places[found.stream] = here[found.stream]
            yield _gap_text(f"stream {found.stream}: {found.gap}", places)
    rows = [
        (mark.read_by, found.stream, subject, event, mark) for found in missed for subject, event, mark in found.events
    ]
    for _, stream, subject, event, mark in sorted(rows, key=itemgetter(0)):
        places[stream] = mark
        if not wanted.events.isdisjoint(topics_of_event(subject, event)):
            fields = messages.event_message(codec.kind_of(subject), event)
            yield event_text(encoded(fields).payload, format_cursor(places))


def event_text(payload: bytes, position: bytes = b"") -> bytes:
    """Return a message as a server-sent event of its type, with its id where it has one."""
    name = payload[_TYPE_AT : payload.index(b'"', _TYPE_AT)]
    head = b"id: %b\n" % position if position else b""
    return b"%bevent: %b\ndata: %b\n\n" % (head, name, payload)


def _gap_text(reason: str, places: Places) -> bytes:
    return event_text(encoded(messages.gap_message(reason)).payload, format_cursor(places))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
