"""What a key may hold: so many connections of the stream at a time, WebSocket and server-sent events together.

Each process counts its own. Connections without a key are bounded by their address only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from api.http.access.keys import Identity
from contracts.errors import HydrophoneError, NotReadyError


class LimitReachedError(HydrophoneError):
    """There are as many as there may be; `details["maximum"]` says how many that is."""

    code = "LIMIT_REACHED"


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a key is waited for and a client may take nothing, in seconds; how many clients, connections of a key,
    and subscriptions of a connection there may be."""  # noqa: D205, D209

    auth_seconds: float = 10.0
    send_seconds: float = 5.0
    most_clients: int = 2000
    connections_per_key: int = 20
    subscriptions: int = 200


class KeyConnections:
    """Counts the connections of each key, and of all."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._held: Counter[str] = Counter()
        self._count = 0

    @contextmanager
    def take(self, identity: Identity) -> Generator[None]:
        """Hold one connection of a key; raises LimitReachedError where it has too many, NotReadyError where all do."""
        most = self._limits.connections_per_key
        if self._count >= self._limits.most_clients:
            raise NotReadyError("There are too many clients", waiting_for=["fewer clients"])
        if identity.known and self._held[identity.uid] >= most:
            raise LimitReachedError(f"At most {most} connections of the stream a key", limit="key", maximum=most)
        self._held[identity.uid] += 1
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            self._held[identity.uid] -= 1
            if not self._held[identity.uid]:
                del self._held[identity.uid]
