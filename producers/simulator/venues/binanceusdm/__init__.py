"""Binance USD-M as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from __future__ import annotations

from producers.simulator.families.binance.options import Options
from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.binanceusdm.exchange import open_exchange


def list_instruments(base: Base) -> list[Instrument]:
    """A perpetual; its update ids grow in steps, as those of a venue that counts other events too."""
    name, lot, shown = base.name, min(base.lots, 3), max(base.coarse, 2)
    terms = (VENUE.name, "linear", f"{name}USDT", name, "USDT", base.coarse, lot, shown, lot)
    return [Instrument(*terms, stripped=False, update_stride=7)]


VENUE = Definition(
    name="binanceusdm",
    open=open_exchange,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(ping_every=180, pong_within=600, lifetime=86_400),
    lacks=frozenset({"reset", "bad_checksum"}),
    options=Options(),
)
