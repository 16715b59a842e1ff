"""A reply of the market core as a face keeps it, and as it answers with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(slots=True)
class Counts:
    """How often something was answered from memory, and how often it had to be requested."""

    hits: int = 0
    misses: int = 0


@dataclass(slots=True)
class CachedReply:
    """A reply of the core with when it arrived and until when it answers at once (monotonic seconds).

    `counts` are those of its kind; `bodies` holds it in each format that was used.
    """

    body: bytes
    symbol: str | None
    beside: bytes
    arrived: float
    until: float = 0.0
    past: bool = False  # it is of a moment: its ages do not grow, and it does not become stale
    counts: Counts = field(default_factory=Counts)
    bodies: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 2 * len(self.body) + 512


class CoreAnswer(NamedTuple):
    """An answer that arrived `grown` seconds ago: `stale` where the core was requested and did not reply."""

    reply: CachedReply
    stale: bool = False
    grown: float = 0.0
