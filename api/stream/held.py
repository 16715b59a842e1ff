"""What the other processes of the API hold of each key: they say so on `api.v1.connections`, and so does this one.

A key that opens connections in several processes within the same moment may get a few more than it may hold; a process
that says nothing any more is forgotten.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from contracts import subjects
from contracts.services.access import HeldConnections
from runtime import clock
from runtime.nats.bus import Bus

EVERY_SECONDS: Final = 1.0
FORGOTTEN_SECONDS: Final = 5.0
_PACE_SECONDS: Final = 0.02  # between two messages, however fast connections are opened


class HeldElsewhere:
    """Publishes what this process holds, and adds up what the others do."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._process = secrets.token_hex(8)
        self._others: dict[str, tuple[float, Mapping[str, int]]] = {}
        self._grown = asyncio.Event()

    def count(self, uid: str) -> int:
        """Return how many connections of a key the other processes hold."""
        since = clock.monotonic() - FORGOTTEN_SECONDS
        return sum(held.get(uid, 0) for at, held in self._others.values() if at >= since)

    def on_grown(self) -> None:
        """Publish soon."""
        self._grown.set()

    async def run(self, held: Callable[[], Mapping[str, int]]) -> None:
        """Listen, and publish what this process holds, until it is cancelled."""
        await self._bus.client.subscribe(subjects.HELD, cb=self._on_message)
        while True:
            mine = HeldConnections(process=self._process, held=dict(held()))
            with suppress(NatsError):  # while the bus is away each process counts its own
                await self._bus.client.publish(subjects.HELD, mine.model_dump_json().encode())
            await clock.sleep(_PACE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._grown.wait()
            self._grown.clear()

    async def _on_message(self, message: Msg) -> None:
        with suppress(ValidationError):
            said = HeldConnections.model_validate_json(message.data)
            if said.process != self._process:
                self._others[said.process] = (clock.monotonic(), said.held)
        since = clock.monotonic() - FORGOTTEN_SECONDS
        self._others = {process: entry for process, entry in self._others.items() if entry[0] >= since}
