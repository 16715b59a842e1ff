"""Coinbase Exchange and Advanced Trade as a simulated venue: instruments, keep-alive rules, faults not shown.

https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.coinbase.exchange import Coinbase
from producers.simulator.venues.coinbase.options import Options

CENT_USD = 1


def list_instruments(base: Base) -> list[Instrument]:
    """A pair in US dollars."""
    name, fine, lot = base.name, base.fine, 8 if base.price > CENT_USD else 1
    terms = (VENUE.name, "spot", f"{name}-USD", name, "USD", fine, lot, fine, lot)
    return [Instrument(*terms, stripped=False)]


VENUE = Definition(
    name="coinbase",
    open=Coinbase,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(subscribe_within=5),
    lacks=frozenset({"reset", "notice", "bad_checksum"}),
    options=Options(),
)
