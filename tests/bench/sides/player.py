"""A WebSocket server that plays frames at full speed to one client when it is told to. `python player.py <job> <side>`.

`PLAY first last` asks for a part of them. They are framed before, so that this process is never the slower one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import struct
import sys

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


async def main(frames: list[str]) -> None:
    all_framed = [framed(frame.encode()) for frame in frames]
    clients: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"PLAY"):
            first, last = map(int, head.split()[1:])
            whole = b"".join(all_framed[first:last])
            for at in range(0, len(whole), _CHUNK):
                clients[-1].write(whole[at : at + _CHUNK])
                await clients[-1].drain()
            return
        lines = (line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        key = next(value.strip() for name, value in lines if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        clients.append(writer)
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(read_job(sys.argv[1])[sys.argv[2]]))
