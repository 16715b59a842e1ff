"""KuCoin spot as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
"""

from __future__ import annotations

from producers.simulator.families.kucoin.options import Options
from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import FINE_USD, Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.kucoin.exchange import open_exchange


def list_instruments(base: Base) -> list[Instrument]:
    """A pair."""
    name, coarse, lot = base.name, base.coarse, 8 if base.price > FINE_USD else 4
    terms = (VENUE.name, "spot", f"{name}-USDT", name, "USDT", coarse, lot, coarse, lot)
    return [Instrument(*terms, stripped=True)]


VENUE = Definition(
    name="kucoin",
    open=open_exchange,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_inbound=28, lifetime=86_400),
    lacks=frozenset({"reset", "bad_checksum"}),
    options=Options(),
)
