"""The plain frames of Kraken Futures as tables: trades."""

from __future__ import annotations

from typing import Final

from producers.normalize.tables import Table, amount, chosen, ident, integer, name, price, time
from producers.venues.krakenfutures.wire import MS

TRADES: Final = Table(
    (
        {
            "id": ident("uid"),
            "ts_event": time("time", MS),
            "trade_id": name("uid"),
            "price": price("price", text=False),
            "amount": amount("qty", text=False),
            "side": chosen("side", {"buy": "buy", "sell": "sell"}),
            "seq": integer("seq", or_null=True),
        },
    ),
    checks=(chosen("type", {"fill": None, "block": None}, or_absent=True),),
    owner="product_id",
)  # of products that count coins, as long as no number was passed over
