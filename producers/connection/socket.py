"""The one place that opens exchange sockets: a small face over a WebSocket client, frames delivered as bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

import structlog
from picows import WSAutoPingStrategy, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect  # pyright: ignore[reportUnknownVariableType]
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from runtime.clock import now_ns

_log = structlog.get_logger("feed")
SIMULATED_HEADER: Final = "X-Simulated"
USER_AGENT: Final = "hydrophone"
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
OnFrame = Callable[[bytes, int], None]  # (frame, when it was received in ns UTC)
_DATA: Final = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)  # no set: hashing an enum's member is slow


class ConnectionLostError(Exception):
    """The connection is given up; the message says why."""


class SocketError(Exception):
    """The socket could not be opened; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """`open_timeout` and `close_timeout` in seconds; a frame beyond `max_frame_bytes` ends the connection."""

    open_timeout: float = 10.0
    close_timeout: float = 1.0
    max_frame_bytes: int = 64 * 1024 * 1024


class Receiver(Protocol):
    """Takes frames as they arrive. `on_frame` is read for each of them, so that it may be replaced between two."""

    on_frame: OnFrame


class Socket(Protocol):
    """An open WebSocket. Ping frames of the other side are answered by the client itself."""

    simulated: bool

    async def send(self, text: str) -> None:
        """Send one text frame."""
        ...

    async def ping(self) -> None:
        """Send one ping frame; nobody waits for its pong."""
        ...

    async def wait_closed(self) -> str:
        """Wait until it is closed, by whomever; returns the reason."""
        ...

    async def close(self) -> None:
        """Close it, waiting no longer than the limit."""
        ...


class OpenSocket(Protocol):
    """Opens a socket whose frames go to a receiver as they arrive; raises SocketError."""

    async def __call__(
        self, url: str, receiver: Receiver, limits: SocketLimits, headers: Mapping[str, str] = NO_HEADERS
    ) -> Socket:
        """Open `url` with these headers of the handshake; an exception out of its `on_frame` closes the socket."""
        ...


class _WebsocketsSocket:
    def __init__(self, connection: ClientConnection, receiver: Receiver) -> None:
        self.simulated = connection.response is not None and SIMULATED_HEADER in connection.response.headers
        self._connection = connection
        self._reader = asyncio.create_task(self._read(receiver), name="socket reader")

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise SocketError(str(closed)) from closed

    async def ping(self) -> None:
        try:
            await self._connection.ping()
        except ConnectionClosed as closed:
            raise SocketError(str(closed)) from closed

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._reader)

    async def close(self) -> None:
        await self._connection.close()
        await asyncio.wait({self._reader}, timeout=1.0)
        self._reader.cancel()

    async def _read(self, receiver: Receiver) -> str:
        receive = self._connection.recv
        try:
            while True:
                frame = await receive(decode=False)
                receiver.on_frame(frame, now_ns())
        except ConnectionClosed as closed:
            return str(closed)


async def open_websockets(
    url: str, receiver: Receiver, limits: SocketLimits, headers: Mapping[str, str] = NO_HEADERS
) -> Socket:
    """Open with the `websockets` library."""
    try:
        connection = await connect(
            url,
            open_timeout=limits.open_timeout,
            close_timeout=limits.close_timeout,
            max_size=limits.max_frame_bytes,
            ping_interval=None,
            compression=None,
            user_agent_header=USER_AGENT,
            additional_headers=headers,
        )
    except (OSError, TimeoutError, WebSocketException) as error:
        raise SocketError(str(error) or type(error).__name__) from error
    return _WebsocketsSocket(connection, receiver)


class _PicowsListener(WSListener):
    """Delivers whole messages: continuation frames are joined first."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        self._receiver = receiver
        self._parts: list[bytes] = []
        self.reason = "connection closed"

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind in _DATA:
            if frame.fin and not self._parts:
                self._receiver.on_frame(frame.get_payload_as_bytes(), now_ns())
                return
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                whole, self._parts = b"".join(self._parts), []
                self._receiver.on_frame(whole, now_ns())
        elif kind is WSMsgType.CLOSE:
            message = (frame.get_close_message() or b"").decode(errors="replace")
            self.reason = f"closed by the venue: {frame.get_close_code()} {message}".rstrip()
            transport.send_close(frame.get_close_code(), b"")
            transport.disconnect()


class _PicowsSocket:
    def __init__(self, transport: WSTransport, listener: _PicowsListener) -> None:
        headers: Any = transport.response.headers
        self.simulated = SIMULATED_HEADER in headers
        self._transport = transport
        self._listener = listener

    async def send(self, text: str) -> None:
        self._transport.send(WSMsgType.TEXT, text.encode())

    async def ping(self) -> None:
        self._transport.send_ping()

    async def wait_closed(self) -> str:
        try:
            await self._transport.wait_disconnected()
        except (OSError, WSError, ValueError) as error:
            return str(error) or type(error).__name__
        return self._listener.reason

    async def close(self) -> None:
        self._transport.disconnect()


async def open_picows(
    url: str, receiver: Receiver, limits: SocketLimits, headers: Mapping[str, str] = NO_HEADERS
) -> Socket:
    """Open with the `picows` library: the same behaviour at a fraction of the cost a frame."""
    try:
        transport, listener = await ws_connect(  # pyright: ignore[reportUnknownVariableType]
            lambda: _PicowsListener(receiver),
            url,
            websocket_handshake_timeout=limits.open_timeout,
            enable_auto_ping=False,
            auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
            enable_auto_pong=True,
            max_frame_size=limits.max_frame_bytes,
            extra_headers={"User-Agent": USER_AGENT, **headers},
        )
    except (OSError, TimeoutError, WSError) as error:
        raise SocketError(str(error) or type(error).__name__) from error
    if not isinstance(listener, _PicowsListener):
        msg = "picows returned another listener than the one it was given"
        raise TypeError(msg)
    return _PicowsSocket(transport, listener)


async def close_in_time(socket: Socket) -> None:
    """Close a socket; one that takes too long is left to its library, which is logged."""
    try:
        async with asyncio.timeout(2.0):
            await socket.close()
    except (TimeoutError, OSError) as error:
        _log.warning("feed.close_incomplete", reason=str(error) or type(error).__name__)


OPENERS: Final[dict[str, OpenSocket]] = {"websockets": open_websockets, "picows": open_picows}
