"""What the decoder of one Hyperliquid connection keeps of a coin: the blanks of its events, and what was received."""

from __future__ import annotations

from contracts.instrument import Instrument
from producers.normalize.events import Makers


class Topic:
    """A coin of one connection, the newest ids of its trades, and its last figures of 24 hours."""

    __slots__ = ("figures", "has_funding", "make", "tail", "tids")

    def __init__(self, instrument: Instrument, *, makers: Makers) -> None:
        self.tail = instrument.tail
        self.make = makers.of(instrument)
        self.has_funding = instrument.settle is not None
        self.tids: dict[str, None] = {}
        self.figures: tuple[int | None, str] = (None, "")  # checksum of the last ones, and what their ids end in
