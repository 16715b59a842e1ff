"""A reply of the market core as a face keeps it, and as it answers with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class CachedReply:
    """A reply of the core with when it arrived (monotonic seconds); `bodies` holds it in each format that was used."""

    body: bytes
    symbol: str | None
    beside: bytes
    arrived: float
    bodies: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 2 * len(self.body) + 512


@dataclass(frozen=True, slots=True)
class CoreAnswer:
    """An answer that arrived `grown` seconds ago: `stale` where the core was requested and did not reply."""

    reply: CachedReply
    stale: bool
    grown: float
