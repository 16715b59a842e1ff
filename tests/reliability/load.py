"""Commands published with so many in flight, each until its stream has it, and what the stream holds in the end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from nats.aio.client import Client
from nats.js.api import StreamConfig

from runtime.nats.bus import Bus

IN_FLIGHT = 200


@dataclass
class Load:
    """Publishes numbered commands to a stream; `acked` has when each was acknowledged, monotonic seconds."""

    bus: Bus
    stream: str = "COMMANDS"
    acked: dict[int, float] = field(default_factory=dict[int, float])
    stopped: bool = False

    @property
    def subject(self) -> str:
        return f"{self.stream.lower()}.x"

    async def create(self, replicas: int = 1) -> None:
        await self.bus.jetstream().add_stream(
            StreamConfig(name=self.stream, subjects=[self.subject], num_replicas=replicas)
        )

    async def run(self, count: int, timeout: float = 2.0) -> None:
        """Publish so many, or until `stopped`."""
        gate = asyncio.Semaphore(IN_FLIGHT)

        async def publish(number: int) -> None:
            try:
                headers = {"Nats-Msg-Id": f"c{number}"}
                await self.bus.publish_acked(
                    self.subject, b"%d" % number, headers=headers, stream=self.stream, timeout=timeout
                )
                self.acked[number] = time.monotonic()
            finally:
                gate.release()

        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                await gate.acquire()
                if self.stopped:
                    gate.release()
                    return
                tasks.create_task(publish(number))

    async def until(self, count: int, seconds: float = 60.0) -> None:
        """Wait until so many are acknowledged."""
        async with asyncio.timeout(seconds):
            while len(self.acked) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def first_after(self, moment: float) -> float:
        """Seconds from a moment (monotonic) to the first acknowledgement after it."""
        return min(at for at in self.acked.values() if at > moment) - moment

    def longest_gap(self) -> float:
        """The longest time between two acknowledgements, seconds."""
        times = sorted(self.acked.values())
        return max(after - before for before, after in pairwise(times))


async def stored(client: Client, stream: str) -> Counter[int]:
    """Read a whole stream: how often it holds each number."""
    js = client.jetstream()
    state = (await js.stream_info(stream)).state
    found: Counter[int] = Counter()
    if not state.messages:
        return found
    reader = await js.subscribe("", stream=stream, ordered_consumer=True, pending_msgs_limit=-1)
    while found.total() < state.messages:
        found[int((await reader.next_msg(timeout=10)).data)] += 1
    await reader.unsubscribe()
    return found
