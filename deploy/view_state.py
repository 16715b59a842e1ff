"""What the live view knows: folded from the bus's messages, batch after batch. Pure; times are nanoseconds UTC."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contracts import codec, streams, subjects
from contracts.arithmetic.usd import UsdRates
from contracts.state import FeedHealth

WINDOW_NS: Final = 5_000_000_000
HEALTH_NS: Final = 5_000_000_000  # a document of health is written at least once a second
LATENCIES_KEPT: Final = 2000
OFFSET_RANK: Final = 3
LIST_LENGTH: Final = 50
CELLS_KEPT: Final = 10_000
# The worst state of a venue's channels is the venue's; a word that is not known here is worse than all of them.
WORST_FIRST: Final = ("down", "connecting", "resync", "gap", "stale", "live")
HEALTH_SUBJECTS: Final = f"$KV.{streams.STATE}.{subjects.STATE_FEED}"
_PEGGED: Final = UsdRates()  # without prices: dollars, and dollar coins taken as one


class Message(NamedTuple):
    """One message of the bus as it came: subject, body, and when."""

    subject: str
    body: bytes
    at: int


Health: TypeAlias = Any  # `contracts.state.FeedHealth`; states are shown whatever their words are
_ANY_WORDS: Final = {"state": str | None, "said": str | None, "channels": dict[str, str], "marks": list[Any]}
_read_health: Final = msgspec.json.Decoder(codec.derive(FeedHealth, _ANY_WORDS)).decode


class Entry(NamedTuple):
    """One line of a list: when (ns UTC), which side or kind, dollars (None where not known), of what, where, more."""

    at: int
    kind: str
    usd: float | None
    about: str
    place: str
    more: str


class Recent:
    """The newest of a venue's values with when each came, in memory that is taken once: a burst takes no more."""

    __slots__ = ("_added", "_at", "_values")

    def __init__(self) -> None:
        self._at = array("q", bytes(8 * LATENCIES_KEPT))
        self._values = array("q", bytes(8 * LATENCIES_KEPT))
        self._added = 0

    def add(self, at: int, value: int) -> None:
        """Keep a value (ns) in the place of the oldest; the contract holds times to 63 bits, so that it has 64."""
        place = self._added % LATENCIES_KEPT
        self._values[place] = value
        self._at[place] = at
        self._added += 1

    def sort(self, now: int) -> list[int]:
        """Give the values of the last seconds, lowest first."""
        kept = zip(self._at, self._values, strict=True)
        return sorted(value for at, value in islice(kept, self._added) if now - at <= WINDOW_NS)


Place = tuple[str | None, str | None, str | None]  # channel, symbol, connection; None stands for all of them


@dataclass
class Venue:
    """One venue: what its channels last said, and the rate and latency of its events in the last seconds."""

    cells: dict[Place, str] = field(default_factory=dict[Any, str])
    health: tuple[int, Health] | None = None  # with when it came
    said: str | None = None  # the reason of the last event of its feed
    events: int = 0
    latencies: Recent = field(default_factory=Recent)
    offsets: Recent = field(default_factory=Recent)
    marks: deque[tuple[int, int]] = field(default_factory=deque[tuple[int, int]])

    def judge(self, now: int) -> tuple[str, str]:
        """Give state and reason: by its health while documents of it come, else by what its feed said.

        The worst of its channels; `quiet` before any of them said something.
        """
        if self.health is not None and now - self.health[0] <= HEALTH_NS:
            health = self.health[1]
            states = {health.state, *health.channels.values()} - {None}
            return _worst(states, "quiet"), health.reason or ""
        return _worst(set(self.cells.values()), "live" if self.events else "quiet"), self.said or ""


def _worst(states: Collection[str | None], otherwise: str) -> str:
    unknown = sorted(state for state in states if state is not None and state not in WORST_FIRST)
    return unknown[0] if unknown else next((state for state in WORST_FIRST if state in states), otherwise)


@dataclass
class State:
    """All that the view shows. Lists are newest first; `unreadable` counts messages that are no event of ours."""

    venues: dict[str, Venue] = field(default_factory=dict[str, Venue])
    whales: deque[Entry] = field(default_factory=lambda: deque[Entry](maxlen=LIST_LENGTH))
    liquidations: deque[Entry] = field(default_factory=lambda: deque[Entry](maxlen=LIST_LENGTH))
    unreadable: int = 0


def fold(state: State, messages: Iterable[Message]) -> None:
    """Take a batch in; whatever cannot be read is counted, not guessed at."""
    for message in messages:
        try:
            _fold_one(state, message)
        except (msgspec.MsgspecError, ValueError, KeyError):
            state.unreadable += 1


def _fold_one(state: State, message: Message) -> None:
    if message.subject.startswith(HEALTH_SUBJECTS):
        if message.body:  # none where a key was deleted
            health = _read_health(message.body)
            _find_venue(state, health.venue).health = (message.at, health)
        return
    event = codec.decode(message.subject, message.body)
    kind = codec.kind_of(message.subject)
    if message.subject.startswith(subjects.FEED):
        _fold_feed(state, event)
    elif kind in _LISTED:
        _LISTED[kind](state, event)
    if message.subject.startswith("md.") and event.venue != subjects.ALL_VENUES:  # made of events counted already
        _fold_market(state, event, message.at)


def _find_venue(state: State, name: str) -> Venue:
    return state.venues.setdefault(name, Venue())


def _fold_market(state: State, event: Any, at: int) -> None:  # a struct derived at run time
    venue = _find_venue(state, event.venue)
    venue.events += 1
    venue.latencies.add(at, at - event.ts_recv)
    if event.ts_event is not None:
        venue.offsets.add(at, event.ts_recv - event.ts_event)


def _fold_feed(state: State, event: Any) -> None:
    if event.venue == subjects.BUS:
        return  # of no venue: what the bus or a reader of it lost is over when it is said, and no feed ends it
    venue = _find_venue(state, event.venue)
    if event.channel is None and event.symbol is None:
        venue.cells.clear()
    place = (event.channel, event.symbol, event.connection or None)
    if len(venue.cells) < CELLS_KEPT or place in venue.cells:
        venue.cells[place] = event.state
    venue.said = event.reason


def _fold_whale(state: State, event: Any) -> None:
    more = f"{event.amount} at {event.price}"
    state.whales.appendleft(
        Entry(_time(event), event.side, float(event.usd_value), event.symbol or "?", event.venue, more)
    )


def _fold_cluster(state: State, event: Any) -> None:
    more = f"{event.count} whales, {event.side}"
    state.whales.appendleft(Entry(_time(event), "GROUP", float(event.usd_value), event.base, event.pattern, more))


def _fold_liquidation(state: State, event: Any) -> None:
    size = event.amount if event.amount is not None else f"{event.contracts} contracts"
    usd = find_usd(event.symbol or "", event.price, event.amount, event.ts_recv)
    state.liquidations.appendleft(
        Entry(
            _time(event),
            event.position_side or "?",
            usd,
            event.symbol or "?",
            event.venue,
            f"{size} at {event.price}",
        )
    )


def _fold_storm(state: State, event: Any) -> None:
    more = f"long ${float(event.long_usd):,.0f}, short ${float(event.short_usd):,.0f}"
    state.liquidations.appendleft(
        Entry(_time(event), "STORM", float(event.usd_value), event.base, f"{event.count} events", more)
    )


def _time(event: Any) -> int:
    return event.ts_event if event.ts_event is not None else event.ts_recv


def find_usd(symbol: str, price: str, amount: str | None, at: int) -> float | None:
    """Give what an amount of the base coin is worth; None where it, or the quote in dollars, is not known."""
    quote = symbol.partition("/")[2].partition(":")[0]
    rate = _PEGGED.find(quote, at) if quote else None
    return None if rate is None or amount is None else float(price) * float(amount) * float(rate.rate)


_LISTED: Final = {
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
    recent = venue.latencies.sort(now)
    if not recent:
        return rate, None, None
    return rate, recent[len(recent) // 2] / 1e6, recent[min(len(recent) - 1, len(recent) * 99 // 100)] / 1e6


def measure_clock(venue: Venue, now: int) -> float | None:
    """Our clock less the venue's with the way of the fastest messages of the last seconds in it, in milliseconds.

    The third lowest, so that two wild times do not count; None where fewer came.
    """
    recent = venue.offsets.sort(now)
    return recent[OFFSET_RANK - 1] / 1e6 if len(recent) >= OFFSET_RANK else None
