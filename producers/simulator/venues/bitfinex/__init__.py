"""Bitfinex as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://docs.bitfinex.com/docs/ws-general
"""

from __future__ import annotations

from dataclasses import replace

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import FINE_USD, MAJORS, Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.bitfinex.exchange import Bitfinex
from producers.simulator.venues.bitfinex.options import Options

JOINED = 3  # letters of a base that is written without a colon


def list_instruments(base: Base) -> list[Instrument]:
    """A pair, and of the majors a perpetual; books have one level a frame, so that they are less busy than others."""
    name, lot, scale = base.name, min(base.lots + 1, 6), min(base.coarse, 4) - 2 * (base.price > FINE_USD)
    symbol = f"t{name}UST" if len(name) == JOINED else f"t{name}:UST"
    pair = Instrument(VENUE.name, "spot", symbol, name, "USDT", scale, lot, scale, lot, stripped=True, pace=0.1)
    return [pair, replace(pair, market="linear", symbol=f"t{name}F0:USTF0")] if name in MAJORS else [pair]


VENUE = Definition(
    name="bitfinex",
    open=Bitfinex,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(),  # the venue sends on quiet channels and requires nothing of clients
    lacks=frozenset({"reset", "partial_ack"}),
    options=Options(),
)
