"""The plain frames of the Exchange feed as tables: trades and tickers."""

from __future__ import annotations

from typing import Final

from producers.normalize.tables import FRAME, Table, amount, chosen, date, digits, ident, integer, price

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
