"""One subscribed Deribit channel: its instrument and what its events have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts import market as events
from contracts.codec import fast
from contracts.instrument import Instrument
from producers.venues.deribit import wire

FastTicker = fast(events.Ticker)


@dataclass(slots=True)
class Topic:
    """A channel of one connection. `detail` is what follows the instrument in its name; `ticker` a blank ticker."""

    instrument: Instrument
    detail: str
    sim: bool
    tail: str = ""
    is_inverse: bool = False
    ticker: Any = None

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.is_inverse = self.instrument.sized_in_contracts
        self.ticker = FastTicker(id="", **self.common(0, 0))

    def common(self, timestamp: int, ts_recv: int) -> dict[str, Any]:
        """Give the fields that every event has, but for its id; `timestamp` in ms as the venue sends it."""
        return {
            "venue": self.instrument.venue,
            "symbol": self.instrument.symbol,
            "venue_symbol": self.instrument.venue_symbol,
            "ts_event": timestamp * wire.MS,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }
