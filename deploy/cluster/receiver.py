"""A receiver of webhooks that counts: every post with its event, how often it came, and when."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.cluster.promises import FILLED
from runtime.clock import monotonic
from runtime.servers.answers import HOST

_OK: Final = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Received:
    """Events by their id, how often each was posted, and the times of the posts (monotonic seconds)."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    posts: Counter[str] = field(default_factory=Counter[str])
    times: list[float] = field(default_factory=list[float])

    def take(self, body: bytes) -> None:
        """Count a post; ValueError or KeyError where it is no event."""
        event = json.loads(body)
        self.events[event["event_id"]] = event
        self.posts[event["event_id"]] += 1
        self.times.append(monotonic())

    def filled(self) -> list[str]:
        """Return the client ids of orders that were filled, one for each event."""
        orders = (event["data"] for event in self.events.values() if event["event_type"] == "order")
        return [order["client_id"] for order in orders if order["status"] == FILLED]

    def whales(self) -> list[str]:
        """Return the ids of whales, one for each event."""
        return [event["data"]["transaction_id"] for event in self.events.values() if event["event_type"] == "whale"]

    @property
    def repeated(self) -> int:
        """Posts of an event that had come before, under the same id."""
        return sum(self.posts.values()) - len(self.posts)


@asynccontextmanager
async def receiving(port: int, received: Received) -> AsyncGenerator[str]:
    """Answer each post with 204 for as long as the block lasts; give the URL to post to."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
                length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
                received.take(await reader.readexactly(length))
                writer.write(_OK)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the sender has closed, or was killed
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, port)
    async with server:
        yield f"http://{HOST}:{port}/hook"
