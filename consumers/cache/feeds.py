"""The health of every venue's feed, and what that means for the quality of what came over it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.cache.away import Away
from consumers.cache.marks import MOST_MARKS, Marks
from contracts import codec
from contracts.market import FeedState, Quality
from contracts.state import FeedHealth, Hop, LatencyState
from runtime.bounded import RollingHistogram, RollingLow
from runtime.hops.times import HopTimes, Percentiles, as_documents

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
FastDocument = Any  # the same of a document
SECOND: Final = 1_000_000_000
_SLOTS: Final = 6
_SLOT_NS: Final = 20 * SECOND
_HALF: Final = (1, 2)
_NEARLY_ALL: Final = (99, 100)
_WORST: Final[tuple[FeedState, ...]] = ("live", "stale", "resync", "gap", "connecting", "down")
_GAPS: Final = frozenset({"gap", "resync"})
_HOPS_EVERY: Final = 7  # samples of the latency one is of the hops, too: an odd number meets every kind
_ALL_CHANNELS: Final = "all"
DEFAULT_SILENCE: Final = 30 * SECOND  # without any event of a venue whose producer says no limit
_HEALTH: Final = codec.fast(FeedHealth)
_LATENCY: Final = codec.fast(LatencyState)


@dataclass(slots=True, eq=False)
class Feed:
    """One venue's feed."""

    venue: str
    state: FeedState | None = None
    reason: str | None = None
    since: int | None = None
    marks: Marks = field(default_factory=Marks)
    away: Away = field(default_factory=Away)
    last_ts: dict[str, int] = field(default_factory=dict[str, int])
    events: dict[str, int] = field(default_factory=dict[str, int])
    reconnects: int = 0
    gaps: int = 0
    resyncs: int = 0
    seq: int = 0
    venue_latency: RollingHistogram = field(default_factory=lambda: RollingHistogram(_SLOTS, _SLOT_NS))
    bus_latency: RollingHistogram = field(default_factory=lambda: RollingHistogram(_SLOTS, _SLOT_NS))
    clock: RollingLow = field(default_factory=lambda: RollingLow(_SLOTS, _SLOT_NS))
    sim: bool = False
    audited: dict[str, int] = field(default_factory=dict[str, int])  # by symbol: when its book was found right
    filled: int = 0  # trades
    missing: int = 0  # trades that are known to be, one for each range of which the number is not known
    dirty: bool = True
    as_of: int = 0
    silence: dict[str, int] = field(default_factory=dict[str, int])
    silent: frozenset[str] = frozenset()
    hops: HopTimes = field(default_factory=HopTimes)
    sampled: int = 0
    published: dict[str, Percentiles] = field(default_factory=dict[str, Percentiles])  # by kind, of the producers
    received: dict[str, int] = field(default_factory=dict[str, int])  # by kind: our own clock at the last event
    live_since: int | None = None  # silence counts from here at the earliest

    def on_silence_limits(self, limits: dict[str, int]) -> None:
        """Take the producers' limits by channel, ns."""
        if limits != self.silence:
            self.silence, self.dirty = limits, True

    def judge(self, now: int) -> bool:
        """Find who is silent for too long though it says that it is live; whether that changed. `now`: ns UTC."""
        if self.state != "live":
            self.live_since, silent = None, frozenset[str]()
        else:
            self.live_since = now if self.live_since is None else self.live_since
            silent = self._find_silent(now, self.live_since)
        changed, self.silent = silent != self.silent, silent
        self.dirty = self.dirty or changed
        return changed

    def _find_silent(self, now: int, since: int) -> frozenset[str]:
        silent = {
            channel
            for channel, limit in self.silence.items()
            if now - max(since, self.received.get(channel, 0)) > limit
        }
        shortest = min(self.silence.values(), default=DEFAULT_SILENCE)
        if now - max(since, *self.received.values(), 0) > shortest:
            silent.add(_ALL_CHANNELS)
        return frozenset(silent)

    @property
    def shown(self) -> FeedState | None:
        """The state of the whole feed: its own word, or stale where nothing at all comes."""
        return "stale" if self.state == "live" and _ALL_CHANNELS in self.silent else self.state

    def on_status(self, status: FastEvent, seq: int) -> None:
        """Fold one FeedStatus of this venue."""
        self.seq = seq
        self.sim = status.sim
        self.dirty = True
        state: FeedState = status.state
        self.away.on_status(status)
        if status.audited:
            self.audited.update(dict.fromkeys(status.audited, status.ts_recv))
            for symbol in list(self.audited)[: max(0, len(self.audited) - MOST_MARKS)]:
                del self.audited[symbol]
            return
        if status.filled is not None or status.missing is not None:
            self.filled += count_trades(status.filled)
            self.missing += count_trades(status.missing)
            return
        self.gaps += state == "gap"
        self.resyncs += state == "resync"
        if status.channel is None and status.symbol is None:
            self._on_feed_state(state, status)
            return
        self.marks.add((status.channel, status.symbol), status.connection or None, state)

    def on_events(self, kind: str, count: int, last_recv: int, now: int) -> None:
        """Count events of a kind; `last_recv`: the producer's clock when the last one arrived, `now` ours; ns UTC."""
        self.received[kind] = now
        self.events[kind] = self.events.get(kind, 0) + count
        self.last_ts[kind] = max(self.last_ts.get(kind, 0), last_recv)
        self.dirty = True

    def on_publish_times(self, published: dict[str, Percentiles]) -> None:
        """Take what the producers say of their part of the way: percentiles (ns) by kind of event."""
        self.published = published

    def on_hops(self, kind: str, event: FastEvent, now: int) -> None:
        """Take the hops of one event of a kind as samples; `now`: ns UTC, when it was folded."""
        if event.ts_event is not None:
            self.hops.add("receive", kind, event.ts_recv - event.ts_event, now)
        published = self.published.get(kind)
        self.hops.add("fold", kind, now - event.ts_recv - (published[0] if published else 0), now)

    def on_latency(self, kind: str, event: FastEvent, now: int) -> None:
        """Take one event's latency as a sample."""
        if self.sampled % _HOPS_EVERY == 0:
            self.on_hops(kind, event, now)
        self.sampled += 1
        if event.ts_event is not None:
            self.venue_latency.add(event.ts_recv - event.ts_event, now)
            self.clock.add(event.ts_recv - event.ts_event, now)
        self.bus_latency.add(now - event.ts_recv, now)

    def find_quality(self, channel: str, symbol: str) -> Quality:
        """Return how good the newest data of a channel's instrument is: `live`, `gap` or `stale`."""
        marks, state = self.marks, self.shown
        if not marks and not self.silent and (state is None or state == "live"):
            return "live"
        if channel in self.silent:
            return "stale"
        states = self._states_of(channel, symbol)
        bad = [state for state in states if state not in {None, "live"}]
        if not bad:
            return "live"
        return "gap" if any(state in _GAPS for state in bad) else "stale"

    def _states_of(self, channel: str, symbol: str) -> list[FeedState | None]:
        """Return what is said of a channel of an instrument, by whom it concerns."""
        marks, away = self.marks, self.away
        said: list[FeedState | None] = [*away.list_touched(channel, symbol)] if away.found else [self.shown]
        for place in ((channel, symbol), (None, symbol)):
            said.extend(marks.find(place))
        for connection, state in marks.find_single((channel, None)):
            if away.serves(connection, channel, symbol):
                said.append(state)
        return said

    def measure(self) -> dict[str, float]:
        """Return how bad the state is (0 live … 5 down, as `_WORST` has them) and known latencies in seconds."""
        venue, bus = _latency(self.venue_latency), _latency(self.bus_latency)
        times = {
            "venue_latency_p50": venue.p50,
            "venue_latency_p99": venue.p99,
            "bus_latency_p50": bus.p50,
            "bus_latency_p99": bus.p99,
            "clock_offset": self.clock.find(),
        }
        known = {f"{name}_seconds": taken / SECOND for name, taken in times.items() if taken is not None}
        return {"state": _WORST.index(self.shown or "connecting"), **known}

    def document(self, now: int) -> FastDocument:
        """Return the `contracts.state.FeedHealth` as of `now` (ns UTC)."""
        self.as_of = now
        return _HEALTH(
            sim=self.sim,
            venue=self.venue,
            connected=self.state not in {None, "connecting", "down"},
            state=self.shown,
            said=self.state,
            as_of=self.as_of,
            silence=self.silence,
            reason=self._reason(),
            channels=self._channels(),
            since=self.since,
            last_message_ts=self.last_ts,
            events=self.events,
            reconnects=self.reconnects,
            gaps=self.gaps,
            resyncs=self.resyncs,
            audited=self.audited,
            filled=self.filled,
            missing=self.missing,
            venue_latency=_latency(self.venue_latency),
            bus_latency=_latency(self.bus_latency),
            clock_offset=self.clock.find(),
            hops=as_documents({**self.hops.find(), **self._publish_hop()}),
            seq=self.seq,
            marks=self.marks.list_worst(),
            connections=self.marks.connections,
            connection_marks=self.marks.list_single(),
            away=self.away.found,
        )

    def _on_feed_state(self, state: FeedState, status: FastEvent) -> None:
        lost = state in {"connecting", "down"}
        if lost and self.state not in {None, "connecting", "down"}:
            self.reconnects += 1
        if status.connections:
            self.marks.on_connections({one.id: one.state for one in status.connections})
            if state == "live" and not {"live"}.issuperset(self.marks.connections.values()):
                state = "connecting"  # the worst: of another group of its symbols one is not live
        elif lost:
            self.marks.clear()
        self.away.on_connections(self.marks.connections if status.connections else {})
        if state != self.state:
            self.since = status.ts_recv
        self.state, self.reason = state, status.reason

    def _publish_hop(self) -> dict[Hop, dict[str, Percentiles]]:
        return {"publish": self.published} if self.published else {}

    def _channels(self) -> dict[str, FeedState]:
        channels: dict[str, FeedState] = dict.fromkeys(self.events, "live")
        for (channel, _), state in self.marks:
            name = channel or _ALL_CHANNELS
            channels[name] = _worse(channels.get(name, "live"), state)
        for channel in self.silent - {_ALL_CHANNELS}:
            channels[channel] = _worse(channels.get(channel, "live"), "stale")
        shown = self.shown
        if shown is None:
            return channels
        return {name: _worse(state, shown) for name, state in channels.items()}

    def _reason(self) -> str | None:
        if self.shown == self.state:
            return self.reason
        newest = max(self.received.values(), default=None)
        if newest is None:
            return "it says live, and nothing has come"
        return f"it says live, and nothing has come for {(self.as_of - newest) // SECOND} s"


def count_trades(ranges: Iterable[FastEvent] | None) -> int:
    """Return how many trades these ranges have at least: one for each of which the number is not known."""
    return sum(1 if one.trades is None else one.trades for one in ranges or ())


def _worse(one: FeedState, other: FeedState) -> FeedState:
    return one if _WORST.index(one) >= _WORST.index(other) else other


def restore_feed(document: FastDocument) -> Feed:
    """Restore what `Feed.document` returned."""
    feed = Feed(document.venue)
    feed.state, feed.reason, feed.since = document.said, document.reason, document.since
    feed.last_ts, feed.events = document.last_message_ts, {}
    feed.reconnects, feed.gaps, feed.resyncs = document.reconnects, document.gaps, document.resyncs
    feed.seq, feed.sim, feed.silence = document.seq, document.sim, document.silence
    feed.audited = dict(document.audited)
    feed.filled, feed.missing = document.filled, document.missing
    feed.marks.restore(document.marks, document.connection_marks, document.connections)
    feed.away.restore(document.away)
    return feed


def _latency(histogram: RollingHistogram) -> FastDocument:
    return _LATENCY(p50=histogram.find_quantile(_HALF), p99=histogram.find_quantile(_NEARLY_ALL))
