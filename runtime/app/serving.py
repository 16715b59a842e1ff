"""Serves a FastStream router for as long as its owner wants: each subscriber starts when its durable is there."""

from __future__ import annotations

import asyncio
from functools import partial

from faststream.nats import NatsRouter
from faststream.nats.subscriber.usecases.core_subscriber import ConcurrentCoreSubscriber

from contracts.streams import DurableSpec
from runtime.app.intervals import ticks
from runtime.app.service import Consumer, Service
from runtime.app.settling import durable_of
from runtime.nats.broker import Broker
from runtime.nats.bus import Bus
from runtime.nats.durable import DurableRule, wait_for_durable, watch_durable


class Serving:
    """One router on the process's broker; `failed` ends with the error where one of its durables is lost.

    The broker has to be connected. A router that was closed may be opened again.
    """

    def __init__(self, bus: Bus, broker: Broker | None, router: NatsRouter, rule: DurableRule | None = None) -> None:
        if broker is None:
            raise ValueError("a router needs a broker: give the service one")
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bus, self._broker, self._router = bus, broker, router
        self._rule = rule or DurableRule()
        self._guards: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start every subscriber; MissingDurableError where nobody makes the durable that one of them reads."""
        if self._router not in self._broker.routers:
            self._broker.include_router(self._router)
        for subscriber in self._router.subscribers:
            spec = durable_of(subscriber)
            if spec is not None:
                await self._guard(spec)
            await subscriber.start()
        await self._broker.flush()

    async def close(self) -> None:
        """Finish the messages at hand, then stop; the router leaves the broker.

        A request that the server has sent here already is worked on: its asker waits for nobody else.
        """
        for guard in self._guards:
            guard.cancel()
        subscribers = self._router.subscribers
        requested = (one for one in subscribers if isinstance(one, ConcurrentCoreSubscriber))
        await asyncio.gather(*(self._broker.withdraw(one) for one in requested))
        await asyncio.gather(*(subscriber.stop() for subscriber in subscribers))
        if self._router in self._broker.routers:
            self._broker.routers.remove(self._router)
        self.failed.cancel()

    async def _guard(self, spec: DurableSpec) -> None:
        info = await wait_for_durable(self._bus, spec, self._rule)
        watching = watch_durable(self._bus, spec, self._rule, str(info["created"]))
        guard = asyncio.create_task(watching, name=f"guard of {spec.name}")
        guard.add_done_callback(self._on_guard)
        self._guards.append(guard)

    def _on_guard(self, guard: asyncio.Task[None]) -> None:
        if guard.cancelled() or self.failed.done():
            return
        error = guard.exception()
        if error is not None:
            self.failed.set_exception(error)


async def serve(router: NatsRouter, service: Service) -> None:
    """Serve a router until the service is stopped: all that a consumer needs that has handlers only."""
    serving = Serving(service.bus, service.broker, router)
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(service.stop, 1.0, serving.failed):
            service.report("serving", 1)
    finally:
        await serving.close()


def handlers_of(router: NatsRouter) -> Consumer:
    """Return the consumer that serves this router and does nothing else."""
    return Consumer(partial(serve, router), router)
