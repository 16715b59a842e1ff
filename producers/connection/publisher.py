"""From messages to the bus, and the states of a venue's channels, which are published again after a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable
from typing import Any, Final, Protocol

from contracts import codec, subjects
from contracts.instrument import escape_token
from contracts.market import ConnectionState, FeedState, FeedStatus
from producers.connection.identity import Identity
from producers.normalize.messages import Message
from runtime.hops.times import HopTimes
from runtime.nats.lanes.message import Parts, make_parts

FastFeedStatus: Final = codec.fast(FeedStatus)
_FastState: Final = codec.fast(ConnectionState)
_SCHEMA: Final = codec.schema_of(FeedStatus)
StateKey = tuple[str | None, str | None, Identity | None]
"""Channel, symbol and connection; None stands for all of them."""


class Lane(Protocol):
    """The part of the fast lane that producers need."""

    def write(self, parts: Parts) -> None:
        """Hand over one message, which is in parts (runtime.nats.lanes.message); never waits."""
        ...


def kind_of(command: bytes) -> str:
    """Return the kind of event that a command of the bus publishes: `trade` of `PUB md.v1.trade.binance.…`."""
    return command.split(b".", 3)[2].decode()


class Publisher:
    """Publishes one venue's events and remembers the state of each of its channels."""

    def __init__(
        self, venue: str, lane: Lane, now_ns: Callable[[], int], is_ours: Callable[[str], bool] = lambda _symbol: True
    ) -> None:
        self.venue = venue
        self.published: Counter[str] = Counter()
        self.hops = HopTimes()
        self.states: dict[StateKey, FeedState] = {}
        self.connections: dict[str, FeedState] | None = None  # as the venue's state as a whole had them last
        self.on_status: Callable[[bytes], None] | None = None
        self.write = lane.write  # of a session that counts its messages itself
        self._lane = lane
        self._now_ns = now_ns
        self._is_ours = is_ours
        self._ours: dict[str, bool] = {}
        self._feed_subject = subjects.FEED + escape_token(venue)
        self._count = 0

    def publish(self, message: Message) -> None:
        """Publish one event; of symbols that are not ours (another process has them) nothing is published."""
        route = message.route
        if self.is_ours(route.symbol):
            self._lane.write(message.parts)
            self.published[route.kind] += 1

    def on_written(self, kinds: Iterable[str], ts_recv: int) -> None:
        """Events of these kinds, received at a time (ns UTC), are written to the bus by now."""
        now = self._now_ns()
        for kind in kinds:
            self.hops.add("publish", kind, now - ts_recv, now)

    def is_ours(self, symbol: str) -> bool:
        """Return whether this process publishes a symbol's events."""
        ours = self._ours.get(symbol)
        if ours is None:
            ours = self._ours[symbol] = self._is_ours(symbol)
        return ours

    def publish_state(
        self,
        state: FeedState,
        *,
        channel: str | None,
        symbol: str | None,
        reason: str | None,
        sim: bool,
        ts: int | None = None,
        connection: Identity | None = None,
        **more: Any,
    ) -> None:
        """Publish a FeedStatus and remember the channel's state, unless it says what is `filled` or `missing`.

        `ts` (ns UTC) is the time of the input that it follows from; without one `on_status` is called. `more` are
        the other fields of a FeedStatus; what the connection serves is listed where that is due.
        """
        if more.get("filled") is None and more.get("missing") is None:
            self.states[channel, symbol, connection] = state
        now = ts or self._now_ns()
        if connection is not None:
            more["connection"] = connection.id
            if symbol is None and more.get("audited") is None:
                more["serves"] = connection.take_serves(now, derived=ts is not None)
        event: Any = FastFeedStatus(
            id=f"{escape_token(self.venue)}.feed.{now}.{self._count + 1}",
            venue=self.venue,
            symbol=symbol,
            venue_symbol=None,
            ts_event=None,
            ts_recv=now,
            sim=sim,
            state=state,
            reason=reason,
            channel=channel,
            **{name: value for name, value in more.items() if value is not None},
        )
        body = codec.encode(event)
        if ts is None and self.on_status is not None:
            self.on_status(body)
        self.publish_status(body, event.id)

    def publish_status(self, body: bytes, msg_id: str | None = None) -> None:
        """Publish the body of a FeedStatus."""
        self._count += 1
        self._lane.write(make_parts(self._feed_subject, body, schema=_SCHEMA, msg_id=msg_id))
        self.published["feed"] += 1

    def publish_venue(
        self, state: FeedState, connections: dict[str, FeedState], *, reason: str | None, sim: bool
    ) -> None:
        """Publish the venue's state as a whole with those of its connections (by id), if any of them changed."""
        if self.states.get((None, None, None)) == state and self.connections == connections:
            return
        self.connections = connections
        self._publish_whole(state, reason, sim=sim)

    def publish_again(self, reason: tuple[str, str], *, sim: bool, channels: Container[str] | None = None) -> None:
        """Publish a gap and then the state as it is now of everything, or of some channels, with a reason for each."""
        states: dict[StateKey, FeedState] = {
            key: state for key, state in self.states.items() if key != (None, None, None)
        }
        for connection in {key[2] for key in states if key[2] is not None}:
            connection.list_again()
        for (channel, symbol, connection), state in states.items():
            if channels is None or channel is None or channel in channels:
                about: dict[str, Any] = {"channel": channel, "symbol": symbol, "connection": connection, "sim": sim}
                self.publish_state("gap", reason=reason[0], **about)
                self.publish_state(state, reason=reason[1], **about)
        whole = self.states.get((None, None, None))
        if whole is not None:  # at last: it says which connections there are
            self.publish_state("gap", channel=None, symbol=None, reason=reason[0], sim=sim)
            self._publish_whole(whole, reason[1], sim=sim)

    def _publish_whole(self, state: FeedState, reason: str | None, *, sim: bool) -> None:
        listed = self.connections and [_FastState(id=name, state=one) for name, one in self.connections.items()]
        self.publish_state(state, channel=None, symbol=None, reason=reason, sim=sim, connections=listed)

    def on_gap(self, reason: str, *, sim: bool) -> None:
        """Publish on every channel a gap (events may be missing on the bus), then its state as it is now."""
        self.publish_again((reason, "publishing again"), sim=sim)

    def forget(self, connection: Identity) -> None:
        """Forget the states of a connection that is gone."""
        self.states = {key: state for key, state in self.states.items() if key[2] is not connection}
