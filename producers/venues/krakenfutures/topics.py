"""What the decoder of one Kraken Futures connection remembers of a product: the constants of its events."""

from __future__ import annotations

from typing import Any, Final

from contracts.instrument import INVERSE, PERP, Instrument
from producers.venue import TradeSpan

_MOST_PASSED: Final = 100


class Product:
    """One product on a connection."""

    __slots__ = ("_passed", "delta_id", "instrument", "is_perpetual", "sim", "symbol", "tail", "venue_symbol")

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        self.instrument = instrument
        self.sim = sim
        self.symbol = instrument.symbol
        self.venue_symbol = instrument.venue_symbol
        self.tail = instrument.tail
        self.delta_id = f"{instrument.tail}.delta."
        self.is_perpetual = instrument.contract in {PERP, INVERSE}
        self._passed: set[int] = set()

    def pass_over(self, seq: int | None) -> None:
        """Remember the number of a message of the feed `trade` that is no trade."""
        if seq is not None:
            self._passed.add(seq)
            if len(self._passed) > _MOST_PASSED:
                self._passed.discard(min(self._passed))

    def span(self, seq: int | None) -> tuple[TradeSpan, ...]:
        """Return what the number of a trade stands for where those right before it were passed over."""
        first = seq
        while first is not None and first - 1 in self._passed:
            first -= 1
        return () if first is None or seq is None or first == seq else (TradeSpan(self.instrument, first, seq),)

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
