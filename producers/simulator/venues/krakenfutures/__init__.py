"""Kraken Futures as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://docs.kraken.com/exchange/api-reference/futures-websocket
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import DEAR_USD, Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.krakenfutures.exchange import KrakenFutures
from producers.simulator.venues.krakenfutures.options import Options


def list_instruments(base: Base) -> list[Instrument]:
    """A perpetual; its book changes by one level a frame, so that it is less busy than others."""
    name, lot = base.name, max(0, base.lots - 1)
    scale = 0 if base.price > DEAR_USD else base.coarse
    symbol = f"PF_{'XBT' if name == 'BTC' else name}USD"
    terms = (VENUE.name, "linear", symbol, name, "USD", scale, lot, scale, lot)
    return [Instrument(*terms, stripped=True, pace=0.2)]


VENUE = Definition(
    name="krakenfutures",
    open=KrakenFutures,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_inbound=60),
    lacks=frozenset({"reset", "notice", "bad_checksum"}),
    options=Options(),
)
