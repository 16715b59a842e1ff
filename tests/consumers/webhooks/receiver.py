"""A receiver on a real socket that answers as it is told to, and keeps what it received."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Behave = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


async def read_request(reader: asyncio.StreamReader) -> Request:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    return Request(lines[0], headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def answering(reply: bytes, *, close: bool = False) -> Behave:
    """Answer each request with these bytes; then close, where that is wanted."""

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await writer.drain()
        if close:
            writer.close()

    return behave


@asynccontextmanager
async def receiving(
    behave: Behave | None = None, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[Receiver]:
    receiver, act = Receiver(), behave or answering(OK)
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        writers.add(writer)
        try:
            while not writer.is_closing():
                receiver.requests.append(await read_request(reader))
                receiver.at_once += 1
                receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
                try:
                    await act(receiver.requests[-1], writer)
                finally:
                    receiver.at_once -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
