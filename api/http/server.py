"""The server below the app: uvicorn, with WebSocket connections that take frames made once for many clients."""

from __future__ import annotations

import asyncio
from asyncio.transports import BaseTransport
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from api.http.connections import (
    GOODBYE_SECONDS,
    AnswerNow,
    BoundedHttp,
    ConnectionCounts,
    ConnectionLimits,
    bound_send_buffer,
)
from api.http.errors import error_reply
from api.http.responses import response_bytes
from contracts.errors import InvalidParameterError
from runtime import clock

LARGEST_MESSAGE: Final = 64 * 1024
PING_SECONDS: Final = 3.0  # from the last pong to the next ping
PONG_SECONDS: Final = 5.0  # for its answer
LATE_SECONDS: Final = 0.25  # more, for an answer that this process was too late to read
CUT_SECONDS: Final = 1.0  # for a client that answers no ping to take what was written


class ClientGoneError(Exception):
    """The other side is not there any more."""


class FrameSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket connection, handed to the app as `scope["hydrophone.connection"]`.

    Deriving is the server's own way to be extended. Frames written here are unfragmented and uncompressed, which leaves
    the protocol's state as it is; compression must be off. `ready` is whether frames may be written now; `on_ready` is
    called when that is so again, `paused_at` is since when it is not (the loop's time).
    """

    def __init__(self, *, counts: ConnectionCounts, **given: Any) -> None:
        super().__init__(**given)
        self._counts = counts
        self._counted = ""
        self.ready = True
        self.paused_at: float | None = None
        self._resumed_at = 0.0
        self._last_chance = False
        self.on_ready: Callable[[], None] = lambda: None
        self.write_frames: Callable[
            [bytes], None
        ]  # whole ones, only while `ready`; the transport's own, once it is there

    def connection_made(self, transport: BaseTransport) -> None:
        """Count the connection where HTTP gave its place back, and bound what the system keeps for it."""
        super().connection_made(transport)
        self.write_frames = self.transport.write
        self._counted = self._counts.take(self.client[0] if self.client else None)
        bound_send_buffer(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self.ready, self.paused_at = False, None
        self._counts.release(self._counted)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take frames; refuse a request, which came whole, that is no handshake: the library would only go silent."""
        super().data_received(data)
        if not self.handshake_initiated:
            error = InvalidParameterError(f"The WebSocket handshake is not valid: {self.conn.handshake_exc}")
            self.transport.write(response_bytes(error_reply("", error, clock.now_ns())))
            self.transport.close()
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def handle_close(self, event: Frame) -> None:
        """The client leaves: nothing is written behind the answer to that."""
        self.ready = False
        super().handle_close(event)

    def pause_writing(self) -> None:
        """Read no more from a client that does not take what is written: each ping would add a pong to that."""
        self.ready, self.paused_at = False, self.loop.time()
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on, unless the app has not taken what was read."""
        super().resume_writing()
        self.ready, self.paused_at = not self._over(), None
        self._resumed_at = self.loop.time()
        if not self.read_paused:
            self.transport.resume_reading()
        if self.ready:
            self.on_ready()

    def keepalive_timeout(self) -> None:
        """Close a client that answers no ping, and cut what it never takes.

        One that reads slowly has more time, and what arrived while this process was late is read before that.
        """
        if self._resumed_at > self.ping_sent_at:
            self.ping_sent_at = self.loop.time()
            self.pong_timer = self.loop.call_later(PONG_SECONDS, self.keepalive_timeout)
        elif not self._last_chance:
            self._last_chance = True
            self.pong_timer = self.loop.call_later(LATE_SECONDS, self.keepalive_timeout)
        else:
            self.ready = False
            super().keepalive_timeout()
            self.loop.call_later(CUT_SECONDS, self.transport.abort)

    def send_keepalive_ping(self) -> None:
        """See whether the client reads."""
        self._last_chance = False
        super().send_keepalive_ping()

    def shutdown(self) -> None:
        """The server ends."""
        self.ready = False
        super().shutdown()

    async def run_asgi(self) -> None:
        """Run the app with this connection within reach; cut what is still buffered a little after its end."""
        scope: dict[str, Any] = dict(self.scope)
        scope["hydrophone.connection"] = self
        self.scope = scope  # type: ignore[assignment]
        try:
            await super().run_asgi()
        finally:
            self.ready = False
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    async def receive_text(self) -> str | None:
        """Return the next text, None for a binary message; raises ClientGoneError at the end."""
        message: Any = await self.receive()
        if message["type"] != "websocket.receive":
            raise ClientGoneError
        text: str | None = message.get("text")
        return text

    def end(self, code: int, reason: str) -> None:
        """Send a close frame behind what is buffered and do not wait for it to be taken."""
        if self._over():
            return
        self.ready = False
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _over(self) -> bool:
        return self.disconnected or self.close_sent or self.transport.is_closing()


def make_server(app: Any, host: str, port: int, limits: ConnectionLimits | None = None) -> uvicorn.Server:
    """The server of an app. Its own access log and its trust in proxy headers are off: the app has both."""
    limits = limits or ConnectionLimits()
    counts = ConnectionCounts(limits)
    at_once: AnswerNow | None = getattr(app, "answer_now", None)  # of our own app; any other answers by its tasks
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast("type[asyncio.Protocol]", partial(BoundedHttp, limits=limits, counts=counts, answer_now=at_once)),
        ws=cast("type[asyncio.Protocol]", partial(FrameSocket, counts=counts)),
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=round(limits.idle_seconds),
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    return uvicorn.Server(config)
