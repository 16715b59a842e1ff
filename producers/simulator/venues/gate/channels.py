"""Gate's public channels: the texts of trades, tickers, best prices, books, candles and liquidations after a step.

https://www.gate.com/docs/developers/apiv4/ws/en/, https://www.gate.com/docs/developers/futures/ws/en/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from producers.simulator.hub import Tick, encode
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Channel
from producers.simulator.venues.gate import rows
from producers.simulator.venues.gate.options import Options
from producers.simulator.windows import Change, Touch, View, Window

PACE_MS, BEST_MS = 250, 500  # of books and best prices: slower than the venue's own, which are 100 ms and 10 ms
BATCH_MS, BATCH = 1000, 20
SECOND_VERSION = re.compile(r"ob\.(?P<symbol>.+)\.(?P<depth>50|400)")
ALL = "!all"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What a subscription names: the channel, its arguments, and how the socket writes sizes."""

    name: str
    payload: tuple[str, ...]
    exact: bool

    def frame(self, tick: Tick, result: str, event: str = "update") -> str:
        """A push of this channel."""
        return (
            f'{{"time":{tick.now_ms // 1000},"time_ms":{tick.now_ms},"channel":"{self.name}","event":"{event}",'
            f'"result":{result}}}'
        )


class UnknownError(Exception):
    """The channel or an argument does not exist; the text says which."""


def open_channels(asked: Subscribed, listings: dict[str, Listing], options: Options) -> list[tuple[str, Channel]]:
    """The channels that a subscription means, by key; UnknownError where a single one of them does not exist."""
    kind = asked.name.partition(".")[2]
    if asked.name == "futures.public_liquidates":
        return _liquidations(asked, listings, options)
    if kind in SIMPLE:
        opened = [(symbol, SIMPLE[kind](asked, _find(listings, symbol))) for symbol in asked.payload]
    elif kind == "order_book_update":
        opened = [_updates(asked, listings)]
    elif kind == "obu":
        opened = [_second_version(asked, listings, stream) for stream in asked.payload]
    elif kind == "candlesticks":
        opened = [_candles(asked, listings)]
    else:
        raise UnknownError(f"unknown channel {asked.name}")
    return [(f"{asked.name}:{key}:{asked.exact}", channel) for key, channel in opened]


def _find(listings: dict[str, Listing], symbol: str) -> Listing:
    if symbol not in listings:
        raise UnknownError(f"unknown currency pair: {symbol}")
    return listings[symbol]


def _trades(asked: Subscribed, listing: Listing) -> Channel:
    def texts(tick: Tick) -> list[str]:
        if listing.instrument.market == "spot":
            return [asked.frame(tick, encode(rows.spot_trade(listing, x))) for x in listing.trades]
        found = [rows.futures_trade(listing, x, exact=asked.exact) for x in listing.trades]
        return [asked.frame(tick, encode(found))] if found else []

    return Channel(listing.instrument.symbol, "trades", texts)


def _tickers(asked: Subscribed, listing: Listing) -> Channel:
    def texts(tick: Tick) -> list[str]:
        if not tick.due(1000):
            return []
        if listing.instrument.market == "spot":
            return [asked.frame(tick, encode(rows.spot_ticker(listing)))]
        return [asked.frame(tick, encode([rows.futures_ticker(listing, tick.now_us, exact=asked.exact)]))]

    return Channel(listing.instrument.symbol, "ticker", texts)


def _best(asked: Subscribed, listing: Listing) -> Channel:
    touch = Touch(listing)

    def texts(tick: Tick) -> list[str]:
        if not tick.due(BEST_MS) or not touch.has_moved():
            return []
        return [asked.frame(tick, rows.book_ticker(listing, tick.now_ms, exact=asked.exact))]

    return Channel(listing.instrument.symbol, "bbo", texts)


SIMPLE: dict[str, Callable[[Subscribed, Listing], Channel]] = {
    "trades": _trades,
    "tickers": _tickers,
    "book_ticker": _best,
}


class Updates:
    """What was touched in the best levels, also what came and went since the last push, and what entered or left."""

    def __init__(self, listing: Listing, depth: int) -> None:
        self._window = Window(listing, PACE_MS)
        self._view = View(listing, depth, PACE_MS)

    def collect(self, tick: Tick) -> Change | None:
        touched, moved = self._window.collect(tick), self._view.collect(tick)
        if touched is None:
            return None
        bids = {price: self._view.bids.get(price, 0) for price, _ in touched.bids} | dict(moved.bids if moved else ())
        asks = {price: self._view.asks.get(price, 0) for price, _ in touched.asks} | dict(moved.asks if moved else ())
        return Change(
            sorted(bids.items(), reverse=True),
            sorted(asks.items()),
            touched.prev_id + 1,
            touched.last_id,
            touched.prev_id,
        )


def _updates(asked: Subscribed, listings: dict[str, Listing]) -> tuple[str, Channel]:
    """`order_book_update`: what changed within 100 levels, numbered; contracts name the depth as well."""
    symbol, *terms = asked.payload or ("",)
    listing = _find(listings, symbol)
    is_spot = listing.instrument.market == "spot"
    if terms not in ([["100ms"]] if is_spot else [["100ms"], ["100ms", "100"]]):
        raise UnknownError(f"invalid argument: {' '.join(terms)}")
    updates = Updates(listing, 100)

    def texts(tick: Tick) -> list[str]:
        change = updates.collect(tick)
        if change is None:
            return []
        bids, asks = _sides(listing, change, by_name=not is_spot, exact=asked.exact)
        ids = f'"U":{change.first_id},"u":{change.last_id},"b":{bids},"a":{asks},"l":"100"'
        return [asked.frame(tick, f'{{"t":{tick.now_ms},"s":"{symbol}",{ids}}}')]

    return symbol, Channel(symbol, "depth", texts, is_delta=True)


def _sides(listing: Listing, change: Change, *, by_name: bool, exact: bool) -> tuple[str, str]:
    if by_name:
        bids, asks = (rows.objects_text(listing, levels, exact=exact) for levels in (change.bids, change.asks))
    else:
        bids, asks = (rows.pairs_text(listing, levels) for levels in (change.bids, change.asks))
    return bids, asks


def _second_version(asked: Subscribed, listings: dict[str, Listing], stream: str) -> tuple[str, Channel]:
    """`obu`: a whole book first, then what changed; sides that did not change are left out."""
    named = SECOND_VERSION.fullmatch(stream)
    if named is None:
        raise UnknownError(f"invalid argument: {stream}")
    listing = _find(listings, named["symbol"])
    view = View(listing, int(named["depth"]), PACE_MS, starts_fresh=True)

    def texts(tick: Tick) -> list[str]:
        change = view.collect(tick)
        if change is None:
            return []
        sides = {"b": change.bids, "a": change.asks}
        sides_text = "".join(f',"{key}":{rows.pairs_text(listing, levels)}' for key, levels in sides.items() if levels)
        ids = f'"U":{change.first_id},"u":{change.last_id}'
        return [asked.frame(tick, f'{{"t":{tick.now_ms},"s":"{stream}",{ids}{sides_text}}}')]

    def first(tick: Tick) -> str:
        bids, asks = (rows.pairs_text(listing, levels) for levels in view.levels())
        whole = f'{{"t":{view.shown_us // 1000},"full":true,"s":"{stream}","u":{view.last_id},"b":{bids},"a":{asks}}}'
        return asked.frame(tick, whole)

    return stream, Channel(named["symbol"], "depth", texts, first, is_delta=True)


def _candles(asked: Subscribed, listings: dict[str, Listing]) -> tuple[str, Channel]:
    interval, symbol = (*asked.payload, "", "")[:2]
    if interval not in rows.INTERVALS:
        raise UnknownError(f"invalid argument: {interval}")
    listing, length = _find(listings, symbol), rows.INTERVALS[interval] * 1_000_000
    opened: list[int] = []

    def text(tick: Tick, start: int, *, closed: bool) -> str:
        row = rows.candle_row(listing, listing.candles.find(start, length), interval, closed=closed)
        return asked.frame(tick, encode(row if listing.instrument.market == "spot" else [row]))

    def texts(tick: Tick) -> list[str]:
        start = tick.now_us - tick.now_us % length
        found = [text(tick, opened[0], closed=True)] if opened and opened[0] < start else []
        opened[:] = [start]
        return [*found, text(tick, start, closed=False)] if tick.due(2000) else found

    return f"{interval}_{symbol}", Channel(symbol, "candles", texts)


def _liquidations(asked: Subscribed, listings: dict[str, Listing], options: Options) -> list[tuple[str, Channel]]:
    if ALL in asked.payload:
        batches = Batches(asked, list(listings.values()), options)
        return [(f"{asked.name}:{ALL}:{asked.exact}", Channel("", "liquidations", batches.list_texts))]
    opened: list[tuple[str, Channel]] = []
    for symbol in asked.payload:
        batches = Batches(asked, [_find(listings, symbol)], options)
        channel = Channel(symbol, "liquidations", batches.list_texts)
        opened.append((f"{asked.name}:{symbol}:{asked.exact}", channel))
    return opened


class Batches:
    """`futures.public_liquidates`: all of a contract within a second together, at once when they are twenty.

    Whether a size is signed as the order or as the position is not documented: an option; and so is the older form, one
    object at most a second.
    """

    def __init__(self, asked: Subscribed, listings: Sequence[Listing], options: Options) -> None:
        self._asked = asked
        self._listings = listings
        self._options = options
        self._waiting: dict[str, list[str]] = {}

    def list_texts(self, tick: Tick) -> list[str]:
        found: list[str] = []
        for listing in self._listings:
            waiting = self._waiting.setdefault(listing.instrument.symbol, [])
            waiting += [self._row(listing, index) for index in range(len(listing.liquidations))]
            if waiting and (tick.due(BATCH_MS) or len(waiting) >= BATCH):
                result = f"[{','.join(waiting)}]" if self._options.liquidations_batched else waiting[-1]
                found.append(self._asked.frame(tick, result))
                waiting.clear()
        return found

    def _row(self, listing: Listing, index: int) -> str:
        t, x = listing.instrument, listing.liquidations[index]
        sells = x.is_long if self._options.liquidation_size_is_order else not x.is_long
        size = rows.size_text(listing, -x.amount if sells else x.amount, exact=self._asked.exact)
        price = t.price_text(x.bankruptcy_price)
        return f'{{"price":"{price}","size":{size},"time":{x.ts_us // 1000},"contract":"{t.symbol}"}}'
