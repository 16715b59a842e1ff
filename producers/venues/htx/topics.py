"""What the decoder of one HTX connection remembers of an instrument: constants of its events, and its funding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.instrument import SPOT, Instrument


@dataclass(slots=True)
class Topic:
    """An instrument of one connection. `rate` to `index_price` are merged from its funding and basis frames.

    `blank` is its ticker without figures, once it was needed.
    """

    instrument: Instrument
    sim: bool
    tail: str = ""
    is_spot: bool = True
    rate: str | None = None
    next_ts: int | None = None
    index_price: str | None = None
    blank: Any = None

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.is_spot = self.instrument.contract == SPOT

    def common(self, ts_event: int | None, ts_recv: int) -> dict[str, Any]:
        """Give the fields that every event has, but for its id; times in ns."""
        return {
            "venue": self.instrument.venue,
            "symbol": self.instrument.symbol,
            "venue_symbol": self.instrument.venue_symbol,
            "ts_event": ts_event,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }
