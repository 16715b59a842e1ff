"""The server below the app: uvicorn, with WebSocket connections that take frames made once for many clients."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from runtime import logs

GOODBYE_SECONDS: Final = 2.0  # for a client to take what was written, before the connection is cut
LARGEST_MESSAGE: Final = 64 * 1024


class FrameSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket connection, handed to the app as `scope["hydrophone.connection"]`.

    Deriving is the server's own way to be extended. Frames written here are unfragmented and uncompressed, which leaves
    the protocol's state as it is; compression must be off.
    """

    async def run_asgi(self) -> None:
        """Run the app with this connection within reach; cut what is still buffered a little after its end."""
        scope: dict[str, Any] = dict(self.scope)
        scope["hydrophone.connection"] = self
        self.scope = scope  # type: ignore[assignment]
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    async def write_frames(self, frames: bytes) -> bool:
        """Write whole frames once the buffer has room; False when the connection is over."""
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(frames)
        return True

    def end(self, code: int, reason: str) -> None:
        """Send a close frame behind what is buffered and do not wait for it to be taken."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})


def make_server(app: Any, host: str, port: int) -> uvicorn.Server:
    """The server of an app. Its own access log and its trust in proxy headers are off: the app has both."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ws=FrameSocket,
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
        lifespan="on",
    )
    return uvicorn.Server(config)


def serve(server: uvicorn.Server) -> None:
    """Serve on uvloop where there is one, until a signal; returns after a clean stop."""
    try:
        import uvloop  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        logs.get().info("server.without_uvloop")
        asyncio.run(server.serve())
    else:
        uvloop.run(server.serve())
