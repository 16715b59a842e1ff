"""A subscription with an interval: what it sends comes together, once in so many seconds.

Of state (price, book, candles) that is the newest one; of events what came since, the newest `EVENTS_EACH` of them, the
first with the number of those that were left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from api.stream import protocol
from api.stream.backlog import Backlog, Message
from api.stream.fan_out import NotReady
from api.stream.hub import Hub
from api.stream.topics import Topic
from runtime import clock

EVENTS_EACH: Final = 100  # at most, of one subscription at a time
_ALL: Final = 1 << 30
Push = Callable[[Message], None]


class Collected:
    """In place of a client while its interval runs: keeps the newest events for it."""

    writer = NotReady()

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.backlog = Backlog(EVENTS_EACH)

    def hold(self, messages: list[Message]) -> None:
        """Keep messages until they are taken."""
        for message in messages:
            self.backlog.put(message)

    def end_if_stuck(self, since: float) -> bool:
        """It never waits for anybody."""
        return False

    def take(self) -> list[Message]:
        """Return what is kept, oldest first, and keep it no longer."""
        return [Message(payload) for _, payload in self.backlog.take(_ALL)]


class Pacer:
    """Sends a client what some topics have, each so many seconds, until it is stopped."""

    def __init__(self, hub: Hub, topics: tuple[Topic, ...], seconds: float, push: Push) -> None:
        self._hub, self._topics, self._seconds, self._push = hub, topics, seconds, push
        self._events = Collected()
        self._of_state = topics[0].channel in protocol.STATES
        for topic in topics:
            if self._of_state:
                hub.watch(topic)
            else:
                hub.add(self._events, topic)
        self._task = asyncio.create_task(self._send_states() if self._of_state else self._send_events())

    def stop(self) -> None:
        """Send nothing more."""
        self._task.cancel()
        for topic in self._topics:
            if self._of_state:
                self._hub.unwatch(topic)
            else:
                self._hub.remove(self._events, topic)

    async def _send_states(self) -> None:
        while True:
            for topic in self._topics:
                message = await self._hub.find_current(topic)
                if message is not None:
                    self._push(message)
            await clock.sleep(self._seconds)

    async def _send_events(self) -> None:
        while True:
            await clock.sleep(self._seconds)
            for message in self._events.take():
                self._push(message)
