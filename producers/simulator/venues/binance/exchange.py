"""Binance Spot: streams `/ws` and `/stream`, REST `/api/v3`.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

from producers.simulator.families.binance.exchange import Exchange, Product
from producers.simulator.families.binance.options import Options
from producers.simulator.venue import Setup
from producers.simulator.venues.binance.channels import find_stream
from producers.simulator.venues.binance.rest import BinanceRest


def open_exchange(setup: Setup[Options]) -> Exchange:
    """Return the spot exchange."""
    listings = {item.instrument.symbol: item for item in setup.listings}
    rest = BinanceRest(listings, setup.snapshots)
    product = Product(routes=("",), find_stream=find_stream, answer=rest.answer, per_second=5, weight=6000)
    return Exchange(setup, listings, product)
