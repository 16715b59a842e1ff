"""What the decoder of one Gate connection keeps of an instrument: the blanks of its events."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.instrument import Instrument
from producers.normalize.blanks import Blanks
from producers.venue import FindInstrument


@dataclass(slots=True)
class Topic:
    """One instrument of a connection."""

    instrument: Instrument
    sim: bool
    tail: str = field(init=False)
    in_contracts: bool = field(init=False)
    blanks: Blanks = field(init=False)

    def __post_init__(self) -> None:
        self.tail = self.instrument.tail
        self.in_contracts = self.instrument.sized_in_contracts
        self.blanks = Blanks(self.instrument, sim=self.sim)


class Topics(dict[str, Topic]):
    """The topics of one connection by venue symbol, made as their symbols are met."""

    def __init__(self, find: FindInstrument, *, sim: bool) -> None:
        super().__init__()
        self._find = find
        self._sim = sim

    def __missing__(self, venue_symbol: str) -> Topic:
        topic = self[venue_symbol] = Topic(self._find(venue_symbol), self._sim)
        return topic
