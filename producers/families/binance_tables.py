"""Binance's plain frames as tables: trades, best bids and offers."""

from __future__ import annotations

from typing import Final

from producers.normalize.tables import Table, Value, amount, chosen, either_time, integer, price


def trades(number: str, *checks: Value) -> Table:
    """Return the table of trades whose number is at a path."""
    return Table(
        (
            {
                "number": integer(number),
                "ts_event": either_time("data.T"),
                "price": price("data.p"),
                "amount": amount("data.q"),
                "side": chosen("data.m", {True: "sell", False: "buy"}),
            },
        ),
        checks=checks,
        owner="data.s",
    )


BOOK_TICKERS: Final = Table(
    (
        {
            "number": integer("data.u"),
            "ts_event": either_time("data.T", or_null=True),
            "bid": price("data.b"),
            "bid_amount": amount("data.B"),
            "ask": price("data.a"),
            "ask_amount": amount("data.A"),
            "seq": integer("data.u"),
        },
    ),
    owner="data.s",
)
