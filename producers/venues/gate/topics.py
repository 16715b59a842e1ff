"""What the decoder of one Gate connection keeps of an instrument: the blanks of its events."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instrument import Instrument
from producers.normalize.events import InstrumentMakers, Makers


@dataclass(slots=True)
class Topic:
    """One instrument of a connection."""

    instrument: Instrument
    makers: Makers
    tail: str = field(init=False)
    in_contracts: bool = field(init=False)
    make: InstrumentMakers = field(init=False)

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.in_contracts = self.instrument.sized_in_contracts
        self.make = self.makers.of(self.instrument)
