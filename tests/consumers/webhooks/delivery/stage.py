"""The delivery of webhooks on a real bus and real documents, with endpoints in memory and a clock that can be moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from consumers.webhooks.delivery.queue import JobQueue
from consumers.webhooks.delivery.rules import SECOND_NS, DeliveryRules, DigestRules
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.delivery.worker import Worker
from consumers.webhooks.matching.running import Matching, MatchingPlan
from consumers.webhooks.posting import Poster
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store import attempts, events
from consumers.webhooks.store.attempts import AttemptStore
from consumers.webhooks.store.events import EventStore
from consumers.webhooks.transport import Transport, TransportRules
from contracts.services.webhooks.endpoints import EndpointState
from runtime import clock
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.deadletter import DeadLetters
from runtime.nats.signals import publish_signal
from runtime.store import Store
from tests.consumers.webhooks.events import make_endpoint, make_whale

QUICK = DeliveryRules(retries=(0.05, 0.1, 0.2, 0.3, 0.5, 0.5, 0.5), jitter=0.2, circuit_first=0.2, circuit_longest=1.0)
ALLOWED = TransportRules(allow=frozenset({"127.0.0.1"}), seconds=1.0)


@dataclass
class KnownEndpoints:
    """Endpoints in memory, changed as their owners and the deliveries change them."""

    known: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    queue: JobQueue | None = None

    async def find(self, endpoint_id: str, /) -> Endpoint | None:
        return self.known.get(endpoint_id)

    async def every(self) -> AsyncIterator[Endpoint]:
        for endpoint in list(self.known.values()):
            yield endpoint

    async def set_state(self, endpoint: Endpoint, state: EndpointState, reason: str | None, at_ns: int, /) -> None:
        await self.put(replace(self.known[endpoint.id], state=state, state_reason=reason, updated_ns=at_ns))

    async def put(self, endpoint: Endpoint) -> None:
        self.known[endpoint.id] = endpoint
        if self.queue is not None:
            await self.queue.announce(endpoint.id)


@dataclass
class Stage:
    """What runs, and what tests look at."""

    bus: Bus
    sending: Sending
    endpoints: KnownEndpoints
    matching: Matching
    offset: list[int]
    hops: list[tuple[str, str, str, float]]
    numbers: dict[str, int] = field(default_factory=dict[str, int])

    async def register(self, url: str, **fields: Any) -> Endpoint:
        number = len(self.endpoints.known) + 1
        endpoint = make_endpoint(**{"id": f"wh_{number:016x}", "url": url, "updated_ns": clock.now_ns(), **fields})
        await self.endpoints.put(endpoint)
        await wait_for(lambda: self.matching.subscribers.find(endpoint.id) == endpoint)
        return endpoint

    async def whale(self, symbol: str = "BTC/USDT", **fields: Any) -> str:
        base = symbol.partition("/")[0]
        self.numbers[base] = number = self.numbers.get(base, 0) + 1
        whale = make_whale(id=f"binance.{base}.USDT.spot.whale.{number}", symbol=symbol, **fields)
        await publish_signal(self.bus, f"signal.v1.whale.binance.{base}.USDT.spot", whale)
        return str(whale.id)

    async def settled(self, endpoint: Endpoint, count: int, seconds: float = 30.0) -> None:
        """Wait until so many events of an endpoint are delivered or dead."""
        async with asyncio.timeout(seconds):
            while True:
                progress, asked = await self.sending.events.load_progress(endpoint.id)
                if progress.next == count + 1 and not progress.open and not asked:
                    return
                await asyncio.sleep(0.02)

    async def resume(self, endpoint: Endpoint) -> None:
        """As an owner does it."""
        await self.endpoints.put(replace(self.endpoints.known[endpoint.id], state="active", state_reason=None))

    def move_clock(self, seconds: float) -> None:
        self.offset[0] += int(seconds * SECOND_NS)


async def wait_for(check: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not check():  # noqa: ASYNC110  # the condition is in another task
            await asyncio.sleep(0.01)


@asynccontextmanager
async def staging(
    url: str,
    documents: Store,
    rules: DeliveryRules = QUICK,
    digests: DigestRules | None = None,
    workers: int = 1,
) -> AsyncGenerator[Stage]:
    """Match and deliver for as long as the block lasts."""
    await documents.create_indexes([*events.INDEXES, *attempts.INDEXES])
    async with AsyncExitStack() as stack:
        bus = await Bus(BusOptions(servers=(url,), name="webhooks")).connect()
        stack.push_async_callback(bus.close)
        offset, hops = [0], list[tuple[str, str, str, float]]()
        queue = JobQueue(bus)
        endpoints = KnownEndpoints(queue=queue)
        transport = Transport(ALLOWED)
        stack.push_async_callback(transport.close)
        letters = DeadLetters(bus, "webhooks")
        stack.push_async_callback(letters.flush)
        sending = Sending(
            endpoints=endpoints,
            events=EventStore(documents),
            attempts=AttemptStore(documents),
            queue=queue,
            poster=Poster(transport, None),
            letters=letters,
            rules=rules,
            now_ns=lambda: clock.now_ns() + offset[0],
            hop=lambda *sample: hops.append(sample),
        )
        ready = asyncio.Event()
        service = Service(name="webhooks", bus=bus, ready=ready.set)
        plan = MatchingPlan(digests=digests or DigestRules(seconds=0), reconcile_seconds=0.5, notice_seconds=0.1)
        matching = Matching(service, sending, endpoints, plan)
        tasks = [asyncio.create_task(matching.run())]
        tasks += [asyncio.create_task(Worker(sending).run(service.stop)) for _ in range(workers)]
        try:
            await asyncio.wait({*tasks, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            yield Stage(bus, sending, endpoints, matching, offset, hops)
        finally:
            service.stop.set()
            await asyncio.gather(*tasks)
