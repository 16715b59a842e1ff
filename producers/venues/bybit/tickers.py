"""Bybit's tickers: partial updates merged into what the topic told before, with funding and open interest beside."""

from __future__ import annotations

from collections.abc import KeysView
from typing import Final

from msgspec.structs import astuple, replace

from contracts import market as events
from contracts.codec import fast
from contracts.instrument import INVERSE, PERP
from producers.venue import Decoded
from producers.venues.bybit import wire
from producers.venues.bybit.topic import MS, Topic

FastFunding = fast(events.Funding)
FastInterest = fast(events.OpenInterest)

_BEST: Final = {"bid1Price": "bid", "bid1Size": "bid_amount", "ask1Price": "ask", "ask1Size": "ask_amount"}
_NAMES: Final = {key: name for name, key in _BEST.items()}
_KEYS: Final = tuple(_BEST.get(name, name) for name in wire.Ticker.__struct_fields__)
_FUNDING_FIELDS: Final = frozenset({"fundingRate", "nextFundingTime", "markPrice", "indexPrice"})
_INTEREST_FIELDS: Final = frozenset({"openInterest", "openInterestValue"})
_NEVER: Final = "0"  # the next funding time of what has no funding


def decode_tickers(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read `tickers`: a snapshot or what changed since; contracts tell funding and open interest in the same frame."""
    message = wire.decode_tickers(frame)
    if message.type == "snapshot":
        topic.state.clear()
    told = _merge(topic.state, message.data)
    native, ts = f"{message.cs}-{message.ts}", message.ts
    found = [_ticker(topic, ts_recv, (native, ts, message.cs))]
    if topic.instrument.contract in {PERP, INVERSE} and not _FUNDING_FIELDS.isdisjoint(told):
        found.append(_funding(topic, ts_recv, (native, ts)))
    if not _INTEREST_FIELDS.isdisjoint(told):
        found.append(_interest(topic, ts_recv, (native, ts)))
    return found


def decode_best(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `orderbook.1`, which has snapshots only today; a delta (older recordings) changes the side that it names."""
    book = wire.decode_book(frame)
    state = topic.state
    if book.type == "snapshot":
        state.clear()
    for side, rows in (("bid", book.data.b), ("ask", book.data.a)):
        for price, amount in wire.read_levels(rows, whole=True):
            if amount != "0":
                state[side], state[f"{side}_amount"] = price, amount
            elif state.get(side) == price:
                state[side] = state[f"{side}_amount"] = None
    return (_ticker(topic, ts_recv, (f"bbo-{book.data.u}-{book.ts}", book.ts, book.data.seq)),)


def _merge(state: dict[str, str | None], data: wire.Ticker) -> KeysView[str]:
    """Keep what the frame says; gives the names of the fields that it has. An empty text is a null."""
    told = {key: value for key, value in zip(_KEYS, astuple(data), strict=True) if value is not wire.UNSET}
    if not wire.are_plain(told.values()):
        for key, value in told.items():
            wire.optional_number(value, _NAMES.get(key, key))
    state.update(told)
    if "" in told.values():
        state.update({key: None for key, value in told.items() if not value})
    return told.keys()


def _ticker(topic: Topic, ts_recv: int, stamp: tuple[str, int, int | None]) -> Decoded:
    """Make a ticker of what was told so far; an inverse contract's volume counts USD, its turnover the coin."""
    get = topic.state.get
    volume, turnover = get("volume24h"), get("turnover24h")
    change = get("price24hPcnt")
    return replace(
        topic.ticker,
        id=topic.id_start + stamp[0],
        ts_event=stamp[1] * MS,
        ts_recv=ts_recv,
        last=get("lastPrice"),
        bid=get("bid"),
        bid_amount=_best_amount(topic, "bid"),
        ask=get("ask"),
        ask_amount=_best_amount(topic, "ask"),
        open_24h=get("prevPrice24h"),
        high_24h=get("highPrice24h"),
        low_24h=get("lowPrice24h"),
        volume_24h=turnover if topic.is_inverse else volume,
        quote_volume_24h=volume if topic.is_inverse else turnover,
        change_24h=None if change is None else wire.percent(change),
        seq=stamp[2],
    )


def _best_amount(topic: Topic, side: str) -> str | None:
    amount, price = topic.state.get(f"{side}_amount"), topic.state.get(side)
    if amount is None or not topic.is_inverse:
        return amount
    return None if price is None else topic.sizes(amount, price)[0]


def _funding(topic: Topic, ts_recv: int, stamp: tuple[str, int]) -> Decoded:
    get, native = topic.state.get, stamp[0]
    next_time = get("nextFundingTime")
    return FastFunding(
        id=f"{topic.instrument.tail}.funding.{native}",
        **topic.common(stamp[1], ts_recv),
        rate=get("fundingRate"),
        next_ts=None if next_time is None or next_time == _NEVER else int(next_time) * MS,
        mark_price=get("markPrice"),
        index_price=get("indexPrice"),
    )


def _interest(topic: Topic, ts_recv: int, stamp: tuple[str, int]) -> Decoded:
    """Make open interest; an inverse contract's counts USD, and its value is in the coin."""
    size, value = topic.state.get("openInterest"), topic.state.get("openInterestValue")
    return FastInterest(
        id=f"{topic.instrument.tail}.interest.{stamp[0]}",
        **topic.common(stamp[1], ts_recv),
        amount=value if topic.is_inverse else size,
        value=size if topic.is_inverse else value,
        contracts=size if topic.is_inverse else None,
    )
