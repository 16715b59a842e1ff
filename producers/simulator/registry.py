"""The simulated venues: one line a venue."""

from __future__ import annotations

from collections.abc import Callable

from producers.simulator.config import SimulatorConfig
from producers.simulator.listing import Listing
from producers.simulator.venue import Shelf, Venue
from producers.simulator.venues.binance import Binance
from producers.simulator.venues.binanceusdm import BinanceUsdm
from producers.simulator.venues.bitfinex import Bitfinex
from producers.simulator.venues.bybit import Bybit
from producers.simulator.venues.coinbase import Coinbase
from producers.simulator.venues.deribit import Deribit
from producers.simulator.venues.gate import Gate
from producers.simulator.venues.htx import Htx
from producers.simulator.venues.hyperliquid import Hyperliquid
from producers.simulator.venues.indodax import Indodax
from producers.simulator.venues.kraken import Kraken
from producers.simulator.venues.krakenfutures import KrakenFutures
from producers.simulator.venues.kucoin import Kucoin
from producers.simulator.venues.kucoinfutures import KucoinFutures
from producers.simulator.venues.okx import Okx

VENUE_TYPES: dict[str, Callable[[list[Listing], SimulatorConfig, Shelf], Venue]] = {
    "binance": Binance,
    "binanceusdm": BinanceUsdm,
    "bybit": Bybit,
    "okx": Okx,
    "htx": Htx,
    "coinbase": Coinbase,
    "kraken": Kraken,
    "krakenfutures": KrakenFutures,
    "gate": Gate,
    "kucoin": Kucoin,
    "kucoinfutures": KucoinFutures,
    "indodax": Indodax,
    "hyperliquid": Hyperliquid,
    "deribit": Deribit,
    "bitfinex": Bitfinex,
}
