"""Gate as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://www.gate.com/docs/developers/apiv4/ws/en/#application-ping-pong
"""

from __future__ import annotations

from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.gate.exchange import Gate
from producers.simulator.venues.gate.options import Options

# What a contract is worth in the base coin (1 where not named), and the ones that trade in tenths of it.
CONTRACTS = {"BTC": "0.0001", "ETH": "0.01", "BNB": "0.001", "LTC": "0.1", "XRP": "10", "DOGE": "10", "ADA": "10"}
IN_TENTHS = ("ETH", "SOL", "XRP")


def list_instruments(base: Base) -> list[Instrument]:
    """A pair and a perpetual of one name; the perpetual is counted in contracts, some of them in tenths."""
    name, symbol, coarse, amounts = base.name, f"{base.name}_USDT", base.coarse, min(base.lots + 1, 6)
    tenths = int(name in IN_TENTHS)
    spot = (VENUE.name, "spot", symbol, name, "USDT", coarse, amounts, coarse, amounts)
    linear = (VENUE.name, "linear", symbol, name, "USDT", coarse, tenths, coarse, tenths)
    contract = CONTRACTS.get(name, "1")
    return [Instrument(*spot, stripped=True), Instrument(*linear, stripped=True, contract=contract)]


VENUE = Definition(
    name="gate",
    open=Gate,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(ping_every=20, pong_within=60),  # by protocol; the times are assumed
    lacks=frozenset({"partial_ack", "reset", "bad_checksum"}),
    options=Options(),
)
