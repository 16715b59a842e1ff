"""The simulated venues: one line a venue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from producers.simulator.market.instruments import BASES, Instrument
from producers.simulator.venue import Definition
from producers.simulator.venues import (
    binance,
    binanceusdm,
    bitfinex,
    bybit,
    coinbase,
    deribit,
    gate,
    htx,
    hyperliquid,
    indodax,
    kraken,
    krakenfutures,
    kucoin,
    kucoinfutures,
    okx,
)

VENUES: Final[Mapping[str, Definition[Any]]] = MappingProxyType(
    {
        venue.name: venue
        for venue in (
            binance.VENUE,
            binanceusdm.VENUE,
            bybit.VENUE,
            okx.VENUE,
            coinbase.VENUE,
            htx.VENUE,
            gate.VENUE,
            kraken.VENUE,
            krakenfutures.VENUE,
            kucoin.VENUE,
            kucoinfutures.VENUE,
            indodax.VENUE,
            hyperliquid.VENUE,
            deribit.VENUE,
            bitfinex.VENUE,
        )
    }
)


def list_instruments(venue: str, bases: tuple[str, ...]) -> list[Instrument]:
    """Return every instrument that `venue` lists for these bases; ValueError names an unknown venue or base."""
    if venue not in VENUES:
        raise ValueError(f"venue: {venue!r} is not simulated, one of {', '.join(VENUES)} is")
    for name in bases:
        if name not in BASES:
            raise ValueError(f"bases: {name!r} is unknown, one of {', '.join(BASES)} is")
    return [terms for name in bases for terms in VENUES[venue].list_instruments(BASES[name])]
