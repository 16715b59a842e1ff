"""Every venue that can be followed: one line a venue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from producers.venue import Venue
from producers.venues import (
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

VENUES: Final[Mapping[str, Venue]] = MappingProxyType(
    {
        venue.id: venue
        for venue in (
            binance.VENUE,
            binanceusdm.VENUE,
            bybit.VENUE,
            okx.VENUE,
            coinbase.VENUE,
            kraken.VENUE,
            krakenfutures.VENUE,
            htx.VENUE,
            gate.VENUE,
            kucoin.VENUE,
            kucoinfutures.VENUE,
            indodax.VENUE,
            hyperliquid.VENUE,
            deribit.VENUE,
            bitfinex.VENUE,
        )
    }
)
