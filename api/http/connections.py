"""HTTP connections with bounds: bytes of headers, seconds of an unfinished request, connections of an address.

uvicorn's protocol over httptools buffers headers without end and waits for them without a limit; this derives from it.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.http.access.addresses import Networks, counting_name, find_address
from api.http.errors import HeadersTooLargeError, RateLimitedError, UnfinishedRequestError, error_reply
from api.http.responses import header_lines, response_bytes
from contracts.errors import HydrophoneError, InvalidParameterError
from runtime import clock
from runtime.logging import logs

GOODBYE_SECONDS: Final = 2.0  # for a client to take what was written, before the connection is cut
HEADER_FRAMING: Final = len(b": \r\n")
AnswerNow = Callable[[Any, Callable[[bytes, bytes], None]], bool]
KERNEL_BYTES: Final = 64 * 1024  # that the system keeps for a client that does not read; Linux takes twice as many


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bytes of headers, seconds of an unfinished request and of an idle connection, connections of an address.

    Peers in `proxies` stand for many clients: they may hold any number.
    """

    header_bytes: int = 32 * 1024
    request_seconds: float = 10.0
    idle_seconds: float = 30.0
    per_address: int = 256
    proxies: Networks = field(default_factory=lambda: Networks(()))


class ConnectionCounts:
    """How many connections each address holds now, of HTTP and WebSocket together."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._held: Counter[str] = Counter()

    def take(self, peer: str | None) -> str:
        """Count a connection and give the name it is counted under; RateLimitedError where there are too many."""
        address = find_address(peer or "")
        if address is None or address in self._limits.proxies:
            return ""
        name = counting_name(address)
        if self._held[name] >= self._limits.per_address:
            raise RateLimitedError(
                f"More than {self._limits.per_address} connections from {name}",
                limit="connections",
                maximum=self._limits.per_address,
                retry_after=math.ceil(self._limits.request_seconds),
            )
        self._held[name] += 1
        return name

    def release(self, name: str) -> None:
        """Give back what `take` counted."""
        if not name:
            return
        self._held[name] -= 1
        if not self._held[name]:
            del self._held[name]


class BoundedHttp(HttpToolsProtocol):
    """One HTTP connection. Deriving is the server's own way to be extended.

    A request is unfinished from its first byte (the first one from the connection's begin) until its last. The one
    timer of a connection looks at `_deadline` when it may have passed: a request needs none of its own. An answer that
    has no end finds its connection as `scope["hydrophone.connection"]`, and sets `on_shutdown` to what ends it.
    `answer_now(scope, write)` writes an answer that is known already and returns True, or leaves it to the app.
    """

    def __init__(
        self, *, limits: ConnectionLimits, counts: ConnectionCounts, answer_now: AnswerNow | None = None, **given: Any
    ) -> None:
        super().__init__(**given)
        self._answer_now = answer_now
        self._limits = limits
        self._counts = counts
        self._counted = ""
        self._loose_bytes = 0  # that came since the last piece of a body, or end of a message or its headers
        self._most_bytes = 0  # that the headers which end in this piece of data can have
        self._receiving = False
        self._headers_done = False
        self._over = False
        self._own: list[tuple[bytes, bytes]] = []
        self._own_lines = b"HTTP/1.1 200 OK\r\n"
        self._refused: HydrophoneError | None = None
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._cuts: list[asyncio.TimerHandle] = []
        self.on_shutdown: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, or refuse it; the time of its first request begins."""
        super().connection_made(transport)
        self._begin()
        self._timer = self.loop.call_later(self._limits.request_seconds, self._look_at_time)
        try:
            self._counted = self._counts.take(self.client[0] if self.client else None)
        except RateLimitedError as error:
            self._refuse(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what grows past the bounds before it is a request; of a refused client drop everything."""
        if self._over:
            return
        if not self._receiving:
            self._begin()
        self._most_bytes = self._loose_bytes = self._loose_bytes + len(data)
        super().data_received(data)
        if self._loose_bytes > self._limits.header_bytes:
            self._refuse(HeadersTooLargeError.over(self._limits.header_bytes))

    def on_message_begin(self) -> None:
        """A message begins: maybe behind another one in the same piece of data."""
        if not self._receiving:
            self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, unless its headers are too large: then the parser stops at this exception."""
        if self._most_bytes > self._limits.header_bytes and self._header_bytes() > self._limits.header_bytes:
            self._refused = HeadersTooLargeError.over(self._limits.header_bytes)
            raise self._refused
        self._loose_bytes = 0
        self._headers_done = True
        super().on_headers_complete()
        cast("dict[str, Any]", self.scope)["hydrophone.connection"] = self

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Answer at once where that can be done, else start the app; what waits in line is left to it."""
        can = cycle.keep_alive and not self.pipeline and not self.flow.write_paused
        if self._answer_now is None or not can or not self._answer_now(cycle.scope, self._write_whole):
            super()._start_asgi_task(cycle, app)

    def _write_whole(self, head: bytes, body: bytes) -> None:
        """Write the answer to the request that came last: 200, the server's own headers, and these lines."""
        self.cycle.response_started = self.cycle.response_complete = True
        own = self.server_state.default_headers
        if own is not self._own:  # the server makes them again each second, with the date
            self._own, self._own_lines = own, b"HTTP/1.1 200 OK\r\n" + header_lines(own)
        self.transport.write(self._own_lines + head + b"\r\n" + body)
        self.on_response_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body came."""
        self._loose_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: from here on the time is the app's, or the client's to take its answer."""
        self._loose_bytes = 0
        self._receiving = False
        self._deadline = math.inf
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is written: the server's own timer watches over idle connections, ours over those that close."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._cut_after(self._limits.idle_seconds)

    def pause_writing(self) -> None:
        """The client does not take what was written: it has as long for that as for being idle."""
        super().pause_writing()
        self._deadline = min(self._deadline, self.loop.time() + self._limits.idle_seconds)

    def resume_writing(self) -> None:
        """It took it."""
        super().resume_writing()
        self._deadline = self.loop.time() + self._limits.request_seconds if self._receiving else math.inf

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also where the client never takes the last answer."""
        super().timeout_keep_alive_handler()
        self._cut_after(GOODBYE_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or what a callback of the parser refused."""
        self._refuse(self._refused or InvalidParameterError("The request is no valid HTTP", parameter="request"))

    def shutdown(self) -> None:
        """The server ends: an answer without an end does too."""
        super().shutdown()
        self.on_shutdown()

    def bound_buffers(self) -> None:
        """Keep little for a client that may not read."""
        bound_send_buffer(self.transport)

    def abort(self) -> None:
        """Cut the connection with what is buffered."""
        self.transport.abort()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on: it is counted and timed there from now on."""
        self._end()
        super().handle_websocket_upgrade()

    def _begin(self) -> None:
        self._receiving = True
        self._headers_done = False
        self._deadline = self.loop.time() + self._limits.request_seconds

    def _end(self) -> None:
        for timer in (self._timer, *self._cuts):  # which would keep the connection until then
            if timer is not None:
                timer.cancel()
        self._counts.release(self._counted)
        self._counted = ""

    def _look_at_time(self) -> None:
        left = self._deadline - self.loop.time()
        if left <= 0 and self._answering():
            left = self._limits.request_seconds
        if left > 0:
            self._timer = self.loop.call_later(min(left, self._limits.request_seconds), self._look_at_time)
        else:
            self._on_late()

    def _answering(self) -> bool:
        """Whether the app, which has its own limit, works on a whole request and the client takes what is written."""
        at_work = bool(self.pipeline) or (not self._rests() and not self.cycle.more_body)
        return at_work and not self.flow.write_paused

    def _rests(self) -> bool:
        """Whether every request that began the app was answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is None or cycle.response_complete

    def _on_late(self) -> None:
        if self.flow.write_paused or not self._receiving:
            self.transport.abort()
        else:
            seconds = self._limits.request_seconds
            late = UnfinishedRequestError(f"The request was not whole after {seconds:g} seconds", limit_seconds=seconds)
            self._refuse(late)

    def _refuse(self, error: HydrophoneError) -> None:
        """Answer where it would be read as the answer, listen no more, and cut the connection a little later."""
        if self._over:
            return
        self._over = True
        logs.get("access").info("connection.refused", code=error.code, address=self.client[0] if self.client else None)
        if self._awaits_answer():
            if self._headers_done:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self.transport.write(response_bytes(error_reply(_path(getattr(self, "url", b"")), error, clock.now_ns())))
            self.transport.write_eof()
            self.flow.resume_reading()  # what still comes is dropped: closing at once would take the answer back
        else:
            self.transport.close()
        self._cut_after(GOODBYE_SECONDS)

    def _cut_after(self, seconds: float) -> None:
        self._cuts.append(self.loop.call_later(seconds, self.transport.abort))

    def _awaits_answer(self) -> bool:
        """Whether nothing was answered to the unfinished request, and nothing else is being answered."""
        if self._headers_done:
            return self.cycle.more_body and not self.cycle.response_started and not self.pipeline
        return self._rests()

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + HEADER_FRAMING for name, value in self.headers)


def bound_send_buffer(transport: asyncio.BaseTransport) -> None:
    """Bound what the system keeps of what was written to a client."""
    plain: socket.socket | None = transport.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)


def _path(url: bytes) -> str:
    try:
        return (httptools.parse_url(url).path or b"").decode("latin-1") if url else ""
    except httptools.HttpParserInvalidURLError:
        return ""
