"""Deribit's frames as typed structs, one a channel: JSON-RPC 2.0, times in ms, JSON numbers whose text is kept.

Pages: https://docs.deribit.com/articles/json-rpc-overview and https://docs.deribit.com/subscriptions/market-data.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from producers.normalize.numbers import NULL

MS: Final = 1_000_000  # nanoseconds
Side = Literal["buy", "sell"]


class Error(Struct):
    """`{"code":10028,"message":"too_many_requests","data":null}`."""

    code: int
    message: str = ""


class Params(Struct):
    """Of a notification: `{"channel":"trades.BTC-PERPETUAL.100ms","data":…}`; of a heartbeat `{"type":"heartbeat"}`."""

    channel: str | None = None
    type: str | None = None
    data: Raw = NULL


class Head(Struct):
    """What distinguishes frames: an answer has an `id`, a notification a `method`.

    `{"jsonrpc":"2.0","id":1,"result":["trades.BTC-PERPETUAL.100ms"],"usIn":1763700000000000,"usOut":…,"usDiff":9}`
    """

    id: int | None = None
    method: str | None = None
    params: Params | None = None
    result: Raw = NULL
    error: Error | None = None


class Trade(Struct, gc=False):
    """`{"trade_seq":20,"trade_id":"393","timestamp":1763700000000,"price":91000.5,"instrument_name":"BTC-PERPETUAL",
    "direction":"sell","amount":2000.0,"contracts":200.0,"liquidation":"T",…}`: the direction is the taker's.
    """  # noqa: D205

    trade_id: str
    trade_seq: int
    timestamp: int
    price: Raw
    amount: Raw
    direction: Side
    liquidation: Literal["M", "T", "MT"] | None = None
    instrument_name: str | None = None


class TradesData(Struct, gc=False):
    """The parameters of a push."""

    data: list[Trade]


class Trades(Struct, gc=False):
    """https://docs.deribit.com/subscriptions/trades/tradesinstrument_nameinterval."""

    params: TradesData


class Change(Struct, array_like=True, gc=False):
    """`["new",91000.0,500.0]`: the action ("new", "change", "delete"), the price, and the amount that is there now."""

    action: Literal["new", "change", "delete"]
    price: Raw
    amount: Raw


class Book(Struct, gc=False):
    """`{"type":"change","timestamp":1763700000000,"instrument_name":"BTC-PERPETUAL","change_id":12,"prev_change_id":11,
    "bids":[["change",91000.0,500.0]],"asks":[]}`.
    """  # noqa: D205

    timestamp: int
    change_id: int
    bids: list[Change]
    asks: list[Change]
    type: Literal["snapshot", "change"]
    prev_change_id: int | None = None


class BookData(Struct, gc=False):
    """The parameters of a push."""

    data: Book


class Books(Struct, gc=False):
    """https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval."""

    params: BookData


class Ladder(Struct, gc=False):
    """`{"timestamp":1763700000000,"instrument_name":"BTC-PERPETUAL","change_id":12,"bids":[[91000.0,500.0]],"asks":[]}`."""

    timestamp: int
    change_id: int
    bids: list[tuple[Raw, Raw]]
    asks: list[tuple[Raw, Raw]]


class LadderData(Struct, gc=False):
    """The parameters of a push."""

    data: Ladder


class Ladders(Struct, gc=False):
    """https://docs.deribit.com/subscriptions/orderbook/bookinstrument_namegroupdepthinterval: whole books."""

    params: LadderData


class Stats(Struct, frozen=True, gc=False):
    """`{"high":93612.0,"low":89277.5,"price_change":2.3275,"volume":118.9,"volume_usd":1092371.0,…}`."""

    high: Raw = NULL
    low: Raw = NULL
    volume: Raw = NULL
    volume_usd: Raw = NULL
    volume_notional: Raw = NULL
    price_change: Raw = NULL


class Ticker(Struct, gc=False):
    """`{"timestamp":1763700000000,"instrument_name":"BTC-PERPETUAL","best_bid_price":91000.0,"best_bid_amount":7000.0,
    "best_ask_price":91000.5,"best_ask_amount":250.0,"last_price":91000.5,"mark_price":91000.1,"index_price":91000.2,
    "open_interest":66128280,"current_funding":0.0,"funding_8h":0.0001,"stats":{…},"state":"open",…}`.
    """  # noqa: D205

    timestamp: int
    best_bid_price: Raw = NULL
    best_bid_amount: Raw = NULL
    best_ask_price: Raw = NULL
    best_ask_amount: Raw = NULL
    last_price: Raw = NULL
    mark_price: Raw = NULL
    index_price: Raw = NULL
    open_interest: Raw = NULL
    current_funding: Raw = NULL
    stats: Stats | None = None


class TickerData(Struct, gc=False):
    """The parameters of a push."""

    data: Ticker


class Tickers(Struct, gc=False):
    """https://docs.deribit.com/subscriptions/market-data/tickerinstrument_nameinterval; `quote` has the best only."""

    params: TickerData


class Candle(Struct, gc=False):
    """`{"tick":1763700000000,"open":8789.5,"high":8791.5,"low":8789.5,"close":8791.5,"volume":0.05,"cost":460.0}`."""

    tick: int
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    volume: Raw
    cost: Raw = NULL


class CandleData(Struct, gc=False):
    """The parameters of a push."""

    data: Candle


class Candles(Struct, gc=False):
    """https://docs.deribit.com/subscriptions/market-data/charttradesinstrument_nameresolution."""

    params: CandleData


decode_head: Final = msgspec.json.Decoder(Head).decode
decode_keys: Final = msgspec.json.Decoder(list[str]).decode
decode_trades: Final = msgspec.json.Decoder(Trades).decode
decode_books: Final = msgspec.json.Decoder(Books).decode
decode_ladders: Final = msgspec.json.Decoder(Ladders).decode
decode_tickers: Final = msgspec.json.Decoder(Tickers).decode
decode_candles: Final = msgspec.json.Decoder(Candles).decode
