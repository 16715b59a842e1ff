"""What of a venue's feed is not live, as each of its connections says it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from contracts.market import FeedState
from runtime.coverage.connections import unit_of

Place = tuple[str | None, str | None]  # channel, symbol; None stands for all of them
MOST_MARKS: Final = 10_000
_WORST: Final[tuple[FeedState, ...]] = ("live", "stale", "resync", "gap", "connecting", "down")


class Marks:
    """What is not live, by place and connection (None: of no single one), and the connections' states by their ids.

    Of several connections that have a channel each has its own mark. `dropped` counts marks of places that were too
    many.
    """

    __slots__ = ("_held", "connections", "dropped")

    def __init__(self) -> None:
        self.connections: dict[str, FeedState] = {}
        self.dropped = 0
        self._held: dict[Place, dict[str | None, FeedState]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, place: Place, connection: str | None, state: FeedState) -> None:
        """Note what one connection says of a place."""
        held = self._held.pop(place, {})
        held.pop(connection, None)
        if state != "live":
            held[connection] = state
        if held:
            self._held[place] = held
        while len(self._held) > MOST_MARKS:
            del self._held[next(iter(self._held))]  # the oldest; its channel was marked long ago
            self.dropped += 1

    def clear(self) -> None:
        """Forget every mark: all of the venue is down, and what is wrong afterwards is published afterwards."""
        self._held.clear()

    def on_connections(self, states: dict[str, FeedState]) -> None:
        """Take the states of all connections of a unit: marks of those that are gone, or of parts of lost ones, end."""
        unit = unit_of(next(iter(states)))
        kept = [name for name in self.connections if _is_beside(unit_of(name), unit)]
        self.connections = {**{name: self.connections[name] for name in kept}, **states}
        for place, held in list(self._held.items()):
            for connection in list(held):
                if connection is None:
                    ends = place[1] is None
                else:
                    lost = place[1] is not None and self.connections.get(connection) != "live"
                    ends = connection not in self.connections or lost
                if ends:
                    self.add(place, connection, "live")

    def find(self, place: Place) -> Iterable[FeedState]:
        """Return what is said of a place."""
        return self._held.get(place, {}).values()

    def find_single(self, place: Place) -> Iterable[tuple[str | None, FeedState]]:
        """Return what is said of a place, each with the connection that says it."""
        return self._held.get(place, {}).items()

    def list_worst(self) -> list[tuple[str | None, str | None, FeedState]]:
        """List the worst mark of each place: [channel, symbol, state]."""
        return [(*place, max(held.values(), key=_WORST.index)) for place, held in self._held.items()]

    def list_single(self) -> list[tuple[str | None, str | None, str, FeedState]]:
        """List the marks of single connections: [channel, symbol, connection, state]."""
        return [(*place, one, state) for place, held in self._held.items() for one, state in held.items() if one]

    def restore(
        self,
        worst: Iterable[tuple[str | None, str | None, FeedState]],
        single: Iterable[tuple[str | None, str | None, str, FeedState]],
        connections: dict[str, FeedState],
    ) -> None:
        """Take back what `list_worst` and `list_single` returned, with the connections."""
        self.connections = dict(connections)
        for channel, symbol, connection, state in single:
            self._held.setdefault((channel, symbol), {})[connection] = state
        for channel, symbol, state in worst:
            held = self._held.setdefault((channel, symbol), {})
            if state not in held.values():
                held[None] = state

    def __iter__(self) -> Iterator[tuple[Place, FeedState]]:
        return ((place, state) for place, held in self._held.items() for state in held.values())


def _is_beside(unit: str, other: str) -> bool:
    """Return whether two units are different groups of the same division of a venue's symbols."""
    return unit != other and unit.partition("-")[2] == other.partition("-")[2]
