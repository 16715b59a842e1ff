"""The endpoints of every owner in memory, by what they want. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from consumers.webhooks.payloads.facts import Fact
from consumers.webhooks.registry.endpoint import Endpoint, matches
from contracts.services.webhooks.endpoints import EndpointState

_STOPPED: Final = frozenset({"paused", "disabled"})


class Subscribers:
    """Endpoints by id and by event type; `waits_ns`: for how long events wait for one that was stopped."""

    def __init__(self, waits_ns: int) -> None:
        self._waits_ns = waits_ns
        self._endpoints: dict[str, Endpoint] = {}
        self._by_type: dict[str, dict[str, Endpoint]] = {}

    def __len__(self) -> int:
        return len(self._endpoints)

    def ids(self) -> list[str]:
        """Return the id of every endpoint."""
        return list(self._endpoints)

    def find(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint; None where there is none."""
        return self._endpoints.get(endpoint_id)

    def put(self, endpoint: Endpoint) -> None:
        """Take an endpoint as it is now."""
        self.remove(endpoint.id)
        self._endpoints[endpoint.id] = endpoint
        for event_type in endpoint.events:
            self._by_type.setdefault(event_type, {})[endpoint.id] = endpoint

    def remove(self, endpoint_id: str) -> None:
        """Let go of an endpoint."""
        old = self._endpoints.pop(endpoint_id, None)
        for event_type in () if old is None else old.events:
            self._by_type[event_type].pop(endpoint_id, None)

    def wanting(self, fact: Fact, now_ns: int) -> Iterator[Endpoint]:
        """Give the endpoints that an event is for: also those that are stopped, until it would not wait for them."""
        for endpoint in self._by_type.get(fact.event_type, {}).values():
            if matches(endpoint, fact) and not self._is_given_up(endpoint, now_ns):
                yield endpoint

    def others_of(self, endpoint: Endpoint) -> list[Endpoint]:
        """Return the active endpoints of the same owner, or the endpoint itself where there are none."""
        others = [
            one
            for one in self._endpoints.values()
            if one.owner == endpoint.owner and one.id != endpoint.id and one.state == "active"
        ]
        return others or [endpoint]

    def count_states(self) -> dict[str, int]:
        """Return how many endpoints are in each state, 0 for none."""
        counts: dict[str, int] = dict.fromkeys(get_args(EndpointState), 0)
        for endpoint in self._endpoints.values():
            counts[endpoint.state] += 1
        return counts

    def _is_given_up(self, endpoint: Endpoint, now_ns: int) -> bool:
        return endpoint.state in _STOPPED and now_ns - endpoint.updated_ns >= self._waits_ns
