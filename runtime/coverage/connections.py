"""What each connection of a venue serves, as its statuses list it; one that was not listed may serve any instrument."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Final

FastEvent = Any  # a struct of `contracts.codec.fast(FeedStatus)`
FastServes = list[Any]  # of structs of `contracts.market.Served`
MOST_CONNECTIONS: Final = 1000  # of a venue
_NONE: Final = frozenset[str]()


class ServedSet:
    """The instruments and channels of one connection; `listed` is the list that they are of."""

    __slots__ = ("_symbols", "listed")

    def __init__(self, listed: FastServes) -> None:
        self.listed = listed
        self._symbols: dict[str, frozenset[str] | None] = {}  # by channel; None stands for all of them
        for one in listed:
            for channel in one.channels:
                held = self._symbols.get(channel, _NONE)
                self._symbols[channel] = None if held is None or one.symbols is None else held.union(one.symbols)

    def has(self, channel: str, symbol: str) -> bool:
        """Return whether a channel of an instrument comes over the connection."""
        symbols = self._symbols.get(channel, _NONE)
        return symbols is None or symbol in symbols

    def concerns(self, of_interest: Callable[[str], bool]) -> bool:
        """Return whether any of the instruments may be of interest."""
        return any(symbols is None or any(map(of_interest, symbols)) for symbols in self._symbols.values())


class KnownConnections:
    """What connections serve, by their ids; of too many the newest."""

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, FastServes] | None = None) -> None:
        self._known = {connection: ServedSet(listed) for connection, listed in (known or {}).items()}

    def note(self, status: FastEvent) -> None:
        """Take the list of a FeedStatus, if it has one."""
        if status.connection and status.serves:
            self._known.pop(status.connection, None)
            self._known[status.connection] = ServedSet(status.serves)
            if len(self._known) > MOST_CONNECTIONS:
                del self._known[next(iter(self._known))]

    def find(self, connection: str | None) -> ServedSet | None:
        """Return what a connection serves; None where that is not known."""
        return None if connection is None else self._known.get(connection)

    def keep(self, unit: str, connections: Container[str]) -> None:
        """Forget the connections of a unit that are not among these."""
        for connection in [one for one in self._known if unit_of(one) == unit and one not in connections]:
            del self._known[connection]

    def list_known(self) -> dict[str, FastServes]:
        """Return what is known, as it was listed."""
        return {connection: served.listed for connection, served in self._known.items()}


def list_touched(away: Iterable[Any], channel: str, symbol: str) -> list[Any]:
    """Return the states of connections that are away (`contracts.state.AwayConnection`s) and serve this."""
    return [
        one.state
        for one in away
        if any(
            (channel in part.channels or channel in one.derived) and (part.symbols is None or symbol in part.symbols)
            for part in one.serves
        )
    ]


def unit_of(connection: str) -> str:
    """Return the group of a venue's symbols that a connection is of, `0-2`; empty where it is of all of them."""
    return connection.rpartition("/")[0]
