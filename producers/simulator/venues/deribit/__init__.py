"""Deribit as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://docs.deribit.com/articles/json-rpc-overview
"""

from __future__ import annotations

from dataclasses import replace

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import MAJORS, Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.deribit.exchange import Deribit


def list_instruments(base: Base) -> list[Instrument]:
    """Linear perpetuals; of the majors pairs too, and inverse perpetuals, counted in (tens of) dollars."""
    name, coarse, lot = base.name, base.coarse, min(base.lots, 4)
    scales = (coarse, lot, coarse, max(lot, 1))
    symbol = f"{name}_USDC"
    linear = Instrument(VENUE.name, "linear", f"{symbol}-PERPETUAL", name, "USDC", *scales, stripped=False, pace=0.15)
    if name not in MAJORS:
        return [linear]
    dollars = (coarse, -int(name == "BTC"), coarse, 1)
    inverse = Instrument(VENUE.name, "linear", f"{name}-PERPETUAL", name, "USD", *dollars, stripped=False, pace=0.3)
    return [linear, replace(linear, market="spot", symbol=symbol), replace(inverse, inverse=True)]


VENUE = Definition(
    name="deribit",
    open=Deribit,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(ping_every=10, pong_within=10),  # by messages, for clients that request them
    lacks=frozenset({"bad_checksum", "reset", "notice"}),
    options=None,
)
