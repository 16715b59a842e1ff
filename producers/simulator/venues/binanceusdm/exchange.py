"""Binance USD-M futures: routed sockets `/public` and `/market`, REST `/fapi/v1`.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from __future__ import annotations

import re

from producers.simulator.families.binance.exchange import Exchange, Product
from producers.simulator.families.binance.options import Options
from producers.simulator.venue import Setup
from producers.simulator.venues.binanceusdm.channels import find_stream
from producers.simulator.venues.binanceusdm.rest import BinanceUsdmRest

ROUTES = ("/public", "/market")
PUBLIC = re.compile(r"@(bookTicker|trade|depth|rpiDepth)|^!bookTicker")


def open_exchange(setup: Setup[Options]) -> Exchange:
    """Return the futures exchange; each stream is served on one route only."""
    listings = {item.instrument.symbol: item for item in setup.listings}
    rest = BinanceUsdmRest(listings, setup.snapshots)
    product = Product(
        routes=ROUTES,
        find_stream=find_stream,
        answer=rest.answer,
        per_second=10,
        weight=2400,
        is_served=lambda route, name: bool(PUBLIC.search(name)) == (route == "/public"),
    )
    return Exchange(setup, listings, product)
