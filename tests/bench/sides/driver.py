"""Who uses the API: a market core, HTTP and stream clients. Run by `python -m tests.bench.sides.driver <nats url>`.

Its line is the port of its control connection, which takes one order a line and answers `done`:
`get <port> <path> <count>`: so many requests over 16 kept connections; `join <port> <clients> <hello>`: open so many
WebSockets and send the hello; `burst <events> <size>`: publish trades, `size` at once, and wait until every client has
all of a burst before the next. A client that lacks a message for ten minutes ends the driver.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import sys
from contextlib import AsyncExitStack
from typing import Any

import structlog

from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from tests.api.world import LISTED, READ_KEY, Store, answering, whale
from tests.bench.sides.our_bus import trades

CONNECTIONS = 16
TRADES = "md.v1.trade.binance.BTC.USDT.spot"
PING = 0x89
PATIENCE = 600.0  # the measured process may run under callgrind


async def fill(store: Store) -> None:
    """A listing, and a state of BTC of which `/gpt/raw` makes an answer of a usual size."""
    await store.put_listing()
    await fill_state(store)


async def fill_state(store: Store) -> None:
    """A version of each document of the state."""
    day = {"high_24h": "92000", "low_24h": "90000.5", "bid": "91000.10", "ask": "91000.30", "change_24h": "1.5"}
    for venue, symbol, _ in LISTED:
        if symbol.startswith("BTC"):
            await store.put_ticker(venue, symbol, "91000.20", volume_24h="3000", **day)
            levels = [(f"{91000 - number}.10", f"2.{number}") for number in range(25)]
            upper = [(f"{91001 + number}.10", f"1.{number}") for number in range(25)]
            await store.put_book(venue, symbol, {"bids": levels, "asks": upper})
    await store.put_contract("binanceusdm", "BTC/USDT:USDT")
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", str(1_200_000 + number)) for number in range(20)])


class Client(asyncio.Protocol):
    """One WebSocket client that counts what comes; text frames of the server, never masked."""

    def __init__(self, port: int, hello: bytes, counts: Counts) -> None:
        self._counts = counts
        self._hello = hello
        self._head = (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {READ_KEY}\r\n\r\n"
        ).encode()
        self._buffer = bytearray()
        self._open = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._open = True
            del self._buffer[: end + 4]
            mask = b"\x00" * 4  # masking with zeros leaves the text as it is
            size = len(self._hello)
            head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
            self._transport.write(head + mask + self._hello)
        self._take()

    def _take(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            if len(buffer) < start + size:
                break
            if buffer[at] == PING:
                self._transport.write(b"\x8a" + bytes((0x80 | size,)) + bytes(4) + buffer[start : start + size])
            else:
                self._counts.add(bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]


class Counts:
    """How many messages of which sort came to all clients together."""

    def __init__(self) -> None:
        self.ready = 0
        self.events = 0
        self.changed = asyncio.Event()

    def add(self, text: bytes) -> None:
        if b'"subscribed"' in text:
            self.ready += 1
        elif b'"price"' in text:
            self.events += 1
        self.changed.set()

    async def until(self, name: str, least: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while getattr(self, name) < least:
                self.changed.clear()
                await self.changed.wait()


class Driver:
    """Carries out the orders of the measured process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._counts = Counts()
        self._clients: list[Any] = []
        self._payload = trades(1)[0][1].replace(b"C0", b"BTC")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order, *words = line.decode().rstrip("\n").split(" ", 3)
            await getattr(self, f"on_{order}")(*words)
            writer.write(b"done\n")
            await writer.drain()
        for transport in self._clients:
            transport.abort()
        self._clients, self._counts = [], Counts()

    async def on_get(self, port: str, path: str, count: str) -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {READ_KEY}\r\n\r\n".encode()
        left = [int(count)]

        async def one() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            while left[0] > 0:
                left[0] -= 1
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(head.decode())
                size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(size.split(b":")[1]))
            writer.close()

        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))

    async def on_join(self, port: str, clients: str, hello: str) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(int(clients)):
            transport, _client = await loop.create_connection(
                lambda: Client(int(port), hello.encode(), self._counts), "127.0.0.1", int(port)
            )
            self._clients.append(transport)
        await self._counts.until("ready", int(clients))

    async def on_burst(self, events: str, size: str) -> None:
        for _ in range(0, int(events), int(size)):
            least = self._counts.events + int(size) * len(self._clients)
            for _ in range(int(size)):
                await self._bus.client.publish(TRADES, self._payload)
            await self._bus.client.flush()
            await self._counts.until("events", least)


async def main(url: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    async with AsyncExitStack() as stack:
        bus = await Bus(BusOptions(servers=(url,), name="driver")).connect()
        stack.push_async_callback(bus.close)
        await provision.apply(bus, provision.declared(synced=True))
        await fill(Store(bus))
        await stack.enter_async_context(answering(url))
        server = await asyncio.start_server(Driver(bus).serve, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1]))
