"""How long each part of an event's way takes, by samples: percentiles of the last minutes. Pure.

The hops follow each other, and none has another's time in it: `receive` (the venue's clock to receipt), `publish` (to
the bus), `fold` (into the state).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from contracts import codec
from contracts.state import Hop, HopLatency
from runtime.bounded import RollingHistogram

Percentiles = tuple[int, int, int]
"""p50, p95 and p99 in ns: half, 95 and 99 of 100 were faster."""
Sample = tuple[Hop, str, int]
"""The hop, the kind of event, and how long it took, ns."""
SHARES: Final = ((1, 2), (95, 100), (99, 100))
_SLOTS: Final = 6
_SLOT_NS: Final = 20_000_000_000
_MOST_WAITING: Final = 1000
_LATENCY: Final = codec.fast(HopLatency)


class HopTimes:
    """The samples of one venue. What seems to take less than nothing, as clocks differ, counts as nothing."""

    __slots__ = ("_times", "_waiting")

    def __init__(self) -> None:
        self._times: dict[tuple[Hop, str], RollingHistogram] = {}
        self._waiting: deque[Sample] = deque(maxlen=_MOST_WAITING)

    def add(self, hop: Hop, kind: str, nanoseconds: int, at: int) -> None:
        """Take a sample at a time (ns UTC)."""
        times = self._times.get((hop, kind))
        if times is None:
            times = self._times[hop, kind] = RollingHistogram(_SLOTS, _SLOT_NS)
        times.add(max(nanoseconds, 0), at)
        self._waiting.append((hop, kind, max(nanoseconds, 0)))

    def take(self) -> list[Sample]:
        """Return the samples since the last call, the newest 1000 of them."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def find(self) -> dict[Hop, dict[str, Percentiles]]:
        """Return the percentiles of the last two minutes of samples, by hop and kind."""
        found: dict[Hop, dict[str, Percentiles]] = {}
        for (hop, kind), times in self._times.items():
            p50, p95, p99 = (times.find_quantile(share) or 0 for share in SHARES)
            found.setdefault(hop, {})[kind] = (p50, p95, p99)
        return found


def as_documents(found: Mapping[Hop, Mapping[str, Percentiles]]) -> dict[Hop, dict[str, Any]]:
    """Return percentiles as `contracts.state.HopLatency`, by hop and kind."""
    return {
        hop: {kind: _LATENCY(p50=p50, p95=p95, p99=p99) for kind, (p50, p95, p99) in kinds.items()}
        for hop, kinds in found.items()
    }
