"""One subscribed Bybit topic: its instrument, the blanks of its events, and what earlier frames said."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instrument import Instrument
from producers.normalize import sizes
from producers.normalize.events import InstrumentMakers, Makers


@dataclass(slots=True)
class Topic:
    """A topic of one connection. `detail` is an order book's depth or a candle's interval; `state` a merged ticker."""

    instrument: Instrument
    kind: str
    detail: str
    makers: Makers
    id_start: str = ""
    is_inverse: bool = False
    state: dict[str, str | None] = field(default_factory=dict[str, str | None])
    make: InstrumentMakers = field(init=False)

    def __post_init__(self) -> None:
        self.id_start = f"{self.instrument.tail}.{self.kind}."
        self.is_inverse = self.instrument.is_inverse
        self.make = self.makers.of(self.instrument)

    def sizes(self, size: str, price: str) -> tuple[str | None, str | None]:
        """Return (amount in the base coin, contracts).

        Sizes of spot and linear are in the base coin as they come; those of inverse contracts count USD, and the
        amount is known where the instrument's contract size is.
        """
        return sizes.sizes(self.instrument, size, price) if self.is_inverse else (size, None)
