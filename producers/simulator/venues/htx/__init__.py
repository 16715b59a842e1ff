"""HTX as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://www.htx.com/en-us/opend/newApiPages/?id=7ec4a4da-7773-11ed-9966-0242ac110003
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.htx.exchange import Htx

# What a contract is worth in the base coin (0.1 where not named).
CONTRACTS = {"BTC": "0.001", "ETH": "0.01", "BNB": "0.001", "XRP": "10", "ADA": "10", "DOGE": "100"}


def list_instruments(base: Base) -> list[Instrument]:
    """A pair, and a swap that is counted in contracts."""
    name, fine, lots, coarse = base.name, base.fine, base.lots, base.coarse
    spot = (VENUE.name, "spot", f"{name}USDT".lower(), name, "USDT", fine, lots, fine, lots)
    swap = (VENUE.name, "linear", f"{name}-USDT", name, "USDT", coarse, 0, coarse, 0)
    contract = CONTRACTS.get(name, "0.1")
    return [Instrument(*spot, stripped=True), Instrument(*swap, stripped=True, contract=contract)]


VENUE = Definition(
    name="htx",
    open=Htx,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(ping_every=5, pong_within=10),
    lacks=frozenset({"bad_checksum", "partial_ack", "reset"}),
    options=None,
)
