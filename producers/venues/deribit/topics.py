"""One subscribed Deribit channel: its instrument and the blanks of its events."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instrument import Instrument
from producers.normalize.events import InstrumentMakers, Makers


@dataclass(slots=True)
class Topic:
    """A channel of one connection. `detail` is what follows the instrument in its name."""

    instrument: Instrument
    detail: str
    makers: Makers
    tail: str = ""
    is_inverse: bool = False
    make: InstrumentMakers = field(init=False)

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.is_inverse = self.instrument.sized_in_contracts
        self.make = self.makers.of(self.instrument)
