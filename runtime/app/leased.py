"""The lease of a consumer that only one process runs: waited for while another has it, given back at the end."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.nats.leases.lease import Lease

_LOOK_SECONDS: Final = 1.0
_STANDBY_SECONDS: Final = 3.0  # a process that waits longer stands by, which is as ready as it gets


class LeaseLostError(RuntimeError):
    """Another process may do it now: this one begins again and waits for its turn."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that this process has; `lost` fails with LeaseLostError when it has it no more."""

    lease: Lease
    lost: asyncio.Future[None]


async def hold(service: Service, stack: AsyncExitStack, name: str, seconds: float) -> Held | None:
    """Wait for the lease and return it; None where the service was stopped meanwhile. `stack` gives it back."""
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    stack.callback(lost.cancel)

    def on_lost() -> None:
        if not lost.done():
            lost.set_exception(LeaseLostError(f"the lease of {name} was lost"))

    lease = Lease(service.bus, name, on_lost=on_lost, ttl=seconds)
    stack.push_async_callback(lease.release)
    acquiring = asyncio.create_task(lease.acquire(), name=f"lease of {name}")
    stack.callback(acquiring.cancel)
    waited = 0.0
    async for _ in ticks(service.stop, _LOOK_SECONDS, acquiring):
        if acquiring.done():
            return Held(lease, lost)
        waited += _LOOK_SECONDS
        if waited >= _STANDBY_SECONDS:
            service.ready()
        service.report("standing_by", 1)
    return None
