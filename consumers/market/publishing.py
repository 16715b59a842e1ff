"""Which consolidated tickers and books have to be published: what changed, at most one of each market a call. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any, Final, TypeVar

from consumers.market import events
from consumers.market.answers.orderbook import offer_books
from consumers.market.documents import Feed, Ticker, make_ticker
from consumers.market.quality import feed_quality
from consumers.market.state import MarketState, Reader
from contracts import subjects
from contracts.errors import InternalError
from contracts.instrument import Instrument

T = TypeVar("T")
Judgement = tuple[str, tuple[tuple[str, str], ...]]  # a feed's quality, and which of its connections are away
Output = tuple[str, str, bytes]  # subject, id, body
_TICKER_PARTS: Final = ("last", "bid", "ask", "high_24h", "low_24h", "volume_24h", "change_24h")


class Consolidator:
    """Keeps what was published last of each market (`<BASE>.<QUOTE>.<contract>`), and what may have changed since."""

    def __init__(self, state: MarketState) -> None:
        self._state = state
        self._by_market: dict[str, tuple[Instrument, ...]] = {}
        self._by_venue: dict[str, tuple[str, ...]] = {}
        self._newer: dict[str, Ticker] = {}
        self._read: dict[str, bytes | None] = {}  # the state's document that `_newer` goes on from
        self._judged: dict[str, Judgement] = {}
        self._changed: dict[str, dict[str, None]] = {subjects.STATE_TICKER: {}, subjects.STATE_BOOK: {}}
        self._said: dict[tuple[str, str], dict[str, Any]] = {}
        self._expires: dict[tuple[str, str], int] = {}

    @property
    def waiting(self) -> int:
        """How many markets may have changed."""
        return sum(len(changed) for changed in self._changed.values())

    def on_listing(self) -> None:
        """Take the state's listing: everything may have changed."""
        by_market: dict[str, list[Instrument]] = defaultdict(list)
        by_venue: dict[str, dict[str, None]] = defaultdict(dict)
        for item in self._state.symbols.instruments:
            market = item.tail.partition(".")[2]
            by_market[market].append(item)
            by_venue[item.venue][market] = None
        self._by_market = {market: tuple(items) for market, items in by_market.items()}
        self._by_venue = {venue: tuple(markets) for venue, markets in by_venue.items()}
        self._newer = {tail: ticker for tail, ticker in self._newer.items() if self._state.find_instrument(tail)}
        self._read = {tail: body for tail, body in self._read.items() if tail in self._newer}
        self._said = {key: said for key, said in self._said.items() if key[1] in self._by_market}
        self._expires = {key: expires for key, expires in self._expires.items() if key[1] in self._by_market}
        self.on_all()

    def on_all(self) -> None:
        """Everything may have changed: whoever published before is not known."""
        for changed in self._changed.values():
            changed.update(dict.fromkeys(self._by_market))

    def on_state(self, key: str) -> None:
        """Take note that a document of the state changed."""
        for prefix, changed in self._changed.items():
            if key.startswith(prefix):
                changed[key[len(prefix) :].partition(".")[2]] = None
                return

    def on_ticker(self, subject: str, event: Any) -> None:
        """Fold one ticker frame of a venue: it is published before the state has it."""
        if subject.startswith(subjects.CONSOLIDATED_TICKER):
            return
        tail = subject.removeprefix(subjects.TICKER)
        item = self._state.find_instrument(tail)
        if item is None:
            return
        self._newer[tail] = fold_ticker(self._find_newest(tail, item), event)
        self._changed[subjects.STATE_TICKER][tail.partition(".")[2]] = None

    def _find_newest(self, tail: str, item: Instrument) -> Ticker | None:
        """The newer of what came and what the state has, which is read once each time that it changes."""
        held, body = self._newer.get(tail), self._state.bucket.get(subjects.STATE_TICKER + tail)
        if held is not None and self._read.get(tail) is body:
            return held
        self._read[tail] = body
        reader = Reader(self._state, 0)
        cached = _or_none(lambda: reader.find_ticker(item))
        return cached if held is None or (cached is not None and cached.ts_recv > held.ts_recv) else held

    def look(self, now: int) -> None:
        """Find what changes without an event: feeds that are judged otherwise, parts that became stale; `now` ns."""
        reader = Reader(self._state, now)
        for venue, markets in self._by_venue.items():
            judged = _or_none(lambda venue=venue: _judgement(reader.find_feed(venue)))
            if judged is None:
                continue
            if self._judged.get(venue) != judged:
                self._judged[venue] = judged
                for changed in self._changed.values():
                    changed.update(dict.fromkeys(markets))
        for (prefix, market), expires in self._expires.items():
            if expires < now:
                self._changed[prefix][market] = None

    def drain(self, now: int) -> Iterator[Output | None]:
        """Go through what may have changed now, each once: an event where it did, None where it did not.

        Tickers and books take turns, so that whoever stops early keeps neither waiting for ever.
        """
        tickers, books = (self._changed[prefix] for prefix in (subjects.STATE_TICKER, subjects.STATE_BOOK))
        for ticker, book in zip_longest(list(tickers), list(books)):
            for market, changed, make in ((ticker, tickers, self._make_ticker), (book, books, self._make_book)):
                if market is not None:
                    changed.pop(market, None)
                    yield make(market, now)

    def _make_ticker(self, market: str, now: int) -> Output | None:
        reader = Reader(self._state, now, self._newer)
        quoted = _or_none(lambda: reader.list_quoted(self._by_market.get(market, ())))
        fields = events.ticker_fields(market, quoted or ())
        news = self._find_news((subjects.STATE_TICKER, market), fields, reader.holds_until)
        return None if news is None else (subjects.CONSOLIDATED_TICKER + market, *events.encode_ticker(news))

    def _make_book(self, market: str, now: int) -> Output | None:
        reader = Reader(self._state, now)
        offered = _or_none(lambda: offer_books(reader, self._by_market.get(market, ())))
        fields = events.book_fields(market, offered or ())
        news = self._find_news((subjects.STATE_BOOK, market), fields, reader.holds_until)
        return None if news is None else (subjects.CONSOLIDATED_BOOK + market, *events.encode_book(news))

    def _find_news(
        self, key: tuple[str, str], fields: dict[str, Any] | None, holds_until: int
    ) -> dict[str, Any] | None:
        """Return what is to be published, which is taken as published then; None where that is known already."""
        if fields is None:
            self._expires.pop(key, None)
            return None
        self._expires[key] = holds_until
        content = events.content_of(fields)
        if self._said.get(key) == content:
            return None
        self._said[key] = content
        return fields

    def forget(self) -> None:
        """Forget what was published, and publish everything: somebody else did meanwhile, or it did not arrive."""
        self._said.clear()
        self.on_all()


def _or_none(read: Callable[[], T | None]) -> T | None:
    """Read; None where a document of the state cannot be read, which the reader logs."""
    try:
        return read()
    except InternalError:
        return None


def _judgement(feed: Feed | None) -> Judgement:
    """What the quality of a venue's data depends on besides itself."""
    return feed_quality(feed), tuple((one.connection, one.state) for one in feed.away) if feed is not None else ()


def fold_ticker(held: Ticker | None, event: Any) -> Ticker:
    """A ticker with the parts that a new frame says; an older frame than is held changes nothing."""
    if held is not None and held.ts_recv > event.ts_recv:
        return held
    parts = {name: _newest(name, held, event) for name in _TICKER_PARTS}
    quality = "sim" if event.sim else "live"
    return make_ticker(
        sim=event.sim,
        venue=event.venue,
        symbol=event.symbol,
        venue_symbol=event.venue_symbol,
        **parts,
        ts_recv=event.ts_recv,
        quality=quality,
    )


def _newest(name: str, held: Ticker | None, event: Any) -> str | None:
    said: str | None = getattr(event, name)
    return said if said is not None or held is None else getattr(held, name)
