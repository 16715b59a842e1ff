"""HTX's topics: the texts of trades, books, tickers, candles and notifications after a step.

https://www.htx.com/en-us/opend/newApiPages/?id=7ec4a4da-7773-11ed-9966-0242ac110003
"""

from __future__ import annotations

import re
from itertools import groupby

from producers.simulator.hub import Tick
from producers.simulator.market.listing import Listing
from producers.simulator.topics import Channel, Topic, whole
from producers.simulator.venues.htx import rows
from producers.simulator.windows import Touch, View

# The venue pushes a book every 100 ms and a quote at each change; fewer pushes here, of the same kind.
BOOK_MS = 250
FINE_BOOK_MS = 50
QUOTE_MS = 750
DAY_MS = 2000
STEP_MS = 1000
RATE_MS = 30_000
FINE_LEVELS = 20
STEP_LEVELS = 150

_MARKET = re.compile(r"market\.([^.]+)\.(.+)")
_NOTE = re.compile(r"public\.([^.]+)\.(\w+)")
_MBP = re.compile(r"mbp\.(5|20|150|400)")
_REFRESH = re.compile(r"mbp\.refresh\.(5|10|20)")
_HIGH_FREQ = re.compile(r"depth\.size_(20|150)\.high_freq")


class Mbp:
    """A spot book's changes, chained by `prevSeqNum`; its snapshot is requested, and is of the last push."""

    channel = "depth"
    is_delta = True

    def __init__(self, ch: str, listing: Listing, depth: int) -> None:
        self._ch = ch
        self._listing = listing
        self._view = View(listing, depth, FINE_BOOK_MS if depth <= FINE_LEVELS else BOOK_MS)
        self._shown = self._view.last_id
        self.symbol = listing.instrument.symbol

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._view.collect(tick)
        if change is None:
            return []
        before, self._shown = self._shown, change.last_id
        sides = _sides(self._listing, (change.bids, change.asks))
        return [_push(self._ch, tick.now_ms, f'{{"seqNum":{self._shown},"prevSeqNum":{before},{sides}}}')]

    def snapshot(self, tick: Tick) -> str | None:
        return None

    def answer(self) -> str:
        """The `data` of an answer to `req`."""
        return f'{{"seqNum":{self._shown},{_sides(self._listing, self._view.levels())}}}'


class HighFreq:
    """A swap's book: a snapshot, then updates whose `version` grows by one; snapshots only unless `incremental`."""

    channel = "depth"

    def __init__(self, ch: str, listing: Listing, depth: int, *, incremental: bool) -> None:
        self._ch = ch
        self._listing = listing
        self._view = View(listing, depth, BOOK_MS, starts_fresh=True)
        self.version = listing.book.update_id
        self.symbol = listing.instrument.symbol
        self.is_delta = incremental

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._view.collect(tick)
        if change is None:
            return []
        self.version += 1
        return [self._text("update", (change.bids, change.asks)) if self.is_delta else self.snapshot(tick)]

    def snapshot(self, tick: Tick) -> str:
        return self._text("snapshot", self._view.levels())

    def _text(self, event: str, levels: tuple[rows.Levels, rows.Levels]) -> str:
        order, shown_ms = self._view.last_id, self._view.shown_us // 1000
        book = f'"ch":"{self._ch}","event":"{event}","id":{order},"mrid":{order}'
        sides = _sides(self._listing, levels)
        return _push(self._ch, shown_ms, f'{{{sides},{book},"ts":{shown_ms},"version":{self.version}}}')


def open_topic(ch: str, listings: dict[str, Listing], *, incremental: bool) -> Topic | None:
    """The topic of a market socket; None when channel or symbol does not exist."""
    found = _MARKET.fullmatch(ch)
    listing = listings.get(found[1]) if found else None
    if found is None or listing is None:
        return None
    name, is_spot = found[2], rows.is_spot(listing)
    if is_spot and (mbp := _MBP.fullmatch(name)):
        return Mbp(ch, listing, int(mbp[1]))
    if is_spot and (refresh := _REFRESH.fullmatch(name)):
        return _refresh(ch, listing, int(refresh[1]))
    if not is_spot and (book := _HIGH_FREQ.fullmatch(name)):
        return HighFreq(ch, listing, int(book[1]), incremental=incremental)
    if name.startswith("kline.") and name[6:] in rows.PERIODS and (is_spot or name != "kline.1year"):
        return _candles(ch, listing, rows.PERIODS[name[6:]])
    makers = {"trade.detail": _trades, "bbo": _quotes, "detail": _day, "depth.step0": _step0}
    return makers[name](ch, listing) if name in makers else None


def open_note(name: str, listings: dict[str, Listing]) -> Topic | None:
    """The topic of a notification socket, `*` being every contract; None when topic or contract does not exist."""
    found = _NOTE.fullmatch(name)
    if found is None or found[2] not in ("liquidation_orders", "funding_rate"):
        return None
    chosen = list(listings.values()) if found[1] == "*" else [listings[found[1]]] if found[1] in listings else []
    if not chosen:
        return None
    symbol = "" if found[1] == "*" else found[1]
    if found[2] == "liquidation_orders":
        return Channel(symbol, "liquidations", lambda tick: _forced(chosen, tick))
    return Channel(symbol, "funding", lambda tick: _rates(chosen, tick) if tick.due(RATE_MS) else [])


def _forced(listings: list[Listing], tick: Tick) -> list[str]:
    return [
        _note(listing, "liquidation_orders", tick.now_ms, rows.forced_text(listing, forced))
        for listing in listings
        for forced in listing.liquidations
    ]


def _rates(listings: list[Listing], tick: Tick) -> list[str]:
    return [_note(item, "funding_rate", tick.now_ms, rows.funding_text(item, tick.now_us)) for item in listings]


def _note(listing: Listing, name: str, now_ms: int, row: str) -> str:
    topic = f"public.{listing.instrument.symbol}.{name}"
    return f'{{"op":"notify","topic":"{topic}","ts":{now_ms},"data":[{row}]}}'


def _push(ch: str, now_ms: int, tick: str) -> str:
    return f'{{"ch":"{ch}","ts":{now_ms},"tick":{tick}}}'


def _sides(listing: Listing, levels: tuple[rows.Levels, rows.Levels]) -> str:
    return f'"bids":{rows.levels_text(listing, levels[0])},"asks":{rows.levels_text(listing, levels[1])}'


def _trades(ch: str, listing: Listing) -> Channel:
    def texts(tick: Tick) -> list[str]:
        orders = (list(fills) for _, fills in groupby(listing.trades, key=lambda trade: trade.order))
        return [_push(ch, tick.now_ms, rows.trades_tick(listing, fills)) for fills in orders]

    return Channel(listing.instrument.symbol, "trades", texts)


def _quotes(ch: str, listing: Listing) -> Channel:
    touch = Touch(listing)

    def first(tick: Tick) -> str:
        return _push(ch, tick.now_ms, rows.best_tick(listing, ch, tick.now_ms))

    return whole(listing.instrument.symbol, "bbo", first, lambda tick: tick.due(QUOTE_MS) and touch.has_moved())


def _day(ch: str, listing: Listing) -> Channel:
    def first(tick: Tick) -> str:
        return _push(ch, tick.now_ms, rows.day_tick(listing, tick.now_us))

    return whole(listing.instrument.symbol, "ticker", first, lambda tick: tick.due(DAY_MS))


def _step0(ch: str, listing: Listing) -> Channel:
    def first(tick: Tick) -> str:
        levels = listing.book.list_bids(STEP_LEVELS), listing.book.list_asks(STEP_LEVELS)
        return _push(ch, tick.now_ms, rows.depth_tick(listing, levels, ch, tick.now_ms))

    return whole(listing.instrument.symbol, "depth", first, lambda tick: tick.due(STEP_MS))


def _refresh(ch: str, listing: Listing, depth: int) -> Channel:
    view = View(listing, depth, BOOK_MS)

    def first(tick: Tick) -> str:
        return _push(ch, tick.now_ms, f'{{"seqNum":{view.last_id},{_sides(listing, view.levels())}}}')

    return whole(listing.instrument.symbol, "depth", first, lambda tick: view.collect(tick) is not None)


def _candles(ch: str, listing: Listing, seconds: int) -> Channel:
    length = seconds * rows.SECOND_US

    def first(tick: Tick) -> str:
        candle = listing.candles.find(tick.now_us - tick.now_us % length, length)
        return _push(ch, tick.now_ms, rows.candle_tick(listing, candle))

    return whole(listing.instrument.symbol, "candles", first, lambda tick: tick.due(STEP_MS))
