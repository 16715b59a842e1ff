"""The health of every venue's feed, and what that means for the quality of what came over it. Pure."""

from __future__ import annotations

from typing import Any, Final

from contracts.market import FeedState, Quality
from runtime.bounded import RollingHistogram, RollingLow

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
SECOND: Final = 1_000_000_000
_SLOTS: Final = 6
_SLOT_NS: Final = 20 * SECOND
_HALF: Final = (1, 2)
_NEARLY_ALL: Final = (99, 100)
_WORST: Final[tuple[FeedState, ...]] = ("live", "stale", "resync", "gap", "connecting", "down")
_GAPS: Final = frozenset({"gap", "resync"})
_ALL_CHANNELS: Final = "all"
MOST_MARKS: Final = 10_000


class Feed:
    """One venue's feed. `marks`: what is not live, by (channel, symbol); None stands for all of them."""

    __slots__ = (
        "bus_latency",
        "clock",
        "dirty",
        "events",
        "gaps",
        "last_ts",
        "marks",
        "reason",
        "reconnects",
        "resyncs",
        "seq",
        "sim",
        "since",
        "state",
        "unmarked",
        "venue",
        "venue_latency",
    )

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.state: FeedState | None = None
        self.reason: str | None = None
        self.since: int | None = None
        self.marks: dict[tuple[str | None, str | None], FeedState] = {}
        self.last_ts: dict[str, int] = {}
        self.events: dict[str, int] = {}
        self.reconnects = self.gaps = self.resyncs = self.seq = 0
        self.venue_latency = RollingHistogram(_SLOTS, _SLOT_NS)
        self.bus_latency = RollingHistogram(_SLOTS, _SLOT_NS)
        self.clock = RollingLow(_SLOTS, _SLOT_NS)
        self.sim = False
        self.unmarked = 0  # marks that were dropped because there were too many
        self.dirty = True

    def on_status(self, status: FastEvent, seq: int) -> None:
        """Fold one FeedStatus of this venue."""
        self.seq = max(self.seq, seq)
        self.sim = status.sim
        self.dirty = True
        state: FeedState = status.state
        self.gaps += state == "gap"
        self.resyncs += state == "resync"
        if status.channel is None and status.symbol is None:
            self._on_feed_state(state, status)
            return
        key = (status.channel, status.symbol)
        self.marks.pop(key, None)
        if state != "live":
            self.marks[key] = state
        while len(self.marks) > MOST_MARKS:
            del self.marks[next(iter(self.marks))]  # the oldest; its channel was said to be wrong long ago
            self.unmarked += 1

    def on_events(self, kind: str, count: int, last_recv: int) -> None:
        """Count events of a kind; `last_recv`: our clock when the last one arrived, ns UTC."""
        self.events[kind] = self.events.get(kind, 0) + count
        self.last_ts[kind] = max(self.last_ts.get(kind, 0), last_recv)
        self.dirty = True

    def on_latency(self, event: FastEvent, now: int) -> None:
        """Take one event's way here as a sample."""
        if event.ts_event is not None:
            self.venue_latency.add(event.ts_recv - event.ts_event, now)
            self.clock.add(event.ts_recv - event.ts_event, now)
        self.bus_latency.add(now - event.ts_recv, now)

    def find_quality(self, channel: str, symbol: str) -> Quality:
        """Tell how good the newest data of a channel's instrument is: `live`, `gap` or `stale`."""
        marks = self.marks
        if not marks and (self.state is None or self.state == "live"):
            return "live"
        keys = ((channel, symbol), (channel, None), (None, symbol))
        states = [self.state, *(marks.get(key) for key in keys)]
        bad = [state for state in states if state not in {None, "live"}]
        if not bad:
            return "live"
        return "gap" if any(state in _GAPS for state in bad) else "stale"

    def measure(self) -> dict[str, int | None]:
        """Give the parts of the way here in ns by name; None before there is a sample."""
        venue, bus = _quantiles(self.venue_latency), _quantiles(self.bus_latency)
        return {
            "venue_latency_p50": venue["p50"],
            "venue_latency_p99": venue["p99"],
            "bus_latency_p50": bus["p50"],
            "bus_latency_p99": bus["p99"],
            "clock_offset": self.clock.find(),
        }

    def document(self) -> dict[str, object]:
        """Give the body of `contracts.state.FeedHealth`."""
        return {
            "sim": self.sim,
            "venue": self.venue,
            "connected": self.state not in {None, "connecting", "down"},
            "state": self.state,
            "reason": self.reason,
            "channels": self._channels(),
            "since": self.since,
            "last_message_ts": self.last_ts,
            "events": self.events,
            "reconnects": self.reconnects,
            "gaps": self.gaps,
            "resyncs": self.resyncs,
            "venue_latency": _quantiles(self.venue_latency),
            "bus_latency": _quantiles(self.bus_latency),
            "clock_offset": self.clock.find(),
            "seq": self.seq,
            "marks": [[channel, symbol, state] for (channel, symbol), state in self.marks.items()],
        }

    def _on_feed_state(self, state: FeedState, status: FastEvent) -> None:
        lost = state in {"connecting", "down"}
        if lost and self.state not in {None, "connecting", "down"}:
            self.reconnects += 1
        if lost:
            self.marks.clear()  # all of it is down: what is wrong afterwards is told afterwards
        if state != self.state:
            self.since = status.ts_recv
        self.state, self.reason = state, status.reason

    def _channels(self) -> dict[str, FeedState]:
        channels: dict[str, FeedState] = dict.fromkeys(self.events, "live")
        for (channel, _), state in self.marks.items():
            name = channel or _ALL_CHANNELS
            channels[name] = _worse(channels.get(name, "live"), state)
        if self.state is None:
            return channels
        return {name: _worse(state, self.state) for name, state in channels.items()}


def _worse(one: FeedState, other: FeedState) -> FeedState:
    return one if _WORST.index(one) >= _WORST.index(other) else other


def restore_feed(document: dict[str, Any]) -> Feed:
    """Take back what `Feed.document` gave; KeyError names the field that is missing."""
    feed = Feed(document["venue"])
    feed.state, feed.reason, feed.since = document["state"], document["reason"], document["since"]
    feed.last_ts, feed.events = document["last_message_ts"], {}
    feed.reconnects, feed.gaps, feed.resyncs = document["reconnects"], document["gaps"], document["resyncs"]
    feed.seq, feed.sim = document["seq"], document["sim"]
    feed.marks = {(channel, symbol): state for channel, symbol, state in document["marks"]}
    return feed


def _quantiles(histogram: RollingHistogram) -> dict[str, int | None]:
    return {"p50": histogram.find_quantile(_HALF), "p99": histogram.find_quantile(_NEARLY_ALL)}
