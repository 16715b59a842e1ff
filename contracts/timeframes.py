"""The time frames of candles and where each begins, in UTC. Pure."""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_FIRST_MONDAY: Final = 4 * DAY  # 1970-01-05

TIMEFRAMES: Final[dict[str, int]] = {
    "1m": MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "4h": 4 * HOUR,
    "1d": DAY,
    "1w": 7 * DAY,
}
"""The length of each time frame, ns."""


def find_start(timeframe: str, ts: int) -> int:
    """Give the start (ns UTC) of the time frame that a time is in; weeks begin on Monday, 00:00 UTC."""
    size = TIMEFRAMES[timeframe]
    return ts - (ts - _FIRST_MONDAY) % size if timeframe == "1w" else ts - ts % size
