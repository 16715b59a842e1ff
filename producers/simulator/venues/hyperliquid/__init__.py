"""Hyperliquid as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket
"""

from __future__ import annotations

import math
from dataclasses import replace

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.hyperliquid.exchange import Hyperliquid


def list_instruments(base: Base) -> list[Instrument]:
    """A perpetual of five significant digits; of BTC a spot pair too, which has a number for a name."""
    name, lots, scale = base.name, base.lots, max(0, 4 - math.floor(math.log10(base.price)))
    perpetual = Instrument(VENUE.name, "linear", name, name, "USDC", scale, lots, scale, lots, stripped=True)
    spot = replace(perpetual, market="spot", symbol="@142", pace=0.2)
    return [perpetual, spot] if name == "BTC" else [perpetual]


VENUE = Definition(
    name="hyperliquid",
    open=Hyperliquid,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_any=60),
    lacks=frozenset({"reset", "notice", "bad_checksum", "partial_ack"}),
    options=None,
)
