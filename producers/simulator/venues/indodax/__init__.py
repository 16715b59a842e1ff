"""Indodax as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://github.com/btcid/indodax-official-api-docs/blob/master/Marketdata-websocket.md
"""

from __future__ import annotations

import math

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.indodax.exchange import Indodax
from producers.simulator.venues.indodax.options import Options

RUPIAH = 16_600.0  # for a dollar


def list_instruments(base: Base) -> list[Instrument]:
    """A pair in rupiah: prices of up to seven digits, then zeros."""
    scale = min(0, 6 - math.floor(math.log10(base.price * RUPIAH)))
    terms = (VENUE.name, "spot", f"{base.name}IDR".lower(), base.name, "IDR", scale, 8, 0, 8)
    return [Instrument(*terms, stripped=False, quote_rate=RUPIAH, pace=0.5)]


VENUE = Definition(
    name="indodax",
    open=Indodax,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_inbound=60, subscribe_within=25),  # not documented: 60 is assumed, 25 is Centrifugo's
    lacks=frozenset({"notice", "bad_checksum", "partial_ack"}),
    options=Options(),
)
