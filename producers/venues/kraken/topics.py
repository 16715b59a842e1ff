"""What a connection remembers of one Kraken pair: blanks of its events and their ids' prefixes."""

from __future__ import annotations

from contracts.instrument import Instrument
from producers.normalize.events import Makers


class Pair:
    """One pair's constants on a connection."""

    __slots__ = ("candle", "delta", "instrument", "tail", "ticker", "trade", "trade_id")

    def __init__(self, instrument: Instrument, *, makers: Makers) -> None:
        self.instrument = instrument
        self.tail = instrument.tail
        self.trade_id = f"{instrument.tail}.trade."
        self.trade = makers.maker("trade", instrument)
        self.ticker = makers.maker("ticker", instrument)
        self.delta = makers.maker("delta", instrument)
        self.candle = makers.maker("candle", instrument)
