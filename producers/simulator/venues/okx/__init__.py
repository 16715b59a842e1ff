"""OKX as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://www.okx.com/docs-v5/en/#overview-websocket-connect
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import FINE_USD, Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.okx.exchange import Okx
from producers.simulator.venues.okx.options import Options

# What a contract is worth in the base coin (1 where not named).
CONTRACTS = {"BTC": "0.01", "ETH": "0.1", "BNB": "0.01", "XRP": "100", "ADA": "100", "DOGE": "1000"}


def list_instruments(base: Base) -> list[Instrument]:
    """A pair, and a swap that is counted in contracts."""
    name, coarse, lot = base.name, base.coarse, 8 if base.price > FINE_USD else 6
    spot = (VENUE.name, "spot", f"{name}-USDT", name, "USDT", coarse, lot, coarse, lot)
    swap = (VENUE.name, "linear", f"{name}-USDT-SWAP", name, "USDT", coarse, 2, coarse, 2)
    contract = CONTRACTS.get(name, "1")
    return [Instrument(*spot, stripped=True), Instrument(*swap, stripped=True, contract=contract)]


VENUE = Definition(
    name="okx",
    open=Okx,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_any=30, subscribe_within=30),
    lacks=frozenset(),
    options=Options(),
)
