"""KuCoin futures as a simulated venue: instruments, keep-alive rules, faults that its protocol cannot show.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
"""

from __future__ import annotations

from producers.simulator.families.kucoin.options import Options
from producers.simulator.hub import Heartbeat
from producers.simulator.market.instruments import Base, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues.kucoinfutures.exchange import open_exchange

# What a contract is worth in the base coin (1 where not named).
CONTRACTS = {
    **dict.fromkeys(("SOL", "LINK", "AVAX", "LTC"), "0.1"),
    **dict.fromkeys(("XRP", "ADA"), "10"),
    "BTC": "0.001",
    "ETH": "0.01",
    "BNB": "0.01",
    "DOGE": "100",
}


def list_instruments(base: Base) -> list[Instrument]:
    """A perpetual, counted in contracts.

    Books have one change a push: coarser prices and fewer orders keep the load like that of other venues.
    """
    name, scale = base.name, base.coarse - 1
    symbol = f"{'XBT' if name == 'BTC' else name}USDTM"
    terms = (VENUE.name, "linear", symbol, name, "USDT", scale, 0, scale, 0)
    return [Instrument(*terms, stripped=True, contract=CONTRACTS.get(name, "1"), pace=0.2)]


VENUE = Definition(
    name="kucoinfutures",
    open=open_exchange,
    list_instruments=list_instruments,
    heartbeat=Heartbeat(idle_inbound=28, lifetime=86_400),
    lacks=frozenset({"reset", "bad_checksum"}),
    options=Options(),
)
