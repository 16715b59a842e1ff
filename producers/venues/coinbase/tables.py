"""Plain frames as tables: trades and tickers of the Exchange feed and of Advanced Trade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from producers.normalize.tables import (
    FRAME,
    TIME,
    MakersOfEvents,
    Table,
    amount,
    chosen,
    date,
    digits,
    ident,
    integer,
    price,
    signed,
)
from producers.venues.coinbase.topics import Product

Products = Mapping[str, Product]

TRADES: Final = Table(
    (
        {
            "id": ident("trade_id"),
            "ts_event": date("time"),
            "trade_id": digits("trade_id", text=False),
            "price": price("price"),
            "amount": amount("size"),
            "side": chosen("side", {"buy": "sell", "sell": "buy"}),
            "seq": integer("sequence"),
        },
    ),
    owner="product_id",
)

TICKERS: Final = Table(
    (
        {
            "id": ident("sequence", FRAME, or_zero=True),
            "ts_event": date("time", or_null=True),
            "last": price("price", or_null=True),
            "bid": price("best_bid", or_null=True),
            "bid_amount": amount("best_bid_size", or_null=True, of_price="best_bid"),
            "ask": price("best_ask", or_null=True),
            "ask_amount": amount("best_ask_size", or_null=True, of_price="best_ask"),
            "open_24h": price("open_24h", or_null=True),
            "high_24h": price("high_24h", or_null=True),
            "low_24h": price("low_24h", or_null=True),
            "volume_24h": amount("volume_24h", or_null=True),
            "seq": integer("sequence", or_null=True),
        },
    ),
    owner="product_id",
)

_TRADE: Final = "events[0].trades[0]"  # several of a frame are to be sorted
ADVANCED_TRADES: Final = Table(
    (
        {
            "id": ident(f"{_TRADE}.trade_id"),
            "ts_event": date(f"{_TRADE}.time"),
            "trade_id": digits(f"{_TRADE}.trade_id"),
            "price": price(f"{_TRADE}.price"),
            "amount": amount(f"{_TRADE}.size"),
            "side": chosen(f"{_TRADE}.side", {"BUY": "sell", "SELL": "buy"}),
        },
    ),
    owner=f"{_TRADE}.product_id",
)

_TICKER: Final = "events[0].tickers[0]"
ADVANCED_TICKERS: Final = Table(
    (
        {
            "id": ident(TIME, FRAME),
            "ts_event": date("timestamp"),
            "last": price(f"{_TICKER}.price", or_null=True),
            "bid": price(f"{_TICKER}.best_bid", or_null=True),
            "bid_amount": amount(f"{_TICKER}.best_bid_quantity", or_null=True, of_price=f"{_TICKER}.best_bid"),
            "ask": price(f"{_TICKER}.best_ask", or_null=True),
            "ask_amount": amount(f"{_TICKER}.best_ask_quantity", or_null=True, of_price=f"{_TICKER}.best_ask"),
            "high_24h": price(f"{_TICKER}.high_24_h", or_null=True),
            "low_24h": price(f"{_TICKER}.low_24_h", or_null=True),
            "volume_24h": amount(f"{_TICKER}.volume_24_h", or_null=True),
            "change_24h": signed(f"{_TICKER}.price_percent_chg_24_h", or_null=True),
        },
    ),
    owner=f"{_TICKER}.product_id",
)


def trade_makers(products: Products, product_id: str) -> MakersOfEvents | None:
    """Return the makers of a product's trades; None before it was met."""
    product = products.get(product_id)
    return None if product is None else ((product.trade, product.trade_id),)


def ticker_makers(products: Products, product_id: str) -> MakersOfEvents | None:
    """Return the makers of a product's tickers; None before it was met."""
    product = products.get(product_id)
    return None if product is None else ((product.ticker, product.ticker_id),)
