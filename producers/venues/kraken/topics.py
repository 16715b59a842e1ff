"""What a connection remembers of one Kraken pair: blanks of its events and their ids' prefixes."""

from __future__ import annotations

from contracts.instrument import Instrument
from producers.normalize.blanks import blank


class Pair:
    """One pair's constants on a connection."""

    __slots__ = ("candle", "delta", "instrument", "tail", "ticker", "trade", "trade_id")

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        self.instrument = instrument
        self.tail = instrument.tail
        self.trade_id = f"{instrument.tail}.trade."
        self.trade = blank("trade", instrument, sim=sim)
        self.ticker = blank("ticker", instrument, sim=sim)
        self.delta = blank("delta", instrument, sim=sim)
        self.candle = blank("candle", instrument, sim=sim)
