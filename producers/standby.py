"""Hot standby: a unit (a venue, or a group of its symbols) publishes only in the process that holds its lease.

The standby holds its sockets and books like the holder, so that it can go on within seconds. What may have been missed
between the two is published as a gap on every channel before its first event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from producers.connection.publisher import Lane
from producers.producer import Producer
from runtime.nats.lanes.message import Parts
from runtime.nats.leases.lease import Grant

_log = structlog.get_logger("standby")


class Lease(Protocol):
    """The part of `runtime.nats.leases.lease.Lease` that is needed here."""

    @property
    def held(self) -> bool:
        """Whether we may publish right now."""
        ...

    @property
    def before(self) -> Grant:
        """The grant that ours replaced when we acquired it."""
        ...

    @property
    def is_own(self) -> bool:
        """Whether that grant was ours too."""
        ...

    async def acquire(self) -> int:
        """Wait until it is ours."""
        ...

    async def release(self) -> None:
        """Give it back."""
        ...


class GatedLane:
    """A lane that is shut until its unit's lease is held; what comes meanwhile is counted and goes nowhere."""

    def __init__(self, lane: Lane) -> None:
        self.lease: Lease | None = None
        self.withheld = 0
        self._lane = lane

    def write(self, parts: Parts) -> None:
        """Publish, if we hold the lease."""
        if self.lease is None or not self.lease.held:
            self.withheld += 1
            return
        self._lane.write(parts)


class Unit:
    """One producer with its lease. `make_lease(on_lost)` makes the lease; it is acquired again after each loss."""

    def __init__(self, name: str, producer: Producer, lane: GatedLane) -> None:
        self.name = name
        self.producer = producer
        self.lane = lane
        self._lost = asyncio.Event()

    @property
    def active(self) -> bool:
        """Whether this process publishes for the unit now."""
        return self.lane.lease is not None and self.lane.lease.held

    async def run(self, make_lease: Callable[[Callable[[], None]], Lease]) -> None:
        """Produce for ever, publishing while the lease is held; it is given back when this ends."""
        lease = self.lane.lease = make_lease(self._lost.set)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.producer.run(), name=self.name)
                tasks.create_task(self._keep_lease(lease), name=f"{self.name} lease")
        finally:
            await asyncio.shield(lease.release())

    async def _keep_lease(self, lease: Lease) -> None:
        had = False
        while True:
            self._lost.clear()
            _log.info("unit.standby", unit=self.name)
            token = await lease.acquire()
            withheld, self.lane.withheld = self.lane.withheld, 0
            _log.info("unit.active", unit=self.name, token=token, withheld=withheld)
            if had or lease.before.token:
                sim = bool(lease.before.about.get("sim"))
                own = lease.is_own or (had and lease.before.token == 0)
                await self.producer.on_taken_over(decide_reason(lease.before, own=own), sim=sim)
            had = True
            await self._lost.wait()
            _log.warning("unit.lease_lost", unit=self.name)


def decide_reason(before: Grant, *, own: bool) -> str:
    """Return what a takeover means for subscribers; `before` is the grant that was replaced."""
    if own:
        return "the bus or its leases were away: what was published meanwhile is not known"
    ended = "was stopped" if before.holder is None else "is gone or does not answer"
    return f"taken over from a process that {ended}: what was published in between is not known"
