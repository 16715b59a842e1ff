"""Watches the holders of leases: who is gone, stopped or silent is noticed within seconds, also without a standby."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from contracts.streams import LEASES
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry, Mirror
from runtime.nats.leases.lease import Grant, read_entry
from runtime.nats.leases.presence import Presence

_GIVEN_BACK_SECONDS: Final = 2.0  # a lease that nobody took for so long: its holder ended properly, and no other came
OnEnded = Callable[[str, Grant, str], Awaitable[bool]]
"""(key, what the bucket says, why it counts as ended); whether that is dealt with: False is called again."""


class HolderWatch:
    """Calls `on_ended` once for each grant under `prefix` whose holder does not act any more."""

    def __init__(
        self, bus: Bus, prefix: str, on_ended: OnEnded, *, bucket: str = LEASES, interval: float = 0.4
    ) -> None:
        self._bus, self._prefix, self._on_ended = bus, prefix, on_ended
        self._interval = interval
        self._mirror = Mirror(bus, bucket)
        self._presence = Presence(bus)
        self._grants: dict[str, tuple[Grant, float]] = {}
        self._ended: set[tuple[str, int]] = set()  # keys and tokens that were dealt with
        self._mirror.listen(prefix, self._on_entry)
        self._unlisten = bus.listen_reconnect(self._on_reconnect)

    def grants(self) -> Iterator[tuple[str, Grant]]:
        """Every lease under the prefix, by its key without it."""
        return ((key.removeprefix(self._prefix), grant) for key, (grant, _) in self._grants.items())

    async def run(self) -> None:
        """Watch for ever; ends only by cancellation, or by what breaks the mirror."""
        try:
            await self._mirror.open(timeout=None)
            while not self._mirror.failed.done():
                await asyncio.gather(*(self._look(key, *held) for key, held in self._grants.items()))
                self._presence.keep_only({grant.holder for grant, _ in self._grants.values() if grant.holder})
                await clock.sleep(self._interval)
            await self._mirror.failed
        finally:
            self._unlisten()
            await self._mirror.close()

    def _on_entry(self, key: str, entry: Entry | None) -> None:
        if entry is None:
            self._grants.pop(key, None)
            return
        grant = read_entry(key, entry)
        if grant is not None:
            self._grants[key] = grant, clock.monotonic()

    def _on_reconnect(self) -> None:
        """No holder could renew while the bus was away: time counts from now."""
        now = clock.monotonic()
        self._grants = {key: (grant, now) for key, (grant, _) in self._grants.items()}

    async def _look(self, key: str, grant: Grant, since: float) -> None:
        if (key, grant.token) in self._ended or self._mirror.age() > self._interval + 3.0:
            return
        reason = await self._find_end(grant, clock.monotonic() - since)
        if reason is None or self._grants.get(key, (None,))[0] != grant:
            return
        if await self._on_ended(key.removeprefix(self._prefix), grant, reason):
            self._ended.add((key, grant.token))

    async def _find_end(self, grant: Grant, unchanged: float) -> str | None:
        if grant.holder is None:
            return "its producer was stopped" if unchanged > _GIVEN_BACK_SECONDS else None
        if await self._presence.is_gone(grant.holder):
            return "its producer is gone"
        return "its producer does not answer" if grant.ttl and unchanged > grant.ttl else None
