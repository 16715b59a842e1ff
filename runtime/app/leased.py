"""The lease of a consumer that only one process runs: waited for while another has it, given back at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Protocol

from runtime.app.documents import open_store
from runtime.app.intervals import ticks
from runtime.app.service import Service
from runtime.nats.leases.lease import Lease
from runtime.store import IndexSpec, Store

_LOOK_SECONDS: Final = 1.0
_STANDBY_SECONDS: Final = 3.0  # a process that waits longer stands by, which is as ready as it gets


class LeaseLostError(RuntimeError):
    """Another process may do it now: this one begins again and waits for its turn."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that this process has; `lost` fails with LeaseLostError when it has it no more."""

    lease: Lease
    lost: asyncio.Future[None]


class LeasedPlan(Protocol):
    """Which lease is waited for, for how many seconds it holds, and where the documents are."""

    @property
    def lease(self) -> str:
        """Its name."""
        ...

    @property
    def lease_seconds(self) -> float:
        """For how long it holds without being renewed."""
        ...

    @property
    def documents(self) -> str:
        """The URL of the document store."""
        ...


async def hold_documents(
    service: Service, stack: AsyncExitStack, plan: LeasedPlan, indexes: Sequence[IndexSpec]
) -> tuple[Held, Store] | None:
    """Wait for the lease, then for the documents; None where the service was stopped meanwhile. `stack` ends both."""
    held = await hold(service, stack, plan.lease, plan.lease_seconds)
    if held is None:
        return None
    store = await stack.enter_async_context(open_store(service, plan.documents, indexes))
    return None if store is None else (held, store)


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
