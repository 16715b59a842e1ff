"""From events to the bus: subject, bytes and message id in one step; states are published again after a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Protocol

from contracts import codec, subjects
from contracts.codec import EVENTS, KIND_SUBJECTS, schema_of
from contracts.instrument import escape_token, make_instrument
from contracts.market import FeedState, FeedStatus
from producers.venue import Decoded

FastFeedStatus: Final = codec.fast(FeedStatus)
SCHEMAS: Final = {kind: schema_of(model) for kind, model in EVENTS.items()}


class Lane(Protocol):
    """The part of the fast lane that producers need."""

    def publish(self, subject: str, payload: bytes, *, msg_id: str | None, schema: str) -> None:
        """Hand over one message; never waits."""
        ...


class Publisher:
    """Publishes one venue's events and remembers the state of each of its channels."""

    def __init__(
        self, venue: str, lane: Lane, now_ns: Callable[[], int], is_ours: Callable[[str], bool] = lambda _symbol: True
    ) -> None:
        self.venue = venue
        self.published: Counter[str] = Counter()
        self.states: dict[tuple[str | None, str | None], FeedState] = {}
        self.on_status: Callable[[bytes], None] | None = None
        self._lane = lane
        self._now_ns = now_ns
        self._is_ours = is_ours
        self._tails: dict[str, str] = {}
        self._routes: dict[str, tuple[dict[str, str], str]] = {kind: ({}, schema) for kind, schema in SCHEMAS.items()}
        self._feed_subject = subjects.FEED + escape_token(venue)
        self._count = 0

    def publish(self, event: Decoded) -> None:
        """Publish one event on its own subject; symbols that are not ours (another process has them) are left out."""
        kind: str = event.kind
        symbol: str = event.symbol
        known, schema = self._routes[kind]
        subject = known.get(symbol)
        if subject is None:
            ours = self._is_ours(symbol)
            subject = known[symbol] = KIND_SUBJECTS[kind] + self._tail(symbol, event.venue_symbol) if ours else ""
        if not subject:
            return
        self._lane.publish(subject, codec.encode(event), msg_id=event.id, schema=schema)
        self.published[kind] += 1

    def publish_state(
        self,
        state: FeedState,
        *,
        channel: str | None,
        symbol: str | None,
        reason: str | None,
        sim: bool,
        ts: int | None = None,
    ) -> None:
        """Publish a FeedStatus and remember the channel's state.

        `ts` (ns UTC) is the time of the input that it follows from; without one `on_status` is called.
        """
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
        )
        body = codec.encode(event)
        if ts is None and self.on_status is not None:
            self.on_status(body)
        self.publish_status(body, event.id)

    def publish_status(self, body: bytes, msg_id: str | None = None) -> None:
        """Publish the body of a FeedStatus."""
        self._count += 1
        self._lane.publish(self._feed_subject, body, msg_id=msg_id, schema=SCHEMAS["feed"])
        self.published["feed"] += 1

    def on_gap(self, reason: str, *, sim: bool) -> None:
        """Publish on every channel a gap (events may be missing on the bus), then its state as it is now."""
        for (channel, symbol), state in list(self.states.items()):
            self.publish_state("gap", channel=channel, symbol=symbol, reason=reason, sim=sim)
            self.publish_state(state, channel=channel, symbol=symbol, reason="publishing again", sim=sim)

    def _tail(self, symbol: str, venue_symbol: str) -> str:
        tail = self._tails.get(symbol)
        if tail is None:
            tail = self._tails[symbol] = make_instrument(self.venue, symbol, venue_symbol).tail
        return tail
