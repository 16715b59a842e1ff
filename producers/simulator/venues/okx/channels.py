"""OKX's public channels: the texts of trades, books, tickers, liquidations and perpetual figures after a step.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from producers.simulator.hub import Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Channel, no_snapshot
from producers.simulator.venues.okx.options import Options
from producers.simulator.venues.okx.rows import (
    Levels,
    candle_row,
    find_bar,
    funding_row,
    interest_row,
    mark_row,
    rows_text,
    ticker_row,
    trade_row,
)
from producers.simulator.windows import Touch, View

SECOND_US = 1_000_000
IDLE_US = 60_000_000
REPEATED_MS = 3000


@dataclass(slots=True)
class Sequences:
    """What the venue shows as `seqId`: the book's own id, less what a restart took away."""

    offsets: dict[int, int] = field(default_factory=dict[int, int])

    def show(self, listing: Listing, update_id: int) -> int:
        return update_id - self.offsets.get(id(listing), 0)

    def of(self, listing: Listing) -> int:
        return self.show(listing, listing.book.update_id)

    def restart(self, listing: Listing) -> None:
        self.offsets[id(listing)] = listing.book.update_id - 1


def is_business(name: str) -> bool:
    """Return whether a channel is served at `/business`, and not at `/public`."""
    return name == "trades-all" or name.startswith("candle")


def open_channel(
    arg: dict[str, Any], listings: dict[str, Listing], sequences: Sequences, options: Options
) -> Channel | None:
    """The channel that a subscription's argument names; None when channel or instrument does not exist."""
    name, inst_id = str(arg.get("channel", "")), str(arg.get("instId", ""))
    if name == "liquidation-orders":
        if arg.get("instType") != "SWAP":
            return None
        swaps = [item for item in listings.values() if item.instrument.market == "linear"]
        sampler = Liquidations(arg, swaps, net=options.net_positions)
        return Channel("", "liquidations", sampler.list_texts, sampler.backlog)
    listing = listings.get(inst_id)
    if listing is None:
        return None
    if name == "books":
        books = Books(arg, listing, sequences)
        first = books.snapshot if options.book_snapshot else no_snapshot
        return Channel(inst_id, "depth", books.list_texts, first, is_delta=True)
    if name in ("books5", "bbo-tbt"):
        return _limited_book(arg, listing, sequences)
    if name in ("trades", "trades-all"):
        return _trades(arg, listing, sequences)
    if name.startswith("candle") and find_bar(name[6:]):
        return _candles(arg, listing, name[6:])
    return _figures(arg, listing)


class Books:
    """`books`: 400 levels, a snapshot, then updates chained by `prevSeqId`; `checksum` is always 0."""

    def __init__(self, arg: dict[str, Any], listing: Listing, sequences: Sequences) -> None:
        self._arg = encode(arg)
        self._listing = listing
        self._sequences = sequences
        self._view = View(listing, 400, 100, repeats=True)
        self._shown = sequences.show(listing, self._view.last_id)
        self._sent_us = 0

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._view.collect(tick)
        if change is None:
            if not self._sent_us or tick.now_us - self._sent_us < IDLE_US:
                self._sent_us = self._sent_us or tick.now_us
                return []
            self._sent_us = tick.now_us
            return [self._text(tick, "update", ([], []), (self._shown, self._shown))]
        self._sent_us = tick.now_us
        before, self._shown = self._shown, self._sequences.show(self._listing, change.last_id)
        return [self._text(tick, "update", (change.bids, change.asks), (before, self._shown))]

    def snapshot(self, tick: Tick) -> str:
        return self._text(tick, "snapshot", self._view.levels(), (-1, self._shown))

    def _text(self, tick: Tick, action: str, book: tuple[Levels, Levels], sequence: tuple[int, int]) -> str:
        bids, asks = rows_text(self._listing, book[0]), rows_text(self._listing, book[1])
        return (
            f'{{"arg":{self._arg},"action":"{action}","data":[{{"asks":{asks},"bids":{bids},"ts":"{tick.now_ms}",'
            f'"checksum":0,"seqId":{sequence[1]},"prevSeqId":{sequence[0]}}}]}}'
        )


class Liquidations:
    """`liquidation-orders`: at most the latest per contract and second; `side` is the order's side."""

    def __init__(self, arg: dict[str, Any], listings: list[Listing], *, net: bool) -> None:
        self._arg = arg
        self._listings = listings
        self._net = net
        self._latest: dict[str, dict[str, Any]] = {}
        self._sent_us: dict[str, int] = {}
        self._last: str | None = None

    def list_texts(self, tick: Tick) -> list[str]:
        for listing in self._listings:
            if listing.liquidations:
                self._latest[listing.instrument.symbol] = self._row(listing)
        texts: list[str] = []
        for symbol in list(self._latest):
            if tick.now_us - self._sent_us.get(symbol, 0) >= SECOND_US:
                self._sent_us[symbol] = tick.now_us
                texts.append(encode({"arg": self._arg, "data": [self._latest.pop(symbol)]}))
        self._last = texts[-1] if texts else self._last
        return texts

    def backlog(self, tick: Tick) -> str | None:
        """A new subscriber receives the last push again."""
        return self._last

    def _row(self, listing: Listing) -> dict[str, Any]:
        t, x = listing.instrument, listing.liquidations[-1]
        position = "net" if self._net else "long" if x.is_long else "short"
        detail = {
            "bkLoss": "0",
            "bkPx": t.price_text(x.bankruptcy_price),
            "ccy": "",
            "posSide": position,
            "side": "sell" if x.is_long else "buy",
            "sz": t.amount_text(x.amount),
            "ts": str(x.ts_us // 1000),
        }
        family = t.symbol.removesuffix("-SWAP")
        return {"details": [detail], "instFamily": family, "instId": t.symbol, "instType": "SWAP", "uly": family}


def _trades(arg: dict[str, Any], listing: Listing, sequences: Sequences) -> Channel:
    is_all = arg["channel"] == "trades-all"

    def texts(_tick: Tick) -> list[str]:
        groups = [list(fills) for _, fills in groupby(listing.trades, key=lambda x: x.id if is_all else x.agg_id)]
        rows = [trade_row(listing, fills, sequences.show(listing, fills[0].order)) for fills in groups]
        return [encode({"arg": arg, "data": [row]}) for row in rows]

    return Channel(listing.instrument.symbol, "trades", texts)


def _limited_book(arg: dict[str, Any], listing: Listing, sequences: Sequences) -> Channel:
    levels, period = (5, 100) if arg["channel"] == "books5" else (1, 10)
    view, touch = View(listing, levels, period), Touch(listing)

    def first(tick: Tick) -> str:
        bids, asks = (
            rows_text(listing, listing.book.list_bids(levels)),
            rows_text(listing, listing.book.list_asks(levels)),
        )
        inst = f',"instId":"{listing.instrument.symbol}"' if levels > 1 else ""
        row = f'{{"asks":{asks},"bids":{bids}{inst},"ts":"{tick.now_ms}","seqId":{sequences.of(listing)}}}'
        return f'{{"arg":{encode(arg)},"data":[{row}]}}'

    def texts(tick: Tick) -> list[str]:
        moved = touch.has_moved() if levels == 1 else view.collect(tick) is not None
        return [first(tick)] if moved else []

    return Channel(listing.instrument.symbol, "bbo" if levels == 1 else "depth", texts, first)


def _candles(arg: dict[str, Any], listing: Listing, bar: str) -> Channel:
    length, shift = find_bar(bar) or (60_000_000, 0)
    opened = [0]

    def text(start: int, *, closed: bool) -> str:
        candle = listing.candles.find(start, length)
        return encode({"arg": arg, "data": [candle_row(listing, candle, closed=closed)]})

    def texts(tick: Tick) -> list[str]:
        start = tick.now_us - (tick.now_us + shift) % length
        found = [text(opened[0], closed=True)] if 0 < opened[0] < start else []
        opened[0] = start
        return [*found, text(start, closed=False)] if tick.due(1000) else found

    return Channel(listing.instrument.symbol, "candles", texts)


def _figures(arg: dict[str, Any], listing: Listing) -> Channel | None:
    """The channels that repeat one row of figures."""
    rows: dict[str, tuple[str, int, Callable[[Listing, int], dict[str, str]]]] = {
        "tickers": ("ticker", 100, ticker_row),
        "funding-rate": ("funding", 30_000, funding_row),
        "open-interest": ("interest", 3000, interest_row),
        "mark-price": ("mark", 200, mark_row),
    }
    name = str(arg["channel"])
    if name not in rows or (name != "tickers" and listing.instrument.market != "linear"):
        return None
    channel, period, row = rows[name]
    last: dict[str, str] = {}

    def first(tick: Tick) -> str:
        return encode({"arg": arg, "data": [row(listing, tick.now_us)]})

    def texts(tick: Tick) -> list[str]:
        if not tick.due(period):
            return []
        now = row(listing, tick.now_us)
        is_new = any(last.get(key) != value for key, value in now.items() if key != "ts")
        last.update(now)
        return [encode({"arg": arg, "data": [now]})] if is_new or period >= REPEATED_MS else []

    return Channel(listing.instrument.symbol, channel, texts, first)
