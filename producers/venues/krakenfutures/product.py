"""What the decoder of one Kraken Futures connection remembers of a product: the constants of its events."""

from __future__ import annotations

from typing import Any

from contracts.instrument import INVERSE, PERP, Instrument


class Product:
    """One product on a connection."""

    __slots__ = ("delta_id", "instrument", "is_perpetual", "sim", "symbol", "tail", "venue_symbol")

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        self.instrument = instrument
        self.sim = sim
        self.symbol = instrument.symbol
        self.venue_symbol = instrument.venue_symbol
        self.tail = instrument.tail
        self.delta_id = f"{instrument.tail}.delta."
        self.is_perpetual = instrument.contract in {PERP, INVERSE}

    def common(self, ts_event: int | None, ts_recv: int) -> dict[str, Any]:
        """Give the fields that every event has, but for its id; times in ns."""
        return {
            "venue": self.instrument.venue,
            "symbol": self.symbol,
            "venue_symbol": self.venue_symbol,
            "ts_event": ts_event,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }
