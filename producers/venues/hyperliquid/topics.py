"""What the decoder of one Hyperliquid connection keeps of a coin: constants of its events, and what was received."""

from __future__ import annotations

from typing import Any

from contracts.instrument import Instrument
from producers.venue import FindInstrument


class Topic:
    """A coin of one connection, the newest ids of its trades, and its last figures of 24 hours."""

    __slots__ = (
        "delta_id",
        "figures",
        "has_funding",
        "instrument",
        "sim",
        "symbol",
        "tids",
        "trade_id",
        "venue_symbol",
    )

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        self.instrument = instrument
        self.sim = sim
        self.symbol = instrument.symbol
        self.venue_symbol = instrument.venue_symbol
        self.trade_id = f"{instrument.tail}.trade."
        self.delta_id = f"{instrument.tail}.delta."
        self.has_funding = instrument.settle is not None
        self.tids: dict[str, None] = {}
        self.figures: tuple[int | None, str] = (None, "")  # checksum of the last ones, and what their ids end in

    def common(self, ts_event: int | None, ts_recv: int) -> dict[str, Any]:
        """Return the fields that every event has, but for its id; times in ns."""
        return {
            "venue": "hyperliquid",
            "symbol": self.symbol,
            "venue_symbol": self.venue_symbol,
            "ts_event": ts_event,
            "ts_recv": ts_recv,
            "sim": self.sim,
        }


class Topics(dict[str, Topic]):
    """The topics of one connection by coin, made when a coin is first met. `find` gives instruments by coin."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        super().__init__()
        self._find = find
        self._sim = sim

    def __missing__(self, coin: str) -> Topic:
        topic = self[coin] = Topic(self._find(coin), sim=self._sim)
        return topic
