"""Bybit's plain frames as tables: trades but of inverse contracts; tickers, their funding and open interest."""

from __future__ import annotations

from functools import cache, partial
from typing import Final

from contracts.instrument import INVERSE, PERP
from producers.normalize.tables import (
    FRAME,
    Decode,
    Table,
    amount,
    chosen,
    coins,
    ident,
    integer,
    name,
    percent,
    price,
    signed,
    time,
)
from producers.venues.bybit.events import FUNDING_FIELDS, INTEREST_FIELDS, restore
from producers.venues.bybit.topics import Topic
from producers.venues.bybit.wire import MS

_TRADES: Final = Table(
    (
        {
            "id": ident("data[].i"),
            "ts_event": time("data[].T", MS),
            "trade_id": name("data[].i"),
            "price": price("data[].p"),
            "amount": amount("data[].v"),
            "side": chosen("data[].S", {"Buy": "buy", "Sell": "sell"}),
            "seq": integer("data[].seq", or_null=True),
        },
    ),
)
_STAMP: Final = {"id": ident("cs", "ts", FRAME), "ts_event": time("ts", MS)}
_TICKER: Final = {
    **_STAMP,
    "last": price("data.lastPrice", or_null=True),
    "bid": price("data.bid1Price", or_null=True),
    "bid_amount": coins("data.bid1Size", or_null=True, of_price="data.bid1Price"),
    "ask": price("data.ask1Price", or_null=True),
    "ask_amount": coins("data.ask1Size", or_null=True, of_price="data.ask1Price"),
    "open_24h": price("data.prevPrice24h", or_null=True),
    "high_24h": price("data.highPrice24h", or_null=True),
    "low_24h": price("data.lowPrice24h", or_null=True),
    "change_24h": percent("data.price24hPcnt", or_null=True),
    "seq": integer("cs"),
}
_FUNDING: Final = {
    **_STAMP,
    "rate": signed("data.fundingRate", or_null=True),
    "next_ts": time("data.nextFundingTime", MS, text=True, or_null=True),
    "mark_price": price("data.markPrice", or_null=True),
    "index_price": price("data.indexPrice", or_null=True),
}
_CHECKS: Final = (
    chosen("type", {"snapshot": None, "delta": None}),
    *(_FUNDING[name] for name in ("rate", "mark_price", "index_price")),
    *(amount(f"data.{name}", or_null=True) for name in ("nextFundingTime", "openInterest", "openInterestValue")),
)


def with_table(decode: Decode, topic: Topic) -> Decode:
    """Return what decodes a topic, by a table where that has one."""
    make, tail = topic.make, topic.instrument.tail
    if topic.kind == "trade" and not topic.is_inverse:
        return _TRADES.reader(decode, ((make.trade, topic.id_start),))
    if topic.kind != "ticker" or topic.detail:
        return decode
    pays = topic.instrument.contract in {PERP, INVERSE}
    funding = ((make.funding, f"{tail}.funding."),) if pays else ()
    makers = ((make.ticker, topic.id_start), *funding, (make.interest, f"{tail}.interest."))
    return _tickers(pays, topic.is_inverse).reader(decode, makers, topic.instrument, partial(restore, topic))


@cache
def _tickers(pays: bool, inverse: bool) -> Table:  # noqa: FBT001 - a cache's key
    """Return the table of tickers; inverse contracts count USD, and their turnover and value are in the coin."""
    volume, turnover = (amount(f"data.{name}", or_null=True) for name in ("volume24h", "turnover24h"))
    size, value = (amount(f"data.{name}", or_null=True) for name in ("openInterest", "openInterestValue"))
    ticker = _TICKER | {
        "volume_24h": turnover if inverse else volume,
        "quote_volume_24h": volume if inverse else turnover,
    }
    interest = _STAMP | {"amount": value if inverse else size, "value": size if inverse else value}
    if inverse:
        interest["contracts"] = size
    needed = (_paths(FUNDING_FIELDS),) if pays else ()
    return Table(
        (ticker, *((_FUNDING,) if pays else ()), interest),
        checks=_CHECKS,
        only_with=((), *needed, _paths(INTEREST_FIELDS)),
        merged="data",
    )


def _paths(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"data.{name}" for name in sorted(names))
