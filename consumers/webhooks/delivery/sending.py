"""What a delivery is made with: where events, endpoints and attempts are, who posts, by which rules and clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random
from typing import Protocol

from consumers.webhooks.delivery.queue import JobQueue
from consumers.webhooks.delivery.rules import DeliveryRules
from consumers.webhooks.posting import Poster
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store.attempts import AttemptStore
from consumers.webhooks.store.events import EventStore
from runtime import clock
from runtime.app.service import OnHop, time_nothing
from runtime.nats.deadletter import DeadLetters


class Endpoints(Protocol):
    """Where the endpoints are."""

    async def find(self, endpoint_id: str, /) -> Endpoint | None:
        """Return an endpoint whatever its owner; None where there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Of one process. `now_ns` is the wall clock by which everything is due; `changed` grows per endpoint."""

    endpoints: Endpoints
    events: EventStore
    attempts: AttemptStore
    queue: JobQueue
    poster: Poster
    letters: DeadLetters
    rules: DeliveryRules = field(default_factory=DeliveryRules)
    now_ns: Callable[[], int] = clock.now_ns
    hop: OnHop = time_nothing
    chance: Callable[[], float] = random
    counts: Counter[str] = field(default_factory=Counter[str])
    changed: Counter[str] = field(default_factory=Counter[str])
