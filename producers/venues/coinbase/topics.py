"""What a connection remembers of one Coinbase product: blanks of its events, and the time of its last book frame."""

from __future__ import annotations

from contracts.instrument import Instrument
from producers.normalize.events import Makers


class Product:
    """One product's constants on a connection, and the time of its last book frame that had one."""

    __slots__ = (
        *("book_id", "candle", "candle_id", "delta", "instrument", "last_ts"),
        *("ticker", "ticker_id", "trade", "trade_id"),
    )

    def __init__(self, instrument: Instrument, *, makers: Makers) -> None:
        self.instrument = instrument
        self.trade = makers.maker("trade", instrument)
        self.ticker = makers.maker("ticker", instrument)
        self.delta = makers.maker("delta", instrument)
        self.candle = makers.maker("candle", instrument)
        self.trade_id = f"{instrument.tail}.trade."
        self.ticker_id = f"{instrument.tail}.ticker."
        self.book_id = f"{instrument.tail}.delta."
        self.candle_id = f"{instrument.tail}.candle."
        self.last_ts: int | None = None
