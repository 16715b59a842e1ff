"""What each connection of a venue serves, as its statuses list it; one that was not listed may be of any instrument."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

FastEvent = Any  # a struct of `contracts.codec.fast(FeedStatus)`
FastServes = list[Any]  # of structs of `contracts.market.Served`
MOST_CONNECTIONS: Final = 1000  # of a venue


class Serving:
    """What connections serve, by their ids; of too many the newest."""

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, FastServes] | None = None) -> None:
        self._known: dict[str, FastServes] = dict(known or {})

    def note(self, status: FastEvent) -> None:
        """Take the list of a FeedStatus, if it has one."""
        if status.connection and status.serves:
            self._known.pop(status.connection, None)
            self._known[status.connection] = status.serves
            if len(self._known) > MOST_CONNECTIONS:
                del self._known[next(iter(self._known))]

    def find(self, connection: str | None) -> FastServes | None:
        """Return what a connection serves; None where that is not known."""
        return None if connection is None else self._known.get(connection)

    def keep(self, unit: str, connections: Container[str]) -> None:
        """Forget the connections of a unit that are not among these."""
        for connection in [one for one in self._known if unit_of(one) == unit and one not in connections]:
            del self._known[connection]

    def list_known(self) -> dict[str, FastServes]:
        """Return what is known."""
        return dict(self._known)


def unit_of(connection: str) -> str:
    """Return the group of a venue's symbols that a connection is of, `0-2`; empty where it is of all of them."""
    return connection.rpartition("/")[0]


def is_serving(serves: Iterable[Any] | None, channel: str, symbol: str) -> bool:
    """Return whether a channel of an instrument may come over a connection that serves this; None is not known."""
    if serves is None:
        return True
    return any(channel in one.channels and (one.symbols is None or symbol in one.symbols) for one in serves)
