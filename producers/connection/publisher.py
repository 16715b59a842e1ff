"""From messages to the bus, and the states of a venue's channels, which are published again after a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from contracts import codec, subjects
from contracts.instrument import escape_token
from contracts.market import FeedState, FeedStatus
from producers.normalize.messages import Message
from runtime.hops.times import HopTimes
from runtime.nats.lanes.message import Parts, make_parts

FastFeedStatus: Final = codec.fast(FeedStatus)
_SCHEMA: Final = codec.schema_of(FeedStatus)


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
        self.states: dict[tuple[str | None, str | None], FeedState] = {}
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
        audited: list[str] | None = None,
        filled: list[Any] | None = None,
        missing: list[Any] | None = None,
    ) -> None:
        """Publish a FeedStatus and remember the channel's state, unless it says what is `filled` or `missing`.

        `ts` (ns UTC) is the time of the input that it follows from; without one `on_status` is called.
        """
        if filled is None and missing is None:
            self.states[channel, symbol] = state
        now = ts or self._now_ns()
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
            audited=audited,
            filled=filled,
            missing=missing,
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

    def on_gap(self, reason: str, *, sim: bool) -> None:
        """Publish on every channel a gap (events may be missing on the bus), then its state as it is now."""
        for (channel, symbol), state in list(self.states.items()):
            self.publish_state("gap", channel=channel, symbol=symbol, reason=reason, sim=sim)
            self.publish_state(state, channel=channel, symbol=symbol, reason="publishing again", sim=sim)
