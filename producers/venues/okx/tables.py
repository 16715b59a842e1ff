"""OKX's plain frames as tables: trades and tickers of spot, whose sizes are coins."""

from __future__ import annotations

from typing import Final

from contracts.instrument import SPOT
from producers.normalize.tables import Decode, Table, amount, chosen, digits, ident, integer, price, time
from producers.venues.okx import wire
from producers.venues.okx.topics import Topic

_FIGURES: Final = tuple(f"data[].{name}" for name in wire.Ticker.__struct_fields__[1:])  # all but the time
_TRADES: Final = Table(
    (
        {
            "id": ident("data[].tradeId"),
            "ts_event": time("data[].ts", wire.MS, text=True),
            "trade_id": digits("data[].tradeId"),
            "price": price("data[].px"),
            "amount": amount("data[].sz"),
            "side": chosen("data[].side", {"buy": "buy", "sell": "sell"}),
            "seq": integer("data[].seqId", or_null=True),
        },
    ),
    checks=(chosen("data[].count", {"1": None}, or_absent=True),),
)

_TICKERS: Final = Table(
    (
        {
            "id": ident("data[].ts", figures=_FIGURES),
            "ts_event": time("data[].ts", wire.MS, text=True),
            "last": price("data[].last", or_null=True),
            "bid": price("data[].bidPx", or_null=True),
            "bid_amount": amount("data[].bidSz", or_null=True, of_price="data[].bidPx"),
            "ask": price("data[].askPx", or_null=True),
            "ask_amount": amount("data[].askSz", or_null=True, of_price="data[].askPx"),
            "open_24h": price("data[].open24h", or_null=True),
            "high_24h": price("data[].high24h", or_null=True),
            "low_24h": price("data[].low24h", or_null=True),
            "volume_24h": amount("data[].vol24h", or_null=True),
            "quote_volume_24h": amount("data[].volCcy24h", or_null=True),
        },
    ),
)  # of spot: of contracts there is something to be multiplied


def with_table(decode: Decode, *, topic: Topic, channel: str) -> Decode:
    """Return what decodes an instrument's channel, by a table where that has one."""
    if topic.instrument.contract != SPOT:
        return decode
    if channel == "trades":
        return _TRADES.reader(decode, ((topic.make.trade, f"{topic.tail}.trade."),))
    if channel == "tickers":
        return _TICKERS.reader(decode, ((topic.make.ticker, f"{topic.tail}.ticker.{channel}-"),))
    return decode
