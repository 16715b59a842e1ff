"""What the decoder of one OKX connection remembers of an instrument: the blanks of its events, and its funding."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instrument import Instrument
from producers.normalize.events import InstrumentMakers, Makers


@dataclass(slots=True)
class Topic:
    """An instrument of one connection. `rate` to `mark_price` are merged from its funding and mark price channels.

    `indexes` holds the connection's index prices by the venue's name of the index (`BTC-USDT`), shared by all topics.
    """

    instrument: Instrument
    indexes: dict[str, str]
    makers: Makers
    tail: str = ""
    rate: str | None = None
    next_ts: int | None = None
    mark_price: str | None = None
    make: InstrumentMakers = field(init=False)

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.make = self.makers.of(self.instrument)

    @property
    def index_price(self) -> str | None:
        """The last price of the instrument's index; None before the connection received it."""
        return self.indexes.get("-".join(self.instrument.venue_symbol.split("-")[:2]))
