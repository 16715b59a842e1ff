"""Advanced Trade's frames as typed structs.

Channels and fields: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec


class Trade(msgspec.Struct):
    """`{"trade_id":"10","product_id":"BTC-USD","price":"91000.16","size":"0.05","side":"SELL","time":"…"}`."""

    product_id: str
    trade_id: str
    price: str
    size: str
    time: str
    side: str


class Trades(msgspec.Struct):
    """One event of channel `market_trades`."""

    trades: list[Trade]


class Ticker(msgspec.Struct):
    """`{"type":"ticker","product_id":"BTC-USD","price":"91000.16","volume_24_h":"42.5","low_24_h":"89000","high_24_h":
    "91500","price_percent_chg_24_h":"1.85","best_bid":"91000.15","best_bid_quantity":"0.6","best_ask":"91000.16",
    "best_ask_quantity":"0.2"}`; ticker_batch has no best bid and ask.
    """  # noqa: D205

    product_id: str
    price: str | None = None
    volume_24_h: str | None = None
    low_24_h: str | None = None
    high_24_h: str | None = None
    price_percent_chg_24_h: str | None = None
    best_bid: str | None = None
    best_bid_quantity: str | None = None
    best_ask: str | None = None
    best_ask_quantity: str | None = None


class Tickers(msgspec.Struct):
    """One event of channels `ticker` and `ticker_batch`."""

    tickers: list[Ticker]


class Change(msgspec.Struct):
    """`{"side":"offer","event_time":"…","price_level":"91000.1","new_quantity":"0.5"}`."""

    side: Literal["bid", "offer"]
    price_level: str
    new_quantity: str


class Level2(msgspec.Struct):
    """One event of channel `l2_data`: changed levels, or the whole book."""

    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[Change]


class Candle(msgspec.Struct):
    """`{"start":"1763755200","high":"91500","low":"89000","open":"90000","close":"91000","volume":"42.5","product_id":
    "BTC-USD"}`: `start` in seconds.
    """  # noqa: D205

    product_id: str
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class Candles(msgspec.Struct):
    """One event of channel `candles`."""

    candles: list[Candle]


class Subscribed(msgspec.Struct):
    """One event of channel `subscriptions`: products by channel."""

    subscriptions: dict[str, list[str]]


class TradesFrame(msgspec.Struct):
    """A frame of channel `market_trades`."""

    events: list[Trades]


class TickersFrame(msgspec.Struct):
    """A frame of channels `ticker` and `ticker_batch`."""

    timestamp: str
    events: list[Tickers]


class Level2Frame(msgspec.Struct):
    """A frame of channel `l2_data`."""

    timestamp: str
    events: list[Level2]


class CandlesFrame(msgspec.Struct):
    """A frame of channel `candles`."""

    timestamp: str
    events: list[Candles]


class SubscriptionsFrame(msgspec.Struct):
    """A frame of channel `subscriptions`."""

    events: list[Subscribed]


decode_trades: Final = msgspec.json.Decoder(TradesFrame).decode
decode_tickers: Final = msgspec.json.Decoder(TickersFrame).decode
decode_level2: Final = msgspec.json.Decoder(Level2Frame).decode
decode_candles: Final = msgspec.json.Decoder(CandlesFrame).decode
decode_subscriptions: Final = msgspec.json.Decoder(SubscriptionsFrame).decode
