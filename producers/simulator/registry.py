"""The simulated venues: one line a venue."""

from __future__ import annotations

from collections.abc import Callable

from producers.simulator.config import SimulatorConfig
from producers.simulator.listing import Listing
from producers.simulator.venue import Shelf, Venue
from producers.simulator.venues.binance import Binance

VENUE_TYPES: dict[str, Callable[[list[Listing], SimulatorConfig, Shelf], Venue]] = {
    "binance": Binance,
}
