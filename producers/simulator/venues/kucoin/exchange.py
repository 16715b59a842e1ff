"""KuCoin spot: token, classic sockets, public REST.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
"""

from __future__ import annotations

from typing import Any

from producers.simulator.families.kucoin.classic import Classic, Product
from producers.simulator.families.kucoin.options import Options
from producers.simulator.venue import Setup
from producers.simulator.venues.kucoin.channels import open_topic
from producers.simulator.venues.kucoin.rest import KucoinRest


def open_exchange(setup: Setup[Options]) -> Classic:
    """Return the spot exchange."""
    listings = {item.instrument.symbol: item for item in setup.listings}
    return Classic(setup, listings, Product(open_topic, KucoinRest(listings, setup.snapshots).answer, _cross))


def _cross(data: dict[str, Any], price: str) -> None:
    data["changes"]["bids"].append([price, "1", str(data["sequenceEnd"])])
