"""Kraken's plain frames as tables: trades and tickers."""

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
from producers.venues.kraken.topics import Pair

Pairs = Mapping[str, Pair]

TRADES: Final = Table(
    (
        {
            "id": ident("data[].trade_id"),
            "ts_event": date("data[].timestamp"),
            "trade_id": digits("data[].trade_id", text=False),
            "price": price("data[].price", text=False),
            "amount": amount("data[].qty", text=False),
            "side": chosen("data[].side", {"buy": "buy", "sell": "sell"}),
            "seq": integer("data[].trade_id"),
        },
    ),
    checks=(chosen("type", {"update": None}),),  # the rows of a snapshot are to be sorted
    owner="data[].symbol",
)

TICKERS: Final = Table(
    (
        {
            "id": ident(TIME, FRAME),
            "ts_event": date("data[0].timestamp", or_null=True),
            "last": price("data[0].last", text=False),
            "bid": price("data[0].bid", text=False, or_null=True),
            "bid_amount": amount("data[0].bid_qty", text=False, or_null=True, of_price="data[0].bid"),
            "ask": price("data[0].ask", text=False, or_null=True),
            "ask_amount": amount("data[0].ask_qty", text=False, or_null=True, of_price="data[0].ask"),
            "high_24h": price("data[0].high", text=False, or_null=True),
            "low_24h": price("data[0].low", text=False, or_null=True),
            "volume_24h": amount("data[0].volume", text=False, or_null=True),
            "change_24h": signed("data[0].change_pct", text=False, or_null=True),
        },
    ),
    checks=(chosen("type", {"update": None, "snapshot": None}),),
    owner="data[0].symbol",
)


def trade_makers(pairs: Pairs, symbol: str) -> MakersOfEvents | None:
    """Return the makers of a pair's trades; None before it was met."""
    pair = pairs.get(symbol)
    return None if pair is None else ((pair.trade, pair.trade_id),)


def ticker_makers(pairs: Pairs, symbol: str) -> MakersOfEvents | None:
    """Return the makers of a pair's tickers; None before it was met."""
    pair = pairs.get(symbol)
    return None if pair is None else ((pair.ticker, f"{pair.tail}.ticker."),)
