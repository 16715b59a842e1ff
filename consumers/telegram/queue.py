"""The jobs of one priority on their stream: pulled in order, kept in hand until they are settled, then acknowledged.

Whoever begins to send makes the durable again: what the sender before had in hand is delivered at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from nats.aio.msg import Msg
from nats.js.api import Header

from contracts.streams import DurableSpec
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.durable import DurableRule, wait_for_durable, watch_durable
from runtime.provision import remake_durable
from runtime.tasks import end_tasks

_AT_ONCE: Final = 500
_PULL_SECONDS: Final = 5.0
_LATE_SECONDS: Final = 1.0  # after which a pull without any answer is taken as lost
_AGAIN_SECONDS: Final = 0.02
_ROUNDS: Final = 3  # in the time after which the server would deliver again
_ACK_SECONDS: Final = 5.0


class WorkQueue:
    """One durable's messages; `on_message(key, message)` gets each that is not in hand already."""

    def __init__(self, bus: Bus, spec: DurableSpec, on_message: Callable[[tuple[str, int], Msg], None]) -> None:
        self.spec, self._bus, self._on_message = spec, bus, on_message
        self._held: dict[int, Msg] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._left, self._answered = 0, asyncio.Event()

    async def open(self) -> list[asyncio.Task[None]]:
        """Take everything that is not acknowledged, and what comes; each task of the list ends with an error only."""
        await remake_durable(self._bus, self.spec)
        info = await wait_for_durable(self._bus, self.spec, DurableRule())
        guard = watch_durable(self._bus, self.spec, DurableRule(), str(info["created"]))
        works = {"pull": self._pull(), "hold": self._hold(), "guard": guard}
        self._tasks = [asyncio.create_task(work, name=f"{name} of {self.spec.name}") for name, work in works.items()]
        return self._tasks

    async def close(self) -> None:
        """Pull no more; what is in hand is delivered to whoever opens it next."""
        await end_tasks(self._tasks)

    async def done(self, sequence: int) -> None:
        """Acknowledge a job: its stream forgets it."""
        await self._held[sequence].ack_sync(timeout=_ACK_SECONDS)
        del self._held[sequence]

    async def refuse(self, sequence: int) -> None:
        """Take away a message that is no job."""
        await self._held.pop(sequence).term()

    async def _pull(self) -> None:
        inbox = self._bus.client.new_inbox()
        subscription = await self._bus.client.subscribe(inbox, cb=self._on_answer)
        request = {"batch": _AT_ONCE, "expires": int(_PULL_SECONDS * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.spec.stream}.{self.spec.name}"
        try:
            while True:
                self._left = _AT_ONCE
                self._answered.clear()
                await self._bus.client.publish(subject, json.dumps(request).encode(), reply=inbox)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PULL_SECONDS + _LATE_SECONDS):
                        await self._answered.wait()
                await clock.sleep(_AGAIN_SECONDS if self._left else 0)
        finally:
            await subscription.unsubscribe()

    async def _on_answer(self, message: Msg) -> None:
        if message.headers and Header.STATUS in message.headers:  # the pull is over: nothing came, or it may not
            self._answered.set()
            return
        sequence = message.metadata.sequence.stream
        known = sequence in self._held
        self._held[sequence] = message
        self._left -= 1
        if self._left <= 0:
            self._answered.set()
        if not known:
            self._on_message((self.spec.name, sequence), message)

    async def _hold(self) -> None:
        """Say of what is in hand that it is being worked on."""
        while True:
            await clock.sleep(self.spec.ack_wait / _ROUNDS)
            for number, message in enumerate(list(self._held.values())):
                await message.in_progress()
                if number % _AT_ONCE == 0:
                    await clock.sleep(0)
