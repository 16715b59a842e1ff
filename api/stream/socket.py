"""The connection of one stream client: messages come through ASGI, frames go straight to the transport."""

from __future__ import annotations

from typing import Final

from starlette.types import Receive

from api.http.server import FrameSocket

RECEIVE: Final = "websocket.receive"


class ClientGoneError(Exception):
    """The other side is not there any more."""


class StreamSocket:
    """A client's connection."""

    def __init__(self, receive: Receive, connection: FrameSocket) -> None:
        self._receive = receive
        self._connection = connection
        self.end = connection.end  # closes without waiting for anybody

    async def receive(self) -> str | None:
        """Return the next text, None for a binary message; raises ClientGoneError at the end."""
        message = await self._receive()
        if message["type"] != RECEIVE:
            raise ClientGoneError
        text: str | None = message.get("text")
        return text

    async def write(self, frames: bytes) -> None:
        """Write whole frames once there is room; raises ClientGoneError when nobody is there."""
        if not await self._connection.write_frames(frames):
            raise ClientGoneError
