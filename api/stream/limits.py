"""What a key may hold: so many connections of the stream at a time, WebSocket and server-sent events together.

Those of the other processes count as well, as these say on the bus. Connections without a key are bounded by their
address only.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from api.http.access.keys import Identity
from contracts.errors import LimitReachedError, NotReadyError, UnauthorizedError


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a key is waited for and a client may take nothing, in seconds; how many clients, connections of a key,
    and subscriptions of a connection there may be."""  # noqa: D205, D209

    auth_seconds: float = 10.0
    send_seconds: float = 5.0
    most_clients: int = 2000
    connections_per_key: int = 20
    subscriptions: int = 200


class Held:
    """One connection: whose it is, and how it ends."""

    def __init__(self, scope: asyncio.Timeout) -> None:
        self._scope = scope
        self.refused = False

    def end(self) -> None:
        """End it now: what is awaited under it is given up."""
        self.refused = True
        self._scope.reschedule(asyncio.get_running_loop().time())


class Elsewhere(Protocol):
    """What the other processes hold."""

    def count(self, uid: str) -> int:
        """Return how many connections of a key they hold."""
        ...

    def on_grown(self) -> None:
        """Take note that this process holds one more."""
        ...


class KeyConnections:
    """Counts the connections of each key, and of all; those of a key that is refused from now on are ended."""

    def __init__(self, limits: StreamLimits, elsewhere: Elsewhere | None = None) -> None:
        self._limits = limits
        self._elsewhere = elsewhere
        self._held: defaultdict[str, list[Held]] = defaultdict(list)
        self._count = 0

    @asynccontextmanager
    async def take(self, identity: Identity) -> AsyncGenerator[Held]:
        """Hold one connection of a key.

        Raises LimitReachedError where it has too many, NotReadyError where all do, UnauthorizedError when the key is
        refused meanwhile.
        """
        if self._count >= self._limits.most_clients:
            raise NotReadyError("There are too many clients", waiting_for=["fewer clients"])
        scope = asyncio.timeout(None)
        held = Held(scope)
        self.add(identity, held)
        self._count += 1
        try:
            async with scope:
                yield held
        except TimeoutError:
            if not held.refused:
                raise
            raise UnauthorizedError("The key is refused from now on") from None
        finally:
            self._count -= 1
            self._forget(held)

    def add(self, identity: Identity, held: Held) -> None:
        """Count a connection as this key's; raises LimitReachedError where the key has too many."""
        most = self._limits.connections_per_key
        others = 0 if self._elsewhere is None else self._elsewhere.count(identity.uid)
        if identity.known and len(self._held.get(identity.uid, ())) + others >= most:
            raise LimitReachedError(f"At most {most} connections of the stream a key", limit="key", maximum=most)
        self._held[identity.uid].append(held)
        if identity.known and self._elsewhere is not None:
            self._elsewhere.on_grown()

    def count(self) -> dict[str, int]:
        """Return how many connections each key holds here."""
        return {uid: len(of_key) for uid, of_key in self._held.items()}

    def on_refused(self, uid: str) -> None:
        """End the connections of a key that was accepted and is not any more."""
        for held in [*self._held.get(uid, ())]:
            held.end()

    def _forget(self, held: Held) -> None:
        for uid in [uid for uid, of_key in self._held.items() if held in of_key]:
            self._held[uid].remove(held)
            if not self._held[uid]:
                del self._held[uid]
