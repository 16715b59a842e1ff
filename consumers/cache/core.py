"""Folds events into the latest state of each instrument, base and venue. Pure: batches in, changed documents out.

A few lines over the usual length of a file: each fold beside what it restores and shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from consumers.cache.again import is_due
from consumers.cache.feeds import Feed, restore_feed
from consumers.cache.instruments import (
    TICKER,
    FastEvent,
    Instruments,
    add_late_trade,
    count_event,
    mark_all,
    mark_due,
    merge_last,
    merge_ticker,
    show,
    shown_keys,
    take_price,
)
from consumers.cache.tallies import LiquidationTally, WhaleList
from contracts import codec, subjects
from contracts.arithmetic.usd import UsdRates
from contracts.instrument import escape_token, unescape_token
from contracts.recent import Recent
from contracts.schema.checking import check
from contracts.state import FeedHealth, TickerState, TradesPage, TradesState, WhalesState
from runtime.app.fold import Fault, fold_each
from runtime.hops.times import Percentiles, Sample

Batch = Iterable[tuple[str, FastEvent]]
Faults = Sequence[Fault]
INSTRUMENTS: Final = 10_000  # kept at least, those that something came of last; at most twice as many
VENUES: Final = 256
BASES: Final = 5_000
_BODY_KEYS: Final = {
    subjects.BOOK: subjects.STATE_BOOK,
    subjects.FUNDING: subjects.STATE_FUNDING,
    subjects.INTEREST: subjects.STATE_INTEREST,
}
_BODY_SUBJECTS: Final = {key: prefix for prefix, key in _BODY_KEYS.items()}
_SECOND: Final = 1_000_000_000
_SAMPLED_BODIES: Final = 32  # of so many bodies of a kind one is decoded, for its times


class StateCache:
    """Everything that the STATE bucket shows. `drain` returns each changed document once."""

    def __init__(self, instruments: int = INSTRUMENTS, venues: int = VENUES, bases: int = BASES) -> None:
        self.rates = UsdRates()
        self._gone: set[str] = set()  # keys of the bucket
        self._instruments = Instruments(instruments, self._find_feed, self._gone)
        self._feeds: Recent[str, Feed] = Recent(venues, self._forget_feed)
        self._liquidations: Recent[str, LiquidationTally] = Recent(bases, self._forget_tally)
        self._whales: Recent[str, WhaleList] = Recent(bases, self._forget_whales)

    @property
    def forgotten(self) -> int:
        """How many instruments, venues and bases were dropped because others came."""
        return sum(held.dropped for held in (self._instruments, self._feeds, self._liquidations, self._whales))

    def sizes(self) -> dict[str, int]:
        """Return the bytes of what is kept for long, by kind."""
        return {
            "liquidation_sums": sum(tally.size() for tally in self._liquidations.values()),
            "whales": sum(whales.size() for whales in self._whales.values()),
        }

    # ---- folding: each returns the events that could not be folded, with the reason
    def fold_tickers(self, batch: Batch, now: int) -> Faults:
        """Fold (subject, ticker) pairs; a frame changes only what it carries; those of all venues are left out."""

        def fold(subject: str, event: FastEvent) -> None:
            if subject.startswith(subjects.CONSOLIDATED_TICKER):
                return
            instrument = self._instruments.find(subject, subjects.TICKER)
            merge_ticker(instrument, event)
            if event.last is not None:
                take_price(self.rates, instrument, event.last, event.ts_recv)
            count_event(instrument, "ticker", event, now)

        return fold_each(batch, fold)

    def fold_trades(self, batch: Batch, now: int) -> Faults:
        """Fold (subject, trade) pairs: the recent ones, and the last price, of which one filled in says nothing."""

        def fold(subject: str, event: FastEvent) -> None:
            instrument = self._instruments.find(subject, subjects.TRADE)
            if event.backfilled:
                add_late_trade(instrument, event)
                return
            merge_last(instrument, event, event.price)
            instrument.trades.add(event)
            instrument.dirty.add(subjects.STATE_TRADE)
            take_price(self.rates, instrument, event.price, event.ts_recv)
            count_event(instrument, "trade", event, now)

        return fold_each(batch, fold)

    def fold_bodies(self, prefix: str, batch: Iterable[tuple[str, bytes]], now: int) -> Faults:
        """Keep the latest body of (subject, checked body) pairs; `prefix` is the subjects': book, funding, interest."""
        key, kind = _BODY_KEYS[prefix], codec.SUBJECT_KINDS[prefix]

        def fold(subject: str, body: bytes) -> None:
            if subject.startswith(subjects.CONSOLIDATED_BOOK):
                return  # of no venue
            instrument = self._instruments.find(subject, prefix)
            instrument.bodies[key] = body
            instrument.dirty.add(key)
            instrument.feed.on_events(kind, 1, now, now)
            if instrument.feed.events[kind] % _SAMPLED_BODIES == 1:
                instrument.feed.on_hops(kind, codec.decode(subject, body), now)

        return fold_each(batch, fold)

    def fold_liquidations(self, batch: Batch, now: int) -> Faults:
        """Fold (subject, liquidation) pairs; `now` 0 while the past is being read again: feeds are not counted then."""

        def fold(_subject: str, event: FastEvent) -> None:
            base, _, rest = event.symbol.partition("/")
            tally = self._liquidations.get(base) or self._liquidations.put(base, LiquidationTally(base))
            tally.fold(event, rest.partition(":")[0], self.rates)
            if now:
                feed = self._find_feed(event.venue)
                feed.on_events("liquidation", 1, event.ts_recv, now)
                feed.on_hops("liquidation", event, now)

        return fold_each(batch, fold)

    def fold_whales(self, batch: Batch, seq: int) -> Faults:
        """Fold (subject, whale) pairs; `seq` is the stream's sequence of the last one."""

        def fold(_subject: str, event: FastEvent) -> None:
            base = event.symbol.partition("/")[0]
            (self._whales.get(base) or self._whales.put(base, WhaleList(base))).fold(event, seq)

        return fold_each(batch, fold)

    def fold_feeds(self, batch: Batch, seq: int) -> Faults:
        """Fold (subject, FeedStatus) pairs: what depends on a feed is marked until it is live again."""
        venues: set[str] = set()

        def fold(_subject: str, event: FastEvent) -> None:
            if event.venue != subjects.BUS:  # of no venue: what the bus itself or a reader of it lost
                self._find_feed(event.venue).on_status(event, seq)
                venues.add(event.venue)

        faults = fold_each(batch, fold)
        for instrument in self._instruments.values():
            if instrument.venue in venues:
                instrument.dirty |= shown_keys(instrument)
        return faults

    def on_silence_limits(self, limits: Mapping[str, dict[str, int]]) -> None:
        """Set each venue's limits of silence, ns by channel."""
        for venue, by_channel in limits.items():
            self._find_feed(venue).on_silence_limits(by_channel)

    def on_publish_times(self, times: Mapping[str, dict[str, Percentiles]]) -> None:
        """Take by venue and kind what the producers need from receipt to the bus, ns."""
        for venue, by_kind in times.items():
            self._find_feed(venue).on_publish_times(by_kind)

    # ---- showing
    def drain(self, now: int, *, liquidations: bool = True) -> dict[str, bytes | None]:
        """Return key -> document of everything that changed since the last call, of liquidations only with that flag.

        None is the document of what was forgotten.
        """
        self._judge_feeds(now)
        changed: dict[str, bytes | None] = dict.fromkeys(self._gone)
        self._gone.clear()
        self._drain_instruments(changed, now)
        for venue, feed in self._feeds.items():
            if feed.dirty:
                feed.dirty = False
                changed[subjects.STATE_FEED + escape_token(venue)] = codec.encode(feed.document(now))
        for base, whales in self._whales.items():
            if whales.dirty or is_due(whales, base, now):
                whales.dirty = False
                changed[subjects.STATE_WHALES + escape_token(base)] = codec.encode(whales.document())
        for base, tally in self._liquidations.items() if liquidations else ():
            if tally.dirty or tally.is_due(now) or is_due(tally, base, now):
                tally.dirty = False
                changed[subjects.STATE_LIQUIDATIONS + escape_token(base)] = codec.encode(tally.document(now))
        return changed

    def _drain_instruments(self, changed: dict[str, bytes | None], now: int) -> None:
        for instrument in list(self._instruments.values()):
            mark_due(instrument, now)
            for key in instrument.dirty:
                changed |= show(instrument, key)
            instrument.dirty.clear()

    def measure(self) -> dict[str, dict[str, float]]:
        """Return the state and the latencies of each venue's feed, by venue and name: `Feed.measure`."""
        return {feed.venue: feed.measure() for feed in self._feeds.values()}

    def take_hops(self) -> list[tuple[str, Sample]]:
        """Return the (venue, sample) of each hop that was measured since the last call."""
        return [(feed.venue, sample) for feed in self._feeds.values() for sample in feed.hops.take()]

    def _judge_feeds(self, now: int) -> None:
        """Count what came from each feed and find those that are live and silent; each is written once a second."""
        for instrument in list(self._instruments.values()):
            if instrument.dirty or instrument.counts:
                instrument.feed = self._find_feed(instrument.venue)  # another one where it was forgotten meanwhile
            for kind, (count, last) in instrument.counts.items():
                instrument.feed.on_events(kind, count, last, now)
            instrument.counts.clear()
        for feed in self._feeds.values():
            if feed.judge(now):
                self._show_again(feed)
            feed.dirty = feed.dirty or now - feed.as_of >= _SECOND

    def show_all(self) -> None:
        """Return every document with the next `drain`: what was written is lost."""
        for instrument in self._instruments.values():
            mark_all(instrument)
        for item in (*self._feeds.values(), *self._whales.values(), *self._liquidations.values()):
            item.dirty = True

    # ---- restoring
    def restore(self, key: str, body: bytes) -> None:
        """Restore a document that `drain` returned; liquidations are folded again from their stream instead.

        Raises, with nothing restored, where it is not as `drain` writes it.
        """
        for prefix, read in self._readers().items():
            if key.startswith(prefix):
                read(key.removeprefix(prefix), body)

    def find_feeds_seq(self) -> int:
        """Return the last sequence of the feeds' stream that is folded; 0 for none."""
        return max((feed.seq for feed in self._feeds.values()), default=0)

    def find_whales_seq(self) -> int:
        """Return the last sequence of the whales' stream that is folded; 0 for none."""
        return max((whales.seq for whales in self._whales.values()), default=0)

    def forget_feeds_seq(self) -> None:
        """The feeds' stream is another one now: what was folded has no sequence in it."""
        for feed in self._feeds.values():
            feed.seq = 0

    def forget_whales_seq(self) -> None:
        """The whales' stream is another one now."""
        for whales in self._whales.values():
            whales.seq = 0

    def _readers(self) -> dict[str, Callable[[str, bytes], None]]:
        return {
            subjects.STATE_TICKER: self._read_ticker,
            subjects.STATE_TRADE: self._read_trades,
            subjects.STATE_TRADES_PAGE: self._read_page,
            subjects.STATE_FEED: self._read_feed,
            subjects.STATE_WHALES: self._read_whales,
            **{key: partial(self._read_body, key) for key in _BODY_SUBJECTS},
        }

    def _read_ticker(self, tail: str, body: bytes) -> None:
        document = codec.decoder(TickerState).decode(body)
        instrument = self._instruments.open(tail)
        instrument.ticker = {name: getattr(document, name) for name in TICKER}
        instrument.venue_symbol, instrument.latest = document.venue_symbol, document.ts_recv
        instrument.sim = document.sim
        instrument.has_ticker = True

    def _read_trades(self, tail: str, body: bytes) -> None:
        document = codec.decoder(TradesState).decode(body)
        self._instruments.open(tail).trades.restore_newest(document.trades, document.pages)

    def _read_page(self, place: str, body: bytes) -> None:
        document = codec.decoder(TradesPage).decode(body)
        self._instruments.open(place.partition(".")[2]).trades.restore_page(document.number, document.trades)

    def _read_feed(self, token: str, body: bytes) -> None:
        feed = restore_feed(codec.decoder(FeedHealth).decode(body))
        held = self._feeds.get(unescape_token(token))
        self._feeds.put(unescape_token(token), feed)
        for instrument in self._instruments.values():
            if instrument.feed is held:
                instrument.feed = feed

    def _read_whales(self, _key: str, body: bytes) -> None:
        document = codec.decoder(WhalesState).decode(body)
        whales = WhaleList(document.base)
        whales.whales.extend(document.whales)
        whales.seq, whales.dirty = document.seq, False
        self._whales.put(whales.base, whales)

    def _read_body(self, key: str, tail: str, body: bytes) -> None:
        check(_BODY_SUBJECTS[key] + tail, body)
        self._instruments.open(tail).bodies[key] = body

    def _show_again(self, feed: Feed) -> None:
        """Write again what depends on a feed: its quality is another one."""
        for instrument in self._instruments.values():
            if instrument.feed is feed:
                instrument.dirty |= shown_keys(instrument)

    def _find_feed(self, venue: str) -> Feed:
        return self._feeds.get(venue) or self._feeds.put(venue, Feed(venue))

    def _forget_feed(self, venue: str, _feed: Feed) -> None:
        self._gone.add(subjects.STATE_FEED + escape_token(venue))

    def _forget_tally(self, base: str, _tally: LiquidationTally) -> None:
        self._gone.add(subjects.STATE_LIQUIDATIONS + escape_token(base))

    def _forget_whales(self, base: str, _whales: WhaleList) -> None:
        self._gone.add(subjects.STATE_WHALES + escape_token(base))
