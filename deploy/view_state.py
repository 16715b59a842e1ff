"""What the live view knows: folded from the bus's messages, batch after batch. Pure; times are nanoseconds UTC."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from contracts import codec, subjects

WINDOW_NS: Final = 5_000_000_000
LATENCIES_KEPT: Final = 2000
OFFSET_RANK: Final = 3
TAPE_LENGTH: Final = 6
CELLS_KEPT: Final = 10_000
# The worst state of a venue's channels is the venue's.
WORST_FIRST: Final = ("down", "connecting", "resync", "gap", "stale", "live")


class Message(NamedTuple):
    """One message of the bus as it came: subject, body, and when."""

    subject: str
    body: bytes
    at: int


@dataclass
class Venue:
    """One venue: what its channels last said, and the rate and latency of its events in the last seconds."""

    cells: dict[tuple[str | None, str | None], str] = field(default_factory=dict[tuple[str | None, str | None], str])
    reason: str | None = None
    events: int = 0
    latencies: deque[tuple[int, int]] = field(default_factory=lambda: deque[tuple[int, int]](maxlen=LATENCIES_KEPT))
    offsets: deque[tuple[int, int]] = field(default_factory=lambda: deque[tuple[int, int]](maxlen=LATENCIES_KEPT))
    marks: deque[tuple[int, int]] = field(default_factory=deque[tuple[int, int]])

    @property
    def state(self) -> str:
        """The worst of its channels; `quiet` before any of them said something."""
        states = set(self.cells.values())
        return next((state for state in WORST_FIRST if state in states), "live" if self.events else "quiet")


@dataclass
class State:
    """All that the view shows. Tapes are newest first; `unreadable` counts messages that are no event of ours."""

    venues: dict[str, Venue] = field(default_factory=dict[str, Venue])
    whales: deque[str] = field(default_factory=lambda: deque[str](maxlen=TAPE_LENGTH))
    liquidations: deque[str] = field(default_factory=lambda: deque[str](maxlen=TAPE_LENGTH))
    feeds: deque[str] = field(default_factory=lambda: deque[str](maxlen=TAPE_LENGTH))
    prices: dict[str, str] = field(default_factory=dict[str, str])
    unreadable: int = 0


def fold(state: State, messages: Iterable[Message]) -> None:
    """Take a batch in; whatever cannot be read is counted, not guessed at."""
    for message in messages:
        try:
            event = codec.decode(message.subject, message.body)
        except (msgspec.MsgspecError, ValueError, KeyError):
            state.unreadable += 1
            continue
        kind = codec.kind_of(message.subject)
        if message.subject.startswith(subjects.FEED):
            _fold_feed(state, event)
        elif kind in _TAPES:
            _TAPES[kind](state, event)
        if message.subject.startswith("md."):
            _fold_market(state, event, message.at)


def _fold_market(state: State, event: Any, at: int) -> None:  # a struct derived at run time
    venue = state.venues.setdefault(event.venue, Venue())
    venue.events += 1
    venue.latencies.append((at, at - event.ts_recv))
    if event.ts_event is not None:
        venue.offsets.append((at, event.ts_recv - event.ts_event))


def _fold_feed(state: State, event: Any) -> None:
    venue = state.venues.setdefault(event.venue, Venue())
    if event.channel is None and event.symbol is None:
        venue.cells.clear()
    if len(venue.cells) < CELLS_KEPT or (event.channel, event.symbol) in venue.cells:
        venue.cells[event.channel, event.symbol] = event.state
    venue.reason = event.reason
    about = " ".join(word for word in (event.venue, event.channel, event.symbol) if word)
    state.feeds.appendleft(f"{about}: {event.state}" + (f" ({event.reason})" if event.reason else ""))


def _fold_whale(state: State, event: Any) -> None:
    state.whales.appendleft(f"{event.side:<4} ${float(event.usd_value):>12,.0f}  {event.symbol} on {event.venue}")


def _fold_cluster(state: State, event: Any) -> None:
    state.whales.appendleft(f"{event.pattern} of {event.base}: {event.count} whales, ${float(event.usd_value):,.0f}")


def _fold_liquidation(state: State, event: Any) -> None:
    size = event.amount if event.amount is not None else f"{event.contracts} contracts"
    state.liquidations.appendleft(
        f"{event.position_side or '?':<5} {size} at {event.price}  {event.symbol} on {event.venue}"
    )


def _fold_storm(state: State, event: Any) -> None:
    state.liquidations.appendleft(f"STORM in {event.base}: {event.count} events, ${float(event.usd_value):,.0f}")


_TAPES: Final = {
    "whale": _fold_whale,
    "cluster": _fold_cluster,
    "liquidation": _fold_liquidation,
    "storm": _fold_storm,
}


def measure(venue: Venue, now: int) -> tuple[float, float | None, float | None]:
    """Events a second, p50 and p99 of receipt to here in milliseconds over the last seconds; None where none came."""
    venue.marks.append((now, venue.events))
    while len(venue.marks) > 1 and now - venue.marks[1][0] >= WINDOW_NS:
        venue.marks.popleft()
    (start, before), seconds = venue.marks[0], (now - venue.marks[0][0]) / 1e9
    rate = (venue.events - before) / seconds if now > start else 0.0
    recent = sorted(latency for at, latency in venue.latencies if now - at <= WINDOW_NS)
    if not recent:
        return rate, None, None
    return rate, recent[len(recent) // 2] / 1e6, recent[min(len(recent) - 1, len(recent) * 99 // 100)] / 1e6


def measure_clock(venue: Venue, now: int) -> float | None:
    """Our clock less the venue's with the way of the fastest messages of the last seconds in it, in milliseconds.

    The third lowest, so that two wild times do not count; None where fewer came.
    """
    recent = sorted(offset for at, offset in venue.offsets if now - at <= WINDOW_NS)
    return recent[OFFSET_RANK - 1] / 1e6 if len(recent) >= OFFSET_RANK else None
