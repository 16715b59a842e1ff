"""What the decoder of one HTX connection remembers of an instrument: the blanks of its events, and its funding."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instrument import SPOT, Instrument
from producers.normalize.events import InstrumentMakers, Makers


@dataclass(slots=True)
class Topic:
    """An instrument of one connection. `rate` to `index_price` are merged from its funding and basis frames."""

    instrument: Instrument
    makers: Makers
    tail: str = ""
    is_spot: bool = True
    rate: str | None = None
    next_ts: int | None = None
    index_price: str | None = None
    make: InstrumentMakers = field(init=False)

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.is_spot = self.instrument.contract == SPOT
        self.make = self.makers.of(self.instrument)
