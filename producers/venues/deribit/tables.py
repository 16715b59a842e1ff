"""Deribit's plain frames as tables: tickers, with the funding and the open interest that they say."""

from __future__ import annotations

from functools import cache
from typing import Final

from contracts.instrument import INVERSE, PERP
from producers.normalize.tables import FRAME, Decode, Table, Value, amount, coins, ident, price, signed, time
from producers.venues.deribit.topics import Topic
from producers.venues.deribit.wire import MS

_ROW: Final = "params.data"
_STAMP: Final = {"id": ident(f"{_ROW}.timestamp", FRAME), "ts_event": time(f"{_ROW}.timestamp", MS)}


def with_table(decode: Decode, *, topic: Topic, channel: str) -> Decode:
    """Return what decodes a channel, by a table where that has one."""
    if channel != "ticker" or topic.is_inverse != topic.instrument.is_inverse:
        return decode
    pays, make, tail = topic.instrument.contract in {PERP, INVERSE}, topic.make, topic.tail
    makers = [(make.ticker, f"{tail}.ticker."), (make.interest, f"{tail}.interest.")]
    if pays:
        makers.insert(1, (make.funding, f"{tail}.funding."))
    return _tickers(pays, topic.is_inverse).reader(decode, makers, topic.instrument)


@cache
def _tickers(pays: bool, inverse: bool) -> Table:  # noqa: FBT001 - a cache's key
    """Return the table of tickers, of what `pays` a funding, and of what counts dollars (`inverse`)."""
    mark = f"{_ROW}.mark_price"
    funding = {
        **_STAMP,
        "rate": _signed("current_funding"),
        "mark_price": _price("mark_price"),
        "index_price": _price("index_price"),
    }
    size = amount(f"{_ROW}.open_interest", text=False)
    interest = {**_STAMP, "amount": coins(size.path, text=False, of_price=mark if inverse else "")}
    if inverse:
        interest |= {"value": size, "contracts": size}
    return Table(
        (_ticker(inverse=inverse), *((funding,) if pays else ()), interest),
        checks=(_price("mark_price"),),
        only_with=((), *(((f"{_ROW}.current_funding",),) if pays else ()), (size.path,)),
    )


def _ticker(*, inverse: bool) -> dict[str, Value]:
    """Return a ticker's values; older frames of inverse contracts have their quote volume elsewhere."""
    return {
        **_STAMP,
        "last": _price("last_price"),
        "bid": _price("best_bid_price"),
        "bid_amount": _coins("best_bid_amount", "best_bid_price"),
        "ask": _price("best_ask_price"),
        "ask_amount": _coins("best_ask_amount", "best_ask_price"),
        "high_24h": _price("stats.high"),
        "low_24h": _price("stats.low"),
        "volume_24h": amount(f"{_ROW}.stats.volume", text=False, or_null=True),
        "quote_volume_24h": amount(f"{_ROW}.stats.volume_notional", text=False, or_null=not inverse),
        "change_24h": _signed("stats.price_change"),
    }


def _price(name: str) -> Value:
    return price(f"{_ROW}.{name}", text=False, or_null=True)


def _signed(name: str) -> Value:
    return signed(f"{_ROW}.{name}", text=False, or_null=True)


def _coins(name: str, price_name: str) -> Value:
    return coins(f"{_ROW}.{name}", text=False, or_null=True, of_price=f"{_ROW}.{price_name}")
