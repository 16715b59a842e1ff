"""Gate's trades, liquidations and candles as typed structs (pages: wire)."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from producers.venues.gate.wire import Envelope, Number, reader


class SpotTrade(Struct, gc=False):
    """`{"id":309143071,"id_market":2390902,"create_time_ms":"1606292218213.4578","side":"sell",…,"range":"7-9"}`.

    `side` is the taker's; digits behind the ms are microseconds and less. `id` is unique among all pairs, and is to be
    dropped some day; `id_market` grows by one within the pair, and `range` are the numbers that this print stands for.
    """

    side: Literal["buy", "sell"]
    currency_pair: str
    amount: Number
    price: Number
    create_time_ms: Number
    id: int | None = None
    id_market: int | None = None
    range: str | None = None


class SpotTrades(Struct, gc=False):
    """Channel `spot.trades`: one print a frame."""

    result: SpotTrade


class FuturesTrade(Struct, gc=False):
    """`{"id":1,"create_time":…,"create_time_ms":…,"contract":"ETH_USDT","size":"-0.25","price":"2171.44"}`.

    `size` is contracts, negative where the taker sold; frames of 2020 have seconds only.
    """

    id: int
    contract: str
    size: Number
    price: Number
    create_time: Number
    create_time_ms: Number | None = None


class FuturesTrades(Struct, gc=False):
    """Channel `futures.trades`."""

    result: list[FuturesTrade] | None


class Liquidation(Struct, gc=False):
    """`{"price":"215.1","size":"-124.5","time":1541486601123,"contract":"BTC_USDT"}`.

    `time` is in ms today, was in seconds, and was called `time_ms` in between.
    """

    contract: str
    price: Number
    size: Number
    time: int = 0
    time_ms: int = 0


class Liquidations(Struct, gc=False):
    """Channel `futures.public_liquidates`: rows, or one row alone (as clients saw it in August 2026)."""

    result: list[Liquidation] | Liquidation | None


class Candle(Struct, gc=False):
    """`{"t":"1606292580","v":"2362","c":"1","h":"1","l":"1","o":"1","n":"1m_BTC_USDT","a":"3.8","w":true}`.

    Spot: `v` counts the quote coin, `a` (not in frames of 2021) the base coin. Futures: `v` counts contracts.
    """

    t: Number
    v: Number
    c: Number
    h: Number
    l: Number
    o: Number
    n: str
    a: Number | None = None
    w: bool = False


class Candles(Envelope, kw_only=True, gc=False):
    """Channels `spot.candlesticks` (one row) and `futures.candlesticks` (rows)."""

    result: list[Candle] | Candle | None


read_spot_trades: Final = reader(SpotTrades)
read_futures_trades: Final = reader(FuturesTrades)
read_liquidations: Final = reader(Liquidations)
read_candles: Final = reader(Candles)
