"""One process of a group works, the others stand by: the first has the lease of the group, and the next one takes it.

What works goes on while the bus is away, and takes its lease again afterwards. Where another process has it by then,
this one ends at once, to be started again and stand by: what it holds in memory is not what is true any more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from nats.errors import Error as NatsError

from contracts.subjects import LEASE_STANDBY
from runtime import clock, retry
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.leases.lease import Lease
from runtime.nats.streams.api import ApiRefusalError

_log = structlog.get_logger("standby")
REPLACED_EXIT_CODE: Final = 71
_AGAIN: Final = retry.Policy(wait_initial=0.1, wait_max=1.0, jitter=0.1)
_SECONDS: Final = 2.0  # for taking what nobody else has


def end_process() -> None:
    """What a process does that was replaced: it ends at once, a supervisor starts it again."""
    os._exit(REPLACED_EXIT_CODE)


class Standby:
    """The place of a process in its group; `ttl` in seconds is how long one that is silent stays first."""

    def __init__(
        self, bus: Bus, group: str, *, ttl: float = 10.0, on_replaced: Callable[[], None] = end_process
    ) -> None:
        self.group, self._on_replaced = group, on_replaced
        self._lost = asyncio.Event()
        self._lease = Lease(bus, LEASE_STANDBY + group, on_lost=self._lost.set, ttl=ttl)

    async def wait(self) -> None:
        """Return when this process is the one that works."""
        _log.info("standby.waiting", group=self.group)
        await self._lease.acquire()
        _log.info("standby.works", group=self.group, token=self._lease.token)

    async def keep(self) -> None:
        """Stay the one that works; returns when another has become it, after `on_replaced` was called."""
        while True:
            await self._lost.wait()
            self._lost.clear()
            if not await self._is_taken_again():
                _log.critical("standby.replaced", group=self.group, exit_code=REPLACED_EXIT_CODE)
                self._on_replaced()
                return

    async def _is_taken_again(self) -> bool:
        """Return whether the lease is ours again and was nobody else's meanwhile."""
        delays = retry.delays(_AGAIN)
        while True:
            try:
                if await self._lease.is_taken():
                    return False
                async with asyncio.timeout(_SECONDS):
                    await self._lease.acquire()
            except (NatsError, NoAnswerError, ApiRefusalError, TimeoutError) as error:
                _log.warning("standby.unknown", group=self.group, error=str(error) or type(error).__name__)
                await clock.sleep(next(delays))
            else:
                return self._lease.is_own

    async def release(self) -> None:
        """Let the next one work."""
        try:
            await self._lease.release()
        except (NatsError, NoAnswerError, ApiRefusalError) as error:
            _log.warning("standby.not_released", group=self.group, error=str(error))


@asynccontextmanager
async def alone(bus: Bus, group: str, connected: asyncio.Future[Bus]) -> AsyncGenerator[None]:
    """Wait for the bus and for being the one that works, and stay it for as long as the block lasts."""
    await asyncio.shield(connected)
    standby = Standby(bus, group)
    await standby.wait()
    keeping = asyncio.create_task(standby.keep(), name=f"standby {group}")
    try:
        yield
    finally:
        keeping.cancel()
        await standby.release()
