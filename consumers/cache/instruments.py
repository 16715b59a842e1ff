"""Each instrument's latest state: its merged ticker, its recent trades, the last body of other kinds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from consumers.cache.again import is_due
from consumers.cache.feeds import Feed
from consumers.cache.trades import TradeList
from contracts import codec, subjects
from contracts.arithmetic.usd import UsdRates, tells_usd
from contracts.instrument import SPOT, tail_symbol
from contracts.market import BookSnapshot
from contracts.numbers import time_of
from contracts.recent import Recent
from contracts.state import PLACES, TickerState, TradesPage, TradesState, find_page_place
from contracts.streams import PAGES_AGAIN

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
FastDocument = Any  # the same of a document
KINDS: Final = 5  # of subjects that an instrument has: ticker, trade, book, funding, interest
_SAMPLE_EVERY: Final = 8
_SECOND: Final = 1_000_000_000
TICKER: Final = tuple(name for name, info in TickerState.model_fields.items() if not info.is_required())
STATS: Final = tuple(name for name in TICKER if name.endswith("_24h"))
_TICKER_STATE: Final = codec.fast(TickerState)
_TRADES_STATE: Final = codec.fast(TradesState)
_TRADES_PAGE: Final = codec.fast(TradesPage)


@dataclass(slots=True, eq=False)
class InstrumentState:
    """One instrument: its merged ticker, its recent trades, and the latest bodies of the other kinds by their key."""

    tail: str
    feed: Feed
    venue: str
    symbol: str
    quote: str
    tells_usd: bool
    venue_symbol: str | None = None
    priced: int = 0
    ticker: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(TICKER))
    has_ticker: bool = False
    gone: bool = False  # forgotten: another state stands for the instrument
    latest: int = 0
    shown: int = 0  # when its documents were written though nothing changed
    sim: bool = False
    trades: TradeList = field(default_factory=TradeList)
    bodies: dict[str, bytes] = field(default_factory=dict[str, bytes])
    dirty: set[str] = field(default_factory=set[str])
    counts: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    @classmethod
    def of(cls, tail: str, find_feed: Callable[[str], Feed]) -> InstrumentState:
        """Return an empty state of the instrument that the last four tokens of a subject name."""
        venue, symbol = tail_symbol(tail)
        base, quote = symbol.partition(":")[0].split("/")
        tells = tail.endswith(f".{SPOT}") and tells_usd(base, quote)
        return cls(tail, find_feed(venue), venue, symbol, quote, tells)


class Instruments:
    """The states of all instruments by tail: `limit` of them at least, those that something came of last.

    `find_feed` returns a venue's feed. The bucket's keys of an instrument that is dropped are added to `gone`.
    """

    def __init__(self, limit: int, find_feed: Callable[[str], Feed], gone: set[str]) -> None:
        self._find_feed = find_feed
        self._gone = gone
        self._states: Recent[str, InstrumentState] = Recent(limit, self._forget)
        self._by_subject: Recent[str, InstrumentState] = Recent(limit * KINDS)

    @property
    def dropped(self) -> int:
        """How many were dropped because others came."""
        return self._states.dropped

    def values(self) -> Iterable[InstrumentState]:
        """Return all that are kept."""
        return self._states.values()

    def find(self, subject: str, prefix: str) -> InstrumentState:
        """Return the state of the instrument of a subject, which begins with `prefix`."""
        state = self._by_subject.get(subject)
        if state is None or state.gone:
            state = self._by_subject.put(subject, self.open(subject.removeprefix(prefix)))
        return state

    def open(self, tail: str) -> InstrumentState:
        """Return the state of an instrument, a new one where there is none."""
        state = self._states.get(tail)
        if state is None:
            state = self._states.put(tail, InstrumentState.of(tail, self._find_feed))
        return state

    def _forget(self, tail: str, state: InstrumentState) -> None:
        self._gone |= {key + tail for key in (subjects.STATE_TICKER, subjects.STATE_TRADE, *state.bodies)}
        self._gone |= {subjects.STATE_TRADES_PAGE + find_page_place(number, tail) for number in range(PLACES)}
        state.gone = True


def shown_keys(instrument: InstrumentState) -> set[str]:
    """Return the keys of an instrument's documents that carry a quality."""
    keys = {subjects.STATE_BOOK} & instrument.bodies.keys()
    if instrument.has_ticker:
        keys.add(subjects.STATE_TICKER)
    if instrument.trades:
        keys.add(subjects.STATE_TRADE)
    return keys


def merge_last(instrument: InstrumentState, event: FastEvent, price: str) -> None:
    """Take a last price, from a ticker or a trade, unless a newer one is held."""
    _never_mix(instrument, sim=event.sim)
    ts = time_of(event.ts_event, event.ts_recv)
    held = instrument.ticker
    if held["last_ts"] is None or ts >= held["last_ts"]:
        held["last"], held["last_ts"] = price, ts
    _take_ticker(instrument, event)


def add_late_trade(instrument: InstrumentState, event: FastEvent) -> None:
    """Put a trade that was filled in among the recent ones by its time; it says nothing of now."""
    _never_mix(instrument, sim=event.sim)
    if instrument.trades.add_late(event):
        instrument.dirty.add(subjects.STATE_TRADE)


def merge_ticker(instrument: InstrumentState, event: FastEvent) -> None:
    """Take the parts that a ticker carries; null leaves what is held."""
    _never_mix(instrument, sim=event.sim)
    ts = time_of(event.ts_event, event.ts_recv)
    held = instrument.ticker
    if event.last is not None:
        merge_last(instrument, event, event.last)
    if (event.bid is not None or event.ask is not None) and (held["bbo_ts"] is None or ts >= held["bbo_ts"]):
        held["bbo_ts"] = ts
        if event.bid is not None:
            held["bid"], held["bid_amount"] = event.bid, event.bid_amount
        if event.ask is not None:
            held["ask"], held["ask_amount"] = event.ask, event.ask_amount
    stats = {name: value for name in STATS if (value := getattr(event, name)) is not None}
    if stats and (held["stats_ts"] is None or ts >= held["stats_ts"]):
        held.update(stats)
        held["stats_ts"] = ts
    _take_ticker(instrument, event)


def _never_mix(instrument: InstrumentState, *, sim: bool) -> None:
    """Forget a simulated ticker when real data arrives, and the other way round."""
    if sim != instrument.sim:
        instrument.sim = sim
        instrument.ticker = dict.fromkeys(TICKER)
        instrument.trades.clear()


def _take_ticker(instrument: InstrumentState, event: FastEvent) -> None:
    instrument.venue_symbol = event.venue_symbol
    instrument.latest = max(instrument.latest, event.ts_recv)
    instrument.has_ticker = True
    instrument.dirty.add(subjects.STATE_TICKER)


def ticker_document(instrument: InstrumentState) -> FastDocument:
    """Return the instrument's `contracts.state.TickerState`."""
    return _TICKER_STATE(
        sim=instrument.sim,
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
        **instrument.ticker,
        ts_recv=instrument.latest,
        quality="sim" if instrument.sim else instrument.feed.find_quality("ticker", instrument.symbol),
    )


def trades_document(instrument: InstrumentState) -> FastDocument:
    """Return the instrument's `contracts.state.TradesState`, of what is on no page."""
    sim = any(trade.sim for trade in instrument.trades)
    return _TRADES_STATE(
        sim=sim,
        venue=instrument.venue,
        symbol=instrument.symbol,
        trades=instrument.trades.newest,
        quality="sim" if sim else instrument.feed.find_quality("trade", instrument.symbol),
        pages=instrument.trades.numbers,
    )


def marked_book(instrument: InstrumentState, body: bytes) -> bytes:
    """Return the book's body as it is, or with the feed's quality where it still calls itself live and is not."""
    quality = instrument.feed.find_quality("book", instrument.symbol)
    if quality == "live":
        return body
    book = codec.decoder(BookSnapshot).decode(body)
    return body if book.quality != "live" else codec.encode(msgspec.structs.replace(book, quality=quality))


def take_price(rates: UsdRates, instrument: InstrumentState, price: str, ts: int) -> None:
    """Give the dollar rates a price that tells one, at most one a second."""
    if instrument.tells_usd and ts - instrument.priced > _SECOND:
        instrument.priced = ts
        rates.on_price(instrument.symbol.partition("/")[0], instrument.quote, price, ts)


def count_event(instrument: InstrumentState, kind: str, event: FastEvent, now: int) -> None:
    """Count an event for its feed, and take some of them as samples of the latency."""
    count, last = instrument.counts.get(kind, (0, 0))
    instrument.counts[kind] = (count + 1, max(last, event.ts_recv))
    instrument.feed.sim = event.sim
    if count % _SAMPLE_EVERY == 0:
        instrument.feed.on_latency(kind, event, now)


def mark_all(instrument: InstrumentState) -> None:
    """Have every document of an instrument shown again."""
    instrument.dirty |= shown_keys(instrument) | instrument.bodies.keys()
    instrument.trades.show_again()


def mark_due(instrument: InstrumentState, now: int) -> None:
    """Have the documents shown again that were not for long."""
    if is_due(instrument, instrument.tail, now):
        instrument.dirty |= shown_keys(instrument) | instrument.bodies.keys()
    if instrument.trades and is_due(instrument.trades, instrument.tail, now, PAGES_AGAIN):
        instrument.dirty.add(subjects.STATE_TRADE)
        instrument.trades.show_again()


def show(instrument: InstrumentState, key: str) -> dict[str, bytes]:
    """Return the document of one kind of an instrument, and its pages before it, by their keys in the bucket."""
    if key == subjects.STATE_TRADE:
        pages = _show_pages(instrument)
        return {**pages, key + instrument.tail: codec.encode(trades_document(instrument))}
    if key == subjects.STATE_TICKER:
        return {key + instrument.tail: codec.encode(ticker_document(instrument))}
    body = instrument.bodies[key]
    return {key + instrument.tail: marked_book(instrument, body) if key == subjects.STATE_BOOK else body}


def _show_pages(instrument: InstrumentState) -> dict[str, bytes]:
    of = {"venue": instrument.venue, "symbol": instrument.symbol}
    return {
        subjects.STATE_TRADES_PAGE + find_page_place(number, instrument.tail): codec.encode(
            _TRADES_PAGE(sim=any(trade.sim for trade in trades), **of, number=number, trades=trades)
        )
        for number, trades in instrument.trades.cut().items()
    }
