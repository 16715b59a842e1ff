"""Binance Spot as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from producers.simulator.families.binance.options import Options
from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.binance.exchange import open_exchange


def list_instruments(base: Base) -> list[Instrument]:
    """A pair; every text has eight decimals."""
    name = base.name
    terms = (VENUE.name, "spot", f"{name}USDT", name, "USDT", base.fine, base.lots, 8, 8)
    return [Instrument(*terms, stripped=False)]


VENUE = Definition(
    name="binance",
    open=open_exchange,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(ping_every=20, pong_within=60, lifetime=86_400),
    lacks=frozenset({"reset", "bad_checksum"}),
    options=Options(),
)
