"""Whether the holder of a lease is connected: it serves a subject of its own, which nobody serves once it is gone.

A process that is killed loses its connection at once, and with it its subscriptions: the server then answers a request
to them by itself. A process that is frozen keeps them and does not answer: its lease ends by time.
"""

from __future__ import annotations

from typing import Final

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from contracts.subjects import LEASE
from runtime import clock
from runtime.nats.bus import Bus

APART: Final = 0.3
"""Seconds between the two refusals that prove a holder gone: one that has just reconnected subscribes within them."""
_WAIT: Final = 0.5


async def serve(bus: Bus, holder: str) -> Subscription:
    """Answer for a holder for as long as the connection lasts, again after each reconnect."""
    return await bus.client.subscribe(LEASE + holder, cb=_respond)


async def _respond(message: Msg) -> None:
    await message.respond(b"")


class Presence:
    """Remembers who was found to be gone once; `is_gone` says so at the second time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._missed: dict[str, float] = {}

    async def is_gone(self, holder: str) -> bool:
        """Whether nobody has served the holder's subject for `APART` seconds; False while that is not known."""
        if not await self._nobody_serves(holder):
            self._missed.pop(holder, None)
            return False
        now = clock.monotonic()
        return now - self._missed.setdefault(holder, now) >= APART

    def keep_only(self, holders: set[str]) -> None:
        """Forget those that hold nothing any more."""
        for holder in self._missed.keys() - holders:
            del self._missed[holder]

    async def _nobody_serves(self, holder: str) -> bool:
        if not self._bus.connected:
            return False
        try:
            await self._bus.client.request(LEASE + holder, b"", timeout=_WAIT)
        except NoRespondersError:
            return True
        except NatsError:  # no answer in time, or no connection: not known
            return False
        return False
