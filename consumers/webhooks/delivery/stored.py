"""The stored endpoints as deliveries see them: read by id, and put into the states that deliveries find them in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from consumers.webhooks.delivery.queue import JobQueue
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store.endpoints import EndpointStore
from contracts.services.webhooks.endpoints import EndpointState

_FROM: Final[Mapping[EndpointState, tuple[EndpointState, ...]]] = {
    "open": ("active",),
    "active": ("open",),
    "disabled": ("active", "open"),
}


class StoredEndpoints:
    """What an owner has stopped stays stopped, whatever a delivery finds."""

    def __init__(self, store: EndpointStore, queue: JobQueue) -> None:
        self._store, self._queue = store, queue

    async def find(self, endpoint_id: str, /) -> Endpoint | None:
        """Return an endpoint whatever its owner; raises UnsealableError."""
        return await self._store.find(endpoint_id)

    def every(self) -> AsyncIterator[Endpoint]:
        """Give the endpoints of every owner, without their secrets."""
        return self._store.every()

    async def set_state(self, endpoint: Endpoint, state: EndpointState, reason: str | None, at_ns: int, /) -> None:
        """Keep and announce what state an endpoint is in now, unless its owner has stopped it."""
        await self._store.set_state(endpoint.id, state, reason, among=_FROM[state], now_ns=at_ns)
        await self._queue.announce(endpoint.id)
