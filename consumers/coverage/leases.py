"""Looks for signs of life of every producer: the renewals of its lease, and its answers in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nats.errors import Error as NatsError

from consumers.coverage.units import Units
from contracts.streams import LEASES
from contracts.subjects import LEASE, LEASE_PRODUCERS
from runtime import clock
from runtime.coverage.spans import SECOND
from runtime.nats.bus import Bus
from runtime.nats.kv.mirror import Entry, Mirror
from runtime.nats.leases.lease import Grant, read_entry

_WAIT: Final = 0.4  # seconds for an answer
_BELIEVED: Final = 2 / 3  # of its ttl, after which a holder that could not renew its lease publishes no more
OnLost = Callable[[str, int, int], None]
"""Called with a venue, as a token of subjects, and the ends (ns UTC) of a time that nothing is known of."""


class ProducerLeases:
    """The leases of all units; `look` asks each holder.

    An answer counts only where the lease was renewed, with the same token, since the holder or the bus was last away:
    one that has just come back answers before it notices that its lease is lost.
    """

    def __init__(self, bus: Bus, units: Units, on_lost: OnLost) -> None:
        self._bus, self._units, self._on_lost = bus, units, on_lost
        self._mirror = Mirror(bus, LEASES)
        self._held: dict[str, tuple[Grant, int]] = {}  # with when the lease was renewed, ns UTC
        self._doubtful: set[str] = set()
        self._mirror.listen(LEASE_PRODUCERS, self._on_entry)
        self._unlisten = bus.listen_reconnect(lambda: self._doubtful.update(self._held))
        self.failed = self._mirror.failed

    async def open(self) -> None:
        """Read every lease, and follow them from now on."""
        await self._mirror.open(timeout=None)

    async def close(self) -> None:
        """Follow them no more."""
        self._unlisten()
        await self._mirror.close()

    def sampled(self) -> dict[str, frozenset[str]]:
        """Return by venue, as a token of subjects, the channels of which only a sample is published."""
        found: dict[str, frozenset[str]] = {}
        for unit, (grant, _) in self._held.items():
            venue = unit.partition(".")[0]
            found[venue] = found.get(venue, frozenset()) | frozenset(grant.about.get("sampled", ()))
        return found

    async def look(self) -> None:
        """Ask every holder for a sign of life."""
        asked = list(self._held.items())
        answers = await asyncio.gather(*(self._ask(unit, *held) for unit, held in asked))
        granted = {unit: held[0].token for (unit, held), is_there in zip(asked, answers, strict=True) if is_there}
        for unit in [unit for unit in self._units.seen if unit not in granted]:
            span = self._units.drop_replaced(unit, granted)
            if span is not None:
                self._on_lost(unit.partition(".")[0], *span)

    async def _ask(self, unit: str, grant: Grant, renewed: int) -> bool:
        if grant.holder is None or not self._bus.connected:
            return False
        at = clock.now_ns()
        try:
            await self._bus.client.request(LEASE + grant.holder, b"", timeout=_WAIT)
        except NatsError:
            self._doubtful.add(unit)
            return False
        held = self._held.get(unit)
        if held is not None and held[0].token == grant.token and unit not in self._doubtful:
            until = renewed + int(grant.ttl * _BELIEVED * SECOND) if grant.ttl else at
            self._note(unit, grant.token, min(at, until))
        return True

    def _on_entry(self, key: str, entry: Entry | None) -> None:
        unit = key.removeprefix(LEASE_PRODUCERS)
        if entry is None:
            self._held.pop(unit, None)
            return
        grant = read_entry(key, entry)
        if grant is None:
            return
        if unit not in self._held:
            self._doubtful.add(unit)  # it may have been written long ago
        else:
            self._doubtful.discard(unit)
        self._held[unit] = grant, entry.time_ns
        if grant.holder is not None:
            self._note(unit, grant.token, entry.time_ns)

    def _note(self, unit: str, token: int, at: int) -> None:
        span = self._units.on_alive(unit, token, at)
        if span is not None:
            self._on_lost(unit.partition(".")[0], *span)
