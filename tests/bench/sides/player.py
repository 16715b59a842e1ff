"""A WebSocket server that plays frames at full speed to one client when it is told to. `python player.py <job> <side>`.

`PLAY first last` asks for a part of them, `STATE` what was sent until now and to whom. They are framed before, so that
this process is never the slower one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import struct
import sys
from collections.abc import Sequence

from worker import read_job

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK = 1 << 16


def framed(payload: bytes) -> bytes:
    """One unmasked text frame."""
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65536:
        return b"\x81\x7e" + struct.pack(">H", size) + payload
    return b"\x81\x7f" + struct.pack(">Q", size) + payload


def _accept(head: bytes) -> bytes:
    """The answer to a WebSocket's handshake."""
    lines = (line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    key = next(value.strip() for name, value in lines if name.lower() == b"sec-websocket-key")
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + base64.b64encode(hashlib.sha1(key + _GUID).digest())
        + b"\r\n\r\n"
    )


class Player:
    """Plays to the client that came last; `serve` takes its connections, and those of whoever gives orders."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = frames
        self._clients: list[asyncio.StreamWriter] = []  # that are open
        self._opened = 0
        self._sent = 0  # bytes of frames
        self._failures: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection until it ends."""
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            order, *numbers = head.split()
            if order == b"PLAY":
                client = self._clients[-1] if self._clients else None
                writer.write(b"playing\n")
                await self._play(client, *map(int, numbers))
            elif order == b"STATE":
                writer.write(f"{self.state()}\n".encode())
            else:
                writer.write(_accept(head))
                await self._hold(reader, writer)

    def state(self) -> str:
        """What was sent until now and to whom, and what went wrong."""
        waiting = [client.transport.get_write_buffer_size() for client in self._clients]
        state = (
            f"{self._sent} bytes of frames, {self._opened} clients, {len(waiting)} of them open, {waiting} bytes wait"
        )
        return "; ".join((state, *self._failures))

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.append(writer)
        self._opened += 1
        try:
            while await reader.read(4096):
                pass
        finally:
            self._clients.remove(writer)

    async def _play(self, client: asyncio.StreamWriter | None, first: int, last: int) -> None:
        whole = b"".join(self._frames[first:last])
        if client is None:
            self._failures.append(f"no client for frames {first} to {last}")
            return
        try:
            for at in range(0, len(whole), _CHUNK):
                client.write(whole[at : at + _CHUNK])
                await client.drain()
                self._sent += len(whole[at : at + _CHUNK])
        except ConnectionError as error:
            self._failures.append(f"the client of frames {first} to {last} left: {error}")


async def main(frames: list[str]) -> None:
    player = Player([framed(frame.encode()) for frame in frames])
    server = await asyncio.start_server(player.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(read_job(sys.argv[1])[sys.argv[2]]))
