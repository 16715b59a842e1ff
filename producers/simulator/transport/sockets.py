"""The client sockets of one simulator: sending, delaying, pinging and cutting them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.connection import broadcast
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import Event

from producers.simulator.hub import Session
from producers.simulator.transport.bodies import BodyConnection
from producers.simulator.transport.keepalive import Pulse

CLOSE_TIMEOUT_S = 2.0
MAX_DELAYED = 5000
QUICKLY = 1  # level of compression


class PingedConnection(BodyConnection):
    """A server's socket that reports the client's ping frames, which the library answers by itself."""

    on_ping: Callable[[], None] | None = None

    def process_event(self, event: Event) -> None:
        """Report a ping, then process the event."""
        if self.on_ping is not None and isinstance(event, WireFrame) and event.opcode is Opcode.PING:
            self.on_ping()
        super().process_event(event)


@dataclass(slots=True, eq=False)
class Client:
    """One accepted socket of one venue."""

    venue: str
    session: Session
    socket: ServerConnection
    pulse: Pulse
    delayed: int = 0
    slow_until: float = 0.0


@dataclass(slots=True)
class Sockets:
    """All clients by session. `now_us` is the server's clock; `send_buffer` bytes may wait for one client."""

    now_us: Callable[[], int]
    send_buffer: int
    clients: dict[Session, Client] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    sent: dict[str, int] = field(default_factory=dict)
    cut_slow: int = 0

    def list_clients(self, venue: str | None = None) -> list[Client]:
        """The open sockets, of one venue or of all."""
        return [client for client in self.clients.values() if venue is None or client.venue == venue]

    def send(self, client: Client, text: str, delay_s: float = 0.0) -> None:
        """Sends now, or after the delay in the same order; a client that reads too slowly is cut."""
        loop = asyncio.get_running_loop()
        if delay_s > 0 or client.delayed:
            if client.delayed >= MAX_DELAYED:
                self._cut_slow(client)
                return
            client.slow_until = max(client.slow_until, loop.time() + delay_s)
            client.delayed += 1
            loop.call_at(client.slow_until, self._send_late, client, text)
            return
        self._write(client, text)

    def abort(self, client: Client) -> None:
        """Cuts the TCP connection without a close frame."""
        client.socket.transport.abort()

    def close(self, client: Client, code: int, reason: str) -> None:
        """Starts a clean close in the background; cuts after a timeout."""
        self._spawn(self._close(client, code, reason))

    def ping(self, client: Client) -> None:
        """Sends one ping, a frame or the venue's own message, and notes when its pong comes."""
        now = self.now_us()
        client.pulse.pinged_us = now
        client.pulse.unanswered.append(now)
        if client.session.ping is None:
            self._spawn(self._ping(client, now))
        else:
            self._write(client, client.session.ping.text(now))

    async def drain(self) -> None:
        """Ends every background task."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _write(self, client: Client, text: str) -> None:
        if client.socket.transport.get_write_buffer_size() > self.send_buffer:
            self._cut_slow(client)
            return
        gzipped = client.session.gzipped
        broadcast([client.socket], gzip.compress(text.encode(), QUICKLY, mtime=0) if gzipped else text)
        client.pulse.outbound_us = self.now_us()
        self.sent[client.venue] = self.sent.get(client.venue, 0) + 1

    def _send_late(self, client: Client, text: str) -> None:
        client.delayed -= 1
        self._write(client, text)

    def _cut_slow(self, client: Client) -> None:
        self.cut_slow += 1
        self.abort(client)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _close(self, client: Client, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await client.socket.close(code, reason)
        except TimeoutError:
            self.abort(client)

    async def _ping(self, client: Client, sent_us: int) -> None:
        try:
            pong = await client.socket.ping(str(sent_us // 1000))
            await pong
        except ConnectionClosed:
            return
        client.pulse.unanswered = [at for at in client.pulse.unanswered if at > sent_us]
