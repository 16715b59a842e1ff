"""Binance spot's past over REST: candles and recent trades.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints (klines, trades)
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, field

from producers.families.binance_history import Source, make_history
from producers.normalize.numbers import Milliseconds, Whole


class _Trade(Struct, gc=False):
    """`{"id":5500000001,"price":"91000.10","qty":"0.0031","time":1763700000122,"isBuyerMaker":true}`."""

    number: Whole = field(name="id")
    price: str
    amount: str = field(name="qty")
    time: Milliseconds
    is_buyer_maker: bool = field(name="isBuyerMaker")


HISTORY: Final = make_history(
    Source(
        candles_path="/api/v3/klines",
        candles_weight=lambda _limit: 2,
        trades_path="/api/v3/trades",
        trades_weight=25,
        read_trade=msgspec.json.Decoder(_Trade).decode,
    )
)
