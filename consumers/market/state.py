"""The cached state: symbols resolved, documents read once, and what an answer was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from consumers.market.documents import (
    Book,
    Feed,
    Funding,
    Interest,
    Liquidations,
    Ticker,
    Trades,
    Whales,
    decode,
    join_trades,
)
from consumers.market.listed import Listed, base_of, index_listed, shortest_pair
from consumers.market.price import Consolidated, Quoted, decide_price
from consumers.market.quality import DEAD_AFTER_NS, LIVE, SIM, Freshness, decide_quality, judge_feed, worst
from contracts import subjects
from contracts.errors import (
    InternalError,
    InvalidParameterError,
    NoDataError,
    NotReadyError,
    UnknownSymbolError,
    UnknownVenueError,
)
from contracts.instrument import Instrument, escape_token
from contracts.services.market import LONGEST_SYMBOL
from contracts.state import find_page_place
from contracts.symbols import SymbolBook, find_venue
from runtime.coverage.view import LedgerView

MOST_LISTED: Final = 500
_DATA_KEYS: Final = (subjects.STATE_TICKER, subjects.STATE_BOOK)


class Bucket(Protocol):
    """A key-value bucket mirrored in memory."""

    def get(self, key: str, /) -> bytes | None:
        """Return the newest value."""
        ...

    def keys(self) -> Iterable[str]:
        """List the keys that have a value."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a symbol means: `name` as it is answered (`BTC`, `BTC/USDT`), and the instruments that carry data."""

    name: str
    base: str
    bare: bool
    instruments: tuple[Instrument, ...]

    @property
    def symbols(self) -> frozenset[str]:
        """The unified symbols of the instruments."""
        return frozenset(item.symbol for item in self.instruments)


class MarketState:
    """The mirrors with their index of symbols; `generation` changes whenever no kept answer holds.

    `on_unreadable(key, error)` is called for each document that cannot be read.
    """

    def __init__(
        self,
        bucket: Bucket,
        stale_after_ns: int,
        connected: Callable[[], bool],
        on_unreadable: Callable[[str, Exception], None] = lambda _key, _error: None,
    ) -> None:
        self.bucket = bucket
        self.on_unreadable = on_unreadable
        self.listed = Listed()
        self.ledger: LedgerView | None = None  # of coverage, as soon as it was read
        self._stale_after_ns = stale_after_ns
        self._connected = connected
        self._listings = 0

    @property
    def generation(self) -> tuple[int, bool]:
        """What answers depend on besides documents: the listing, and whether the bus is there."""
        return self._listings, self._connected()

    @property
    def symbols(self) -> SymbolBook:
        """What exchanges list, by every spelling."""
        return self.listed.symbols

    @property
    def freshness(self) -> Freshness:
        """When data is stale now."""
        return Freshness(self._stale_after_ns, cut=not self._connected())

    def over(self, bucket: Bucket, ledger: LedgerView, listed: Listed) -> MarketState:
        """Return a listing over documents, both as of a moment, at which the bus was there."""
        other = MarketState(bucket, self._stale_after_ns, lambda: True, self.on_unreadable)
        other.ledger, other.listed = ledger, listed
        return other

    def save_symbols(self, symbols: SymbolBook) -> None:
        """Take a new listing."""
        self.listed = index_listed(symbols)
        self._listings += 1

    def find(self, text: str, venue: str | None = None) -> Found:
        """Resolve a symbol to the instruments that carry data; refusals list what is supported."""
        listed = self.find_listed(text, venue)
        instruments = tuple(item for item in listed.instruments if self.has_data(item))
        if not instruments:
            raise self._unknown(f"Symbol {text} is listed, but nothing was received of it", NoDataError)
        return Found(listed.name, listed.base, listed.bare, instruments)

    def find_listed(self, text: str, venue: str | None = None) -> Found:
        """Resolve a symbol to every instrument that it means, with data or without."""
        if not text or len(text) > LONGEST_SYMBOL:
            raise InvalidParameterError(
                f"Parameter symbol must have 1 to {LONGEST_SYMBOL} characters", parameter="symbol"
            )
        if not self.symbols.instruments:
            raise NotReadyError("No exchange has listed its instruments yet", waiting_for=["instruments"])
        try:
            listed = self.symbols.find(text, venue)
        except UnknownVenueError as error:
            raise UnknownVenueError(error.message, parameter="exchange", **error.details) from error
        except UnknownSymbolError as error:
            raise self._unknown(f"Symbol {text} is not supported", UnknownSymbolError) from error
        bare = base_of(text) == listed[0].base
        return Found(listed[0].base if bare else shortest_pair(listed), listed[0].base, bare, listed)

    def find_venue(self, text: str) -> str:
        """Give the id of a venue that lists anything; UnknownVenueError lists those that do."""
        try:
            return find_venue(text, self.symbols.venues)
        except UnknownVenueError as error:
            raise UnknownVenueError(error.message, parameter="exchange", **error.details) from error

    def has_data(self, item: Instrument) -> bool:
        """Return whether there is data of an instrument."""
        return any(self.bucket.get(prefix + item.tail) is not None for prefix in _DATA_KEYS)

    def list_of_base(self, base: str) -> tuple[Instrument, ...]:
        """List every instrument of a base, on every venue."""
        return self.listed.by_base.get(base, ())

    def find_instrument(self, tail: str) -> Instrument | None:
        """Give the instrument that the last four tokens of a subject name."""
        return self.listed.by_tail.get(tail)

    def list_supported(self) -> list[str]:
        """List the symbols that carry data, at most 500."""
        return sorted({item.symbol for item in self.list_received()})[:MOST_LISTED]

    def list_received(self) -> list[Instrument]:
        """List the instruments that carry data, by venue and symbol."""
        tails = {key.partition(".")[2] for key in self.bucket.keys() if key.startswith(_DATA_KEYS)}  # noqa: SIM118
        found = [self.listed.by_tail[tail] for tail in tails if tail in self.listed.by_tail]
        return sorted(found, key=lambda item: (item.venue, item.symbol))

    def _unknown(
        self, message: str, kind: type[UnknownSymbolError | NoDataError]
    ) -> UnknownSymbolError | NoDataError | NotReadyError:
        supported = self.list_supported()
        if not supported:
            return NotReadyError("No market data has arrived yet", waiting_for=["market data"])
        return kind(message, parameter="symbol", supported_symbols=supported)


class Reader:
    """One answer's look at the state: remembers what it read and until when that holds.

    `newer` are tickers by tail that came over the bus and may not be in the state yet.
    """

    def __init__(self, state: MarketState, now_ns: int, newer: Mapping[str, Ticker] | None = None) -> None:
        self.state = state
        self._newer = newer or {}
        self.now_ns = now_ns
        self.freshness = state.freshness
        self.read: dict[str, bytes | None] = {}
        self.holds_until = 1 << 63

    def find_document(self, prefix: str, name: str) -> Any:
        """Give the document `name` of a kind, None where there is none; InternalError for one that cannot be read."""
        key = prefix + name
        body = self.state.bucket.get(key)
        self.read[key] = body
        if body is None:
            return None
        try:
            return decode(prefix, body)
        except msgspec.MsgspecError as error:
            self.state.on_unreadable(key, error)
            raise InternalError("Something went wrong here") from error

    def find_feed(self, venue: str) -> Feed | None:
        """Give the health of a venue's feed."""
        return self._find_feed(escape_token(venue))

    def list_feeds(self) -> list[Feed]:
        """List the health of every feed that the state knows, by venue."""
        prefix = subjects.STATE_FEED
        tokens = sorted(key.removeprefix(prefix) for key in self.state.bucket.keys() if key.startswith(prefix))  # noqa: SIM118
        if not tokens:
            self.holds_until = self.now_ns  # no document whose change would end it
        return [feed for token in tokens if (feed := self._find_feed(token)) is not None]

    def _find_feed(self, token: str) -> Feed | None:
        """Give the health of a venue's feed, judged by its age; the answer holds no longer than that."""
        feed = self.find_document(subjects.STATE_FEED, token)
        if feed is None or feed.as_of is None:
            return feed
        expires = feed.as_of + DEAD_AFTER_NS
        if expires >= self.now_ns:
            self.holds_until = min(self.holds_until, expires)
        return judge_feed(feed, self.now_ns)

    def find_ticker(self, item: Instrument) -> Ticker | None:
        """Give the ticker of an instrument: the newer of the cached one and what came since."""
        cached, newer = self.find_document(subjects.STATE_TICKER, item.tail), self._newer.get(item.tail)
        if cached is None or newer is None:
            return cached or newer
        return newer if newer.ts_recv > cached.ts_recv else cached

    def find_book(self, item: Instrument) -> Book | None:
        """Give the latest book of an instrument."""
        return self.find_document(subjects.STATE_BOOK, item.tail)

    def find_trades(self, item: Instrument) -> Trades | None:
        """Give the recent trades of an instrument, those of its pages too."""
        newest = self.find_document(subjects.STATE_TRADE, item.tail)
        if newest is None:
            return None
        places = [find_page_place(number, item.tail) for number in newest.pages]
        return join_trades(newest, [self.find_document(subjects.STATE_TRADES_PAGE, place) for place in places])

    def find_funding(self, item: Instrument) -> Funding | None:
        """Give the latest funding of an instrument."""
        return self.find_document(subjects.STATE_FUNDING, item.tail)

    def find_interest(self, item: Instrument) -> Interest | None:
        """Give the latest open interest of an instrument."""
        return self.find_document(subjects.STATE_INTEREST, item.tail)

    def find_whales(self, base: str) -> Whales | None:
        """Give the recent whale trades of a base."""
        return self.find_document(subjects.STATE_WHALES, escape_token(base))

    def find_liquidations(self, base: str) -> Liquidations | None:
        """Give the recent liquidations of a base."""
        return self.find_document(subjects.STATE_LIQUIDATIONS, escape_token(base))

    def quality(self, document: Any, item: Instrument, channel: str) -> str:
        """The quality of a document of an instrument's channel now; the answer holds no longer than that."""
        own = worst((getattr(document, "quality", LIVE), SIM if document.sim else LIVE))
        return self.quality_of(own, document.ts_recv, item, channel)

    def quality_of(self, own: str, ts_recv: int, item: Instrument, channel: str) -> str:
        """The quality of something that arrived at `ts_recv` (ns UTC) in a channel of an instrument."""
        expires = ts_recv + self.freshness.after_ns
        if expires >= self.now_ns:
            self.holds_until = min(self.holds_until, expires)
        feed, place = self.find_feed(item.venue), (channel, item.symbol)
        return decide_quality(own, feed, self.now_ns - ts_recv, self.freshness, place=place)

    def list_quoted(self, instruments: Iterable[Instrument]) -> list[Quoted]:
        """List what each venue says about its price."""
        quoted: list[Quoted] = []
        for item in instruments:
            ticker = self.find_ticker(item)
            if ticker is not None:
                quoted.append(Quoted(ticker, self.quality(ticker, item, "ticker"), item.contract, item.quote))
        return quoted

    def price(self, found: Found) -> tuple[Consolidated, list[Quoted]]:
        """The consolidated price with all that it was chosen from; NotReadyError where no venue has a price."""
        quoted = self.list_quoted(found.instruments)
        price = decide_price(quoted)
        if price is None:
            raise NotReadyError(f"No price of {found.name} has arrived yet", waiting_for=["price"], symbol=found.name)
        return price, quoted
