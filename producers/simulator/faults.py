"""Faults that a test or an operator orders: which are active, and what becomes of a frame or an answer (pure)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal[
    "drop", "duplicate", "reorder", "gap", "silence", "slow", "cut", "close", "bad_checksum",
    "stale_snapshot", "reset", "notice", "ban", "rest_error", "partial_ack", "crossed",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
IMMEDIATE = frozenset({"cut", "close", "reset", "notice"})
CHANNELS = ("trades", "ticker", "bbo", "depth", "candles", "mark", "funding", "interest", "liquidations", "heartbeat")
BOOK_KINDS = frozenset({"gap", "crossed", "bad_checksum", "reorder"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered fault of one venue.

    `channel` is one of CHANNELS (None: any; gap, crossed, bad_checksum and reorder then mean depth) and `symbol`
    the venue's own symbol. With `seconds` the fault lasts that long; otherwise it happens `count` times (None:
    until cleared). Each chance is taken with `probability`. `delay` is how late a slow frame is, in seconds.
    """

    venue: str
    kind: Kind
    channel: str | None = None
    symbol: str | None = None
    count: int | None = 1
    seconds: float | None = None
    probability: float = 1.0
    delay: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: {self.kind!r} is not one of {', '.join(KINDS)}")
        if self.channel is not None and self.channel not in CHANNELS:
            raise ValueError(f"channel: {self.channel!r} is not one of {', '.join(CHANNELS)}")
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability: {self.probability} is not within (0, 1]")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count: {self.count} is less than 1")
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"seconds: {self.seconds} is not positive")
        if self.delay < 0:
            raise ValueError(f"delay: {self.delay} is negative")


@dataclass(slots=True)
class Active:
    """A fault at work: what is left of its count, and when it ends (microseconds)."""

    fault: Fault
    left: int | None
    until_us: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a frame: lost, or sent with changes."""

    lost: bool = False
    twice: bool = False
    held: bool = False
    mutations: tuple[str, ...] = ()
    delay_s: float = 0.0


CLEAN = Verdict()


@dataclass(slots=True)
class Faults:
    """The active faults of all venues."""

    rng: random.Random
    active: dict[str, list[Active]] = field(default_factory=dict)

    def save_fault(self, fault: Fault, now_us: int) -> None:
        """Makes a fault active from now on."""
        until = None if fault.seconds is None else now_us + int(fault.seconds * 1e6)
        left = None if fault.seconds is not None else fault.count
        self.active.setdefault(fault.venue, []).append(Active(fault, left, until))

    def clear(self) -> None:
        """Ends all."""
        self.active.clear()

    def decide_frame(self, venue: str, now_us: int, frame: tuple[str, str, bool]) -> Verdict:
        """The verdict on one frame given as (channel, symbol, is_delta)."""
        if venue not in self.active:
            return CLEAN
        channel, symbol, is_delta = frame
        if self._take(venue, now_us, ("silence", channel, symbol)) or self._take(
            venue, now_us, ("drop", channel, symbol)
        ):
            return Verdict(lost=True)
        if (is_delta or channel != "depth") and self._take(venue, now_us, ("gap", channel, symbol)):
            return Verdict(lost=True)
        mutations = tuple(
            kind
            for kind in ("bad_checksum", "crossed")
            if is_delta and self._take(venue, now_us, (kind, channel, symbol))
        )
        held = is_delta or channel != "depth"
        slow = self._take(venue, now_us, ("slow", channel, symbol))
        return Verdict(
            twice=self._take(venue, now_us, ("duplicate", channel, symbol)) is not None,
            held=held and self._take(venue, now_us, ("reorder", channel, symbol)) is not None,
            mutations=mutations,
            delay_s=slow.delay if slow else 0.0,
        )

    def find_fault(self, venue: str, kind: Kind, now_us: int, symbol: str | None = None) -> Fault | None:
        """Takes one chance of a fault that is not about frames (ban, rest_error, stale_snapshot, partial_ack)."""
        return self._take(venue, now_us, (kind, None, symbol))

    def _take(self, venue: str, now_us: int, what: tuple[str, str | None, str | None]) -> Fault | None:
        kind, channel, symbol = what
        chosen: Fault | None = None
        for entry in list(self.active.get(venue, ())):
            if entry.until_us is not None and now_us >= entry.until_us:
                self._remove(venue, entry)
                continue
            fault = entry.fault
            if chosen or fault.kind != kind or not _fits(fault, channel, symbol):
                continue
            if fault.probability < 1 and self.rng.random() >= fault.probability:
                continue
            chosen = fault
            if entry.left is not None:
                entry.left -= 1
                if entry.left == 0:
                    self._remove(venue, entry)
        return chosen

    def _remove(self, venue: str, entry: Active) -> None:
        self.active[venue].remove(entry)
        if not self.active[venue]:
            del self.active[venue]


def _fits(fault: Fault, channel: str | None, symbol: str | None) -> bool:
    wanted = fault.channel
    if wanted is None and channel is not None and fault.kind in BOOK_KINDS:
        wanted = "depth"
    if wanted is not None and channel is not None and wanted != channel:
        return False
    return fault.symbol is None or symbol is None or fault.symbol.upper() == symbol.upper()
