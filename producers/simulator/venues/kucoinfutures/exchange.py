"""KuCoin futures: token, classic sockets, public REST; it shows no liquidations.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
"""

from __future__ import annotations

from typing import Any

from producers.simulator.families.kucoin.classic import Classic, Product
from producers.simulator.families.kucoin.options import Options
from producers.simulator.venue import Setup
from producers.simulator.venues.kucoinfutures.channels import open_topic
from producers.simulator.venues.kucoinfutures.rest import KucoinFuturesRest


def open_exchange(setup: Setup[Options]) -> Classic:
    """Return the futures exchange."""
    listings = {item.instrument.symbol: item for item in setup.listings}
    return Classic(setup, listings, Product(open_topic, KucoinFuturesRest(listings, setup.snapshots).answer, _cross))


def _cross(data: dict[str, Any], price: str) -> None:
    data["change"] = f"{price},buy,1"
