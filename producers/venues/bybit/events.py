"""Bybit's frames to events, one function a topic: trades, books, liquidations, candles, and merged tickers.

`tickers` come as partial updates, which are merged into a copy of what the topic said before. The copy is kept once all
events of the frame are made: a frame that cannot be read changes nothing.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from msgspec import convert
from msgspec.structs import astuple

from contracts.arithmetic.decimals import are_prices
from contracts.errors import FrameError
from contracts.instrument import INVERSE, PERP
from producers.normalize import numbers, sizes
from producers.normalize.ids import distinct
from producers.venue import Decoded
from producers.venues.bybit import wire
from producers.venues.bybit.topics import Topic
from producers.venues.bybit.wire import MS

_SIDES: Final = {"Buy": "buy", "Sell": "sell"}
_FORCED: Final = {"Buy": ("long", "sell"), "Sell": ("short", "buy")}  # the side of a position: it, and its order's side
_TIMEFRAMES: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "240": "4h",
    "360": "6h",
    "720": "12h",
    "D": "1d",
    "W": "1w",
    "M": "1M",
}
State = dict[str, str | None]
_BEST: Final = {"bid1Price": "bid", "bid1Size": "bid_amount", "ask1Price": "ask", "ask1Size": "ask_amount"}
_KEYS: Final = tuple(_BEST.get(name, name) for name in wire.Ticker.__struct_fields__)
_SIGNED: Final = frozenset({"price24hPcnt", "fundingRate"})
_PRICES: Final = frozenset(
    {"lastPrice", "prevPrice24h", "highPrice24h", "lowPrice24h", "bid", "ask", "markPrice", "indexPrice"}
)
FUNDING_FIELDS: Final = frozenset({"fundingRate", "nextFundingTime", "markPrice", "indexPrice"})
INTEREST_FIELDS: Final = frozenset({"openInterest", "openInterestValue"})
_TRADED: Final = ("data.p", "data.v")
_NEVER: Final = "0"  # the next funding time of what has no funding


def decode_trades(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read trades. Block trades (`BT`) and fills of retail price improvement orders (`RPI`) are trades as well."""
    make, id_start = topic.make.trade, topic.id_start
    found: list[Decoded] = []
    for row in wire.decode_trades(frame).data:
        price, size = numbers.traded(row.p, row.v, _TRADED)
        amount, contracts = topic.sizes(size, price) if topic.is_inverse else (size, None)
        if not row.i:
            raise FrameError("data.i is empty", field="data.i")
        found.append(
            make(
                id=id_start + row.i,
                ts_event=row.T * MS,
                ts_recv=ts_recv,
                trade_id=row.i,
                price=price,
                amount=amount,
                contracts=contracts,
                side=_SIDES[row.S],
                seq=row.seq,
            )
        )
    return found


def decode_book(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read a book of 50 levels and more. `u` counts the topic's pushes; 1 is a restart, so a whole book."""
    book = wire.decode_book(frame)
    data = book.data
    whole = book.type == "snapshot" or data.u == 1
    bids = numbers.raw_levels(data.b, "data.b", whole=whole)
    asks = numbers.raw_levels(data.a, "data.a", whole=whole)
    unit = "base"
    if topic.is_inverse:
        bids, asks, unit = sizes.book(topic.instrument, numbers.rows_of(bids), numbers.rows_of(asks))
    return (
        topic.make.delta(
            id=f"{topic.id_start}{topic.detail}-{data.u}-{book.ts}",
            ts_event=book.ts * MS,
            ts_recv=ts_recv,
            bids=bids,
            asks=asks,
            seq=data.u,
            prev_seq=None if whole else data.u - 1,
            is_snapshot=whole,
            unit=unit,
        ),
    )


def decode_liquidations(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read a batch of liquidations, which are all that there were. Equal rows of one frame are numbered."""
    seen: dict[str, int] = {}
    found: list[Decoded] = []
    for row in wire.decode_liquidations(frame).data:
        native = f"{row.T}-{row.S}-{row.p}-{row.v}"
        found.append(_liquidation(topic, ts_recv, (row, distinct(seen, native), False)))
    return found


def decode_old_liquidation(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read the former topic: at most one a second and symbol; its side too is the position's."""
    data = wire.decode_old_liquidation(frame).data
    row = wire.Liquidation(T=data.updatedTime, S=data.side, v=data.size, p=data.price)
    return (_liquidation(topic, ts_recv, (row, f"{row.T}-{row.S}-{row.p}-{row.v}", True)),)


def _liquidation(topic: Topic, ts_recv: int, read: tuple[wire.Liquidation, str, bool]) -> Decoded:
    row, native, sampled = read
    price = numbers.price_text(row.p, "data.p")
    amount, contracts = topic.sizes(numbers.unsigned(row.v, "data.v"), price)
    position, order = _FORCED[row.S]
    return topic.make.liquidation(
        id=topic.id_start + native,
        ts_event=row.T * MS,
        ts_recv=ts_recv,
        price=price,
        price_kind="bankruptcy",
        amount=amount,
        contracts=contracts,
        position_side=position,
        order_side=order,
        sampled=sampled,
    )


def decode_candles(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read candles; an inverse contract's volume counts USD, its turnover the coin.

    `timestamp` is that of the last trade: another one may come within the same ms, so that the volume is in the id.
    """
    timeframe = _TIMEFRAMES.get(topic.detail)
    if timeframe is None:
        raise FrameError(f"unknown kline interval {topic.detail!r}", field="topic")
    found: list[Decoded] = []
    for row in wire.decode_candles(frame).data:
        volume = numbers.unsigned(row.volume, "data.volume")
        turnover = numbers.unsigned(row.turnover, "data.turnover")
        end = "-closed" if row.confirm else ""
        found.append(
            topic.make.candle(
                id=f"{topic.id_start}{timeframe}-{row.start}-{row.timestamp}-{volume}{end}",
                ts_event=row.timestamp * MS,
                ts_recv=ts_recv,
                timeframe=timeframe,
                open=numbers.price_text(row.open, "data.open"),
                high=numbers.price_text(row.high, "data.high"),
                low=numbers.price_text(row.low, "data.low"),
                close=numbers.price_text(row.close, "data.close"),
                volume=turnover if topic.is_inverse else volume,
                quote_volume=volume if topic.is_inverse else turnover,
                trades=None,
                closed=row.confirm,
                start_ts=row.start * MS,
            )
        )
    return found


def decode_tickers(topic: Topic, frame: bytes, ts_recv: int) -> list[Decoded]:
    """Read `tickers`: a snapshot or what changed since; contracts say funding and open interest in the same frame."""
    message = wire.decode_tickers(frame)
    said = _figures(message.data)
    state = said if message.type == "snapshot" else topic.state | said
    native, ts = f"{message.cs}-{message.ts}-{crc32(frame):08x}", message.ts
    found = [_ticker(topic, state, ts_recv, (native, ts, message.cs))]
    if topic.instrument.contract in {PERP, INVERSE} and not FUNDING_FIELDS.isdisjoint(said):
        found.append(_funding(topic, state, ts_recv, (native, ts)))
    if not INTEREST_FIELDS.isdisjoint(said):
        found.append(_interest(topic, state, ts_recv, (native, ts)))
    topic.state = state
    return found


def restore(topic: Topic, texts: dict[str, str]) -> None:
    """Go on from what frames said that were read by a table, by their paths."""
    said = {path.removeprefix("data."): text for path, text in texts.items()}
    topic.state = _figures(convert(said, wire.Ticker))


def decode_best(topic: Topic, frame: bytes, ts_recv: int) -> tuple[Decoded]:
    """Read `orderbook.1`, which has snapshots only today; a delta (older recordings) changes the side that it names."""
    book = wire.decode_book(frame)
    state: State = {} if book.type == "snapshot" else topic.state.copy()
    for side, rows in (("bid", book.data.b), ("ask", book.data.a)):
        for price, amount in numbers.rows_of(numbers.raw_levels(rows, f"data.{side[0]}")):
            if amount != "0":
                state[side], state[f"{side}_amount"] = price, amount
            elif state.get(side) == price:
                state[side] = state[f"{side}_amount"] = None
    best = _ticker(topic, state, ts_recv, (f"bbo-{book.data.u}-{book.ts}", book.ts, book.data.seq))
    topic.state = state
    return (best,)


def _figures(data: wire.Ticker) -> State:
    """Return the figures that a frame has, checked; an empty text is a null, and so is a price of zero."""
    said: State = {key: value for key, value in zip(_KEYS, astuple(data), strict=True) if value is not wire.UNSET}
    signed = {key: numbers.plain(text, key) if (text := said.pop(key)) else None for key in _SIGNED if key in said}
    if are_prices(tuple(said.values())):  # as nearly always: above zero, or null
        return said | signed
    texts = {key: text or "" for key, text in said.items()}
    if not numbers.are_optional(tuple(texts.values())):
        texts = {key: numbers.unsigned(text, key) if text else "" for key, text in texts.items()}
    return {key: numbers.positive(text) if key in _PRICES else text or None for key, text in texts.items()} | signed


def _ticker(topic: Topic, state: State, ts_recv: int, stamp: tuple[str, int, int | None]) -> Decoded:
    """Make a ticker of what was said so far; an inverse contract's volume counts USD, its turnover the coin."""
    get = state.get
    volume, turnover = get("volume24h"), get("turnover24h")
    change = get("price24hPcnt")
    return topic.make.ticker(
        id=topic.id_start + stamp[0],
        ts_event=stamp[1] * MS,
        ts_recv=ts_recv,
        last=get("lastPrice"),
        bid=get("bid"),
        bid_amount=_best_amount(topic, state, "bid"),
        ask=get("ask"),
        ask_amount=_best_amount(topic, state, "ask"),
        open_24h=get("prevPrice24h"),
        high_24h=get("highPrice24h"),
        low_24h=get("lowPrice24h"),
        volume_24h=turnover if topic.is_inverse else volume,
        quote_volume_24h=volume if topic.is_inverse else turnover,
        change_24h=None if change is None else numbers.percent(change),
        seq=stamp[2],
    )


def _best_amount(topic: Topic, state: State, side: str) -> str | None:
    amount, price = state.get(f"{side}_amount"), state.get(side)
    if amount is None or price is None:
        return None
    return topic.sizes(amount, price)[0] if topic.is_inverse else amount


def _funding(topic: Topic, state: State, ts_recv: int, stamp: tuple[str, int]) -> Decoded:
    get, native = state.get, stamp[0]
    next_time = get("nextFundingTime")
    return topic.make.funding(
        id=f"{topic.instrument.tail}.funding.{native}",
        ts_event=stamp[1] * MS,
        ts_recv=ts_recv,
        rate=get("fundingRate"),
        next_ts=None if next_time is None or next_time == _NEVER else wire.read_time(next_time, "nextFundingTime"),
        mark_price=get("markPrice"),
        index_price=get("indexPrice"),
    )


def _interest(topic: Topic, state: State, ts_recv: int, stamp: tuple[str, int]) -> Decoded:
    """Make open interest; an inverse contract's counts USD, and its value is in the coin."""
    size, value = state.get("openInterest"), state.get("openInterestValue")
    return topic.make.interest(
        id=f"{topic.instrument.tail}.interest.{stamp[0]}",
        ts_event=stamp[1] * MS,
        ts_recv=ts_recv,
        amount=value if topic.is_inverse else size,
        value=size if topic.is_inverse else value,
        contracts=size if topic.is_inverse else None,
    )
