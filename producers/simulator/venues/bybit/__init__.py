"""Bybit as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.bybit.exchange import Bybit
from producers.simulator.venues.bybit.options import Options


def list_instruments(base: Base) -> list[Instrument]:
    """A pair and a perpetual of one name."""
    name, coarse, lot, perp = base.name, base.coarse, base.lots + 1, max(0, base.lots - 2)
    symbol = f"{name}USDT"
    spot = (VENUE.name, "spot", symbol, name, "USDT", coarse, lot, coarse, lot)
    linear = (VENUE.name, "linear", symbol, name, "USDT", coarse, perp, max(coarse, 2), perp)
    return [Instrument(*spot, stripped=True), Instrument(*linear, stripped=False, bare_zero=True)]


VENUE = Definition(
    name="bybit",
    open=Bybit,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_inbound=600),
    lacks=frozenset({"notice", "bad_checksum"}),
    options=Options(),
)
