"""When candles close, change and are published, and what is counted of the trades that make them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contracts.timeframes import MINUTE, SECOND

INTERVALS: Final[Mapping[str, int]] = {
    "1m": SECOND,
    "5m": 5 * SECOND,
    "15m": 5 * SECOND,
    "30m": 15 * SECOND,
    "1h": 15 * SECOND,
    "4h": MINUTE,
    "1d": MINUTE,
    "1w": MINUTE,
}


@dataclass(frozen=True, slots=True)
class CandleRules:
    """When candles close, change and are published; ns.

    How long after its end a candle stays open for stragglers and may be amended, how often an open one of each time
    frame is published, and how far a venue's clock may be ahead of ours. One that closes is published at once, an
    amended one after `amended`. `remember`: trade ids kept for each instrument; `instruments`: kept at least, those
    traded last, at most twice as many.
    """

    grace: int = SECOND
    retention: int = 15 * MINUTE
    intervals: Mapping[str, int] = field(default_factory=lambda: INTERVALS)
    amended: int = SECOND
    ahead: int = MINUTE
    remember: int = 4096
    instruments: int = 10_000


@dataclass(slots=True)
class CandleCounts:
    """What was folded and what could not be, with its reason."""

    folded: int = 0
    duplicates: int = 0
    unsized: int = 0  # the amount in base coin is not known
    ahead: int = 0  # the venue's clock is beyond ours
    amended: int = 0  # trades that changed a closed candle
    too_late: dict[str, int] = field(default_factory=dict[str, int])  # by time frame: beyond the retention
