"""Which connections of a venue are away, and with them which instruments, as far as statuses list it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts import codec
from contracts.market import FeedState
from contracts.state import AwayConnection
from runtime.coverage.connections import KnownConnections, list_touched, unit_of

FastEvent = Any  # a struct of `contracts.codec.fast(FeedStatus)`
FastAway = Any  # of `AwayConnection`
KINDS: Final = ("book", "funding", "interest", "liquidation", "ticker", "trade")
_AWAY: Final = codec.fast(AwayConnection)


class Away:
    """The connections of one venue that are not live, with what they serve: `found`.

    It is empty where all are live, and where of one it is not known what it serves, or the venue speaks for all of
    them: then its state is that of everything.
    """

    __slots__ = ("_known", "_states", "found")

    def __init__(self) -> None:
        self.found: list[FastAway] = []
        self._known = KnownConnections()
        self._states: Mapping[str, FeedState] = {}

    def on_status(self, status: FastEvent) -> None:
        """Take what a status lists of its connection."""
        if status.connection and status.serves:
            self._known.note(status)
            self._find()

    def on_connections(self, states: Mapping[str, FeedState]) -> None:
        """Take the states of all of a venue's connections, by their ids; none where it speaks for all of them."""
        self._states = states
        for unit in {unit_of(connection) for connection in states}:
            self._known.keep(unit, states)
        self._find()

    def restore(self, found: list[FastAway]) -> None:
        """Take back what was found; what others serve is known when they list it again."""
        self.found = found
        self._known = KnownConnections({one.connection: one.serves for one in found})

    def list_touched(self, channel: str, symbol: str) -> list[FeedState]:
        """Return the states of those that serve a channel of an instrument."""
        return list_touched(self.found, channel, symbol)

    def serves(self, connection: str | None, channel: str, symbol: str) -> bool:
        """Return whether a channel of an instrument may come over a connection."""
        served = self._known.find(connection)
        return served is None or served.has(channel, symbol)

    def _find(self) -> None:
        away = {connection: state for connection, state in self._states.items() if state != "live"}
        known = self._known.list_known()
        if not away.keys() <= known.keys():
            self.found = []
            return
        listed = {channel for parts in known.values() for part in parts for channel in part.channels}
        derived = [kind for kind in KINDS if kind not in listed]
        self.found = [
            _AWAY(connection=connection, state=state, serves=known[connection], derived=derived)
            for connection, state in away.items()
        ]
