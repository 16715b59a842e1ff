"""What the decoder of one Hyperliquid connection keeps of a coin: the blanks of its events, and what was received."""

from __future__ import annotations

from contracts.instrument import Instrument
from producers.normalize.blanks import Blanks


class Topic:
    """A coin of one connection, the newest ids of its trades, and its last figures of 24 hours."""

    __slots__ = ("blanks", "figures", "has_funding", "tail", "tids")

    def __init__(self, instrument: Instrument, *, sim: bool) -> None:
        self.tail = instrument.tail
        self.blanks = Blanks(instrument, sim=sim)
        self.has_funding = instrument.settle is not None
        self.tids: dict[str, None] = {}
        self.figures: tuple[int | None, str] = (None, "")  # checksum of the last ones, and what their ids end in
