"""A ledger in memory: feeds' events in, what its documents say of a span out."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from consumers.coverage.core import Ledger, VenueBook
from contracts import codec
from contracts.instrument import escape_token
from contracts.market import ConnectionState, FeedStatus, Served, TradeRange
from contracts.services.coverage import HOUR_NS, KEY_HOUR, KEY_SEEN, KEY_VENUE, HourLedger, SeenLedger, VenueLedger
from runtime.coverage.view import Covered, Followed, LedgerView, Sums, count

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_800_000_000 * SECOND
VENUE = "binance"
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
Status = codec.fast(FeedStatus)
Range = codec.fast(TradeRange)
Serves = codec.fast(Served)
State = codec.fast(ConnectionState)
Seen = codec.fast(SeenLedger)


def status(state: str, at: int, channel: str | None = None, symbol: str | None = None, **more: Any) -> Any:
    """Make a FeedStatus of one venue; `filled` and `missing` are spans, other fields are as they are."""
    for name in ("filled", "missing"):
        if name in more:
            more[name] = [
                Range(first_id=None, last_id=None, start_ts=start, end_ts=end, trades=None) for start, end in more[name]
            ]
    return Status(
        id=f"binance.feed.{at}.{channel}.{symbol}", venue=VENUE, symbol=symbol, venue_symbol=None, ts_event=None,
        ts_recv=at, sim=False, state=state, reason=None, channel=channel, **more,
    )  # fmt: skip


class Connection:
    """One connection of the venue as its statuses name it, with the symbols of its channels."""

    def __init__(self, name: str, symbols: tuple[str, ...], channels: tuple[str, ...] = ("trade", "book")) -> None:
        self.channels, self.symbols, self.state = channels, symbols, "connecting"
        self._lists = [Serves(channels=list(channels), symbols=list(symbols))]
        self.id = f"{name}:{zlib.crc32(codec.encode(self._lists)):08x}"

    def say(self, state: str, at: int, *, listing: bool = False, **more: Any) -> list[Any]:
        """Say the state of each channel; with `listing` also what it serves."""
        self.state = state
        lists = {"serves": self._lists} if listing else {}
        return [status(state, at, channel, connection=self.id, **lists, **more) for channel in self.channels]


def whole(at: int, *connections: Connection) -> Any:
    """Say the state of the venue as a whole, with its connections'."""
    states = [State(id=one.id, state="live" if one.state == "live" else "connecting") for one in connections]
    live = sum(one.state == "live" for one in states)
    return status("live" if live == len(states) else "connecting" if live else "down", at, connections=states)


class Kept:
    """A ledger with the bucket that it is saved into."""

    def __init__(self, start: int = START, channels: tuple[str, ...] = ("trade", "book")) -> None:
        self.ledger, self.bucket, self.seen = Ledger(), dict[str, bytes](), start
        self.view = LedgerView(self.bucket.get)
        self.ledger.find(VENUE).on_listing(SYMBOLS, start)
        self.say(*(status("live", start, channel) for channel in channels), status("live", start))

    def say(self, *statuses: Any) -> None:
        """Fold what a feed says."""
        for item in statuses:
            self.ledger.on_status(item)

    def save(self, now: int) -> None:
        """Write what changed; the producers are known to live."""
        venues, hours = self.ledger.drain(now // HOUR_NS)
        self.bucket |= {KEY_VENUE + escape_token(venue): codec.encode(held) for venue, held in venues.items()}
        self.bucket |= {f"{KEY_HOUR}{venue}.{hour}": codec.encode(held) for (venue, hour), held in hours.items()}
        self.bucket[KEY_SEEN] = codec.encode(Seen(venues={VENUE: now}))

    def restart(self) -> None:
        """Go on with what is in the bucket."""
        self.ledger = Ledger()
        for key, body in self.bucket.items():
            token, _, hour = key.removeprefix(KEY_HOUR).rpartition(".")
            if key.startswith(KEY_VENUE):
                self.ledger.find(VENUE).restore(msgspec.json.decode(body, type=codec.fast(VenueLedger)))
            elif key.startswith(KEY_HOUR):
                self.ledger.restore_hour(token, int(hour), msgspec.json.decode(body, type=codec.fast(HourLedger)))

    def find(self, span: tuple[int, int], now: int, symbol: str = SYMBOLS[0], channel: str = "trade") -> Covered:
        """Return what is known of a span."""
        self.save(now)
        return self.view.find(Followed(VENUE, symbol, channel), span, now)

    def count(self, span: tuple[int, int], now: int, symbol: str = SYMBOLS[0], channel: str = "trade") -> Sums:
        """Return what its seconds were."""
        return count(self.find(span, now, symbol, channel), span)[0]


def book_of(*statuses: Any, counts: bool = True) -> VenueBook:
    """Return the book of a venue that lists SYMBOLS and has said this."""
    book = VenueBook(VENUE)
    book.on_listing(SYMBOLS, START)
    for item in statuses:
        book.on_status(item, counts=counts)
    return book


def lost(book: VenueBook, symbol: str = SYMBOLS[0]) -> list[tuple[int, int]]:
    """Return what of an instrument's trades was lost, from START."""
    spans = [span for hour in sorted(book.hours) for span in book.hours[hour].lost_of("trade", symbol)]
    return [(start - START, end - START) for start, end in spans]


def filled(book: VenueBook, symbol: str = SYMBOLS[0]) -> list[tuple[int, int]]:
    """Return what of an instrument's trades was filled, from START; cut at the hours."""
    spans = [
        (hour * HOUR_NS + start, hour * HOUR_NS + end)
        for hour in sorted(book.hours)
        for row in book.hours[hour].save().rows
        if row.symbol == symbol
        for start, end in row.filled
    ]
    return [(start - START, end - START) for start, end in spans]
