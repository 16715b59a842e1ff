"""Binance USD-M's past over REST: candles and recent trades.

Trades are the aggregated ones (`aggTrades`): they have the numbers of the socket's `aggTrade`, which the single ones of
`trades` have not.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Kline-Candlestick-Data
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Compressed-Aggregate-Trades-List
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, field

from producers.families.binance_history import MOST, Source, make_history
from producers.normalize.numbers import Milliseconds, Whole

_WEIGHTS: Final = ((99, 1), (499, 2), (MOST, 5))  # up to so many candles: what they weigh


class _Trade(Struct, gc=False):
    """`{"a":26129,"p":"91000.10","q":"0.031","f":27781,"l":27783,"T":1763700000122,"m":true}`."""

    number: Whole = field(name="a")
    price: str = field(name="p")
    amount: str = field(name="q")
    time: Milliseconds = field(name="T")
    is_buyer_maker: bool = field(name="m")


HISTORY: Final = make_history(
    Source(
        candles_path="/fapi/v1/klines",
        candles_weight=lambda limit: next(weight for most, weight in _WEIGHTS if limit <= most),
        trades_path="/fapi/v1/aggTrades",
        trades_weight=20,
        read_trade=msgspec.json.Decoder(_Trade).decode,
        mark="a",
    )
)
