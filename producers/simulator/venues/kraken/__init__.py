"""Kraken spot as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://docs.kraken.com/exchange/api-reference/spot-websocket
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.kraken.exchange import Kraken
from producers.simulator.venues.kraken.options import Options


def list_instruments(base: Base) -> list[Instrument]:
    """A pair in US dollars."""
    name, coarse = base.name, base.coarse
    terms = (VENUE.name, "spot", f"{name}/USD", name, "USD", coarse, 8, coarse, 8)
    return [Instrument(*terms, stripped=False)]


VENUE = Definition(
    name="kraken",
    open=Kraken,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_any=60),  # not documented
    lacks=frozenset({"reset", "notice"}),
    options=Options(),
)
