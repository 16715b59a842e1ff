"""Prices of symbols: the consolidated ticker of the market that each means now, as the market core says which.

Between the core's answers the ticker's events are followed; every few seconds it is requested again, so that a
symbol that means another market now is followed there, and a price that nobody makes any more becomes stale. A price
that did not change is sent again before five seconds are over, with the age that it has by then.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from api.market import formats
from contracts import subjects
from contracts.errors import HydrophoneError
from contracts.instrument import escape_token, unescape_token
from contracts.schema.literals import Age, SentAt, number
from contracts.services.market import TickerQuery
from runtime import clock
from runtime.clients.market_client import MarketClient, encode_query

REFRESH_SECONDS: Final = 5.0
QUIET_SECONDS: Final = 3.5  # after which a price is requested, and sent again
QUIETEST_SECONDS: Final = 4.4  # after which it is sent as it is
LOOK_SECONDS: Final = 0.5
_READ: Final = ("quote", "market", "source", "exchanges", "stale_exchanges", "age", "quality", "sim")
_FIGURES: Final = ("change_24h", "volume_24h", "high_24h", "low_24h", "bid", "ask")
_SHOWN: Final = {"high_24h": "high", "low_24h": "low"}  # under another name
AT_ONCE: Final = 16
_AGGREGATED: Final = "aggregated"
_STALE: Final = "stale"
_NOT_COMPARED: Final = ("age", "timestamp")
_NS: Final = 1_000_000_000
_SLACK_NS: Final = 10_000_000  # a reply's age has milliseconds, and grows on the way
Fields = dict[str, Any]
_NULL: Final = msgspec.Raw(b"null")
_ticker: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class Priced:
    """What is known of a symbol: the subject that is followed, the newest message, when its data arrived (ns), and when
    it was sent last (monotonic seconds)."""  # noqa: D205, D209

    follows: str | None = None
    fields: Fields | None = None
    ts: int = 0
    sent_at: float = 0.0


class Prices:
    """Keeps the price of every symbol that is subscribed to; `on_price(name, fields)` gets each that is to be sent."""

    def __init__(self, market: MarketClient, on_price: Callable[[str, Fields], None]) -> None:
        self._market, self._on_price = market, on_price
        self._wanted: Counter[str] = Counter()
        self._held: dict[str, Priced] = {}
        self._named: defaultdict[str, set[str]] = defaultdict(set)  # the symbols that are wanted, by their subjects'
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def acquire(self, name: str) -> None:
        """Keep the price of a symbol for one more."""
        self._wanted[name] += 1
        self._named[_prefix(name)].add(name)

    def release(self, name: str) -> None:
        """Keep it for one less."""
        self._wanted[name] -= 1
        if self._wanted[name] > 0:
            return
        del self._wanted[name]
        self._held.pop(name, None)
        named = self._named[_prefix(name)]
        named.discard(name)
        if not named:
            del self._named[_prefix(name)]

    def find_known(self, name: str) -> Fields | None:
        """The newest price of a symbol that is known; where none is, it is requested, and sent when it comes."""
        held = self._held.get(name)
        if held is None or held.fields is None:
            self._begin_refresh(name)
            return None
        return held.fields

    async def find(self, name: str) -> Fields | None:
        """The newest price of a symbol; None where there is none."""
        held = self._held.get(name)
        if held is None or held.fields is None:
            await self._refresh(name)
            held = self._held.get(name)
        return None if held is None else held.fields

    def on_event(self, subject: str, event: Any) -> None:
        """Send the price of every symbol that means this market."""
        for name in self._named.get(_prefix_of(subject), ()):
            held = self._held.get(name)
            if held is None or held.follows is None:
                self._begin_refresh(name)
            elif held.follows == subject and event.last is not None and event.ts_recv >= held.ts - _SLACK_NS:
                self._take(name, held, _fields_of_event(name, subject, event), event.ts_recv)
                if event.quality == _STALE:
                    self._begin_refresh(name)  # the symbol may mean another market now

    async def keep_refreshing(self) -> None:
        """Request every price again and again, and send again those that are quiet."""
        refreshed = clock.monotonic()
        while True:
            await clock.sleep(LOOK_SECONDS)
            now = clock.monotonic()
            for name, held in list(self._held.items()):
                if held.fields is not None and now - held.sent_at >= QUIETEST_SECONDS:
                    self._send(name, held, held.fields)
                elif held.fields is not None and now - held.sent_at >= QUIET_SECONDS:
                    self._begin_refresh(name, send=True)
            if now - refreshed >= REFRESH_SECONDS:
                refreshed = now
                for name in list(self._wanted):
                    self._begin_refresh(name)

    def _take(self, name: str, held: Priced, fields: Fields, ts: int) -> None:
        """Keep what is newer, and send it where it says something else."""
        is_news = held.fields is None or _compared(held.fields) != _compared(fields)
        held.fields, held.ts = fields, ts
        if is_news:
            self._send(name, held, fields)

    def _send(self, name: str, held: Priced, fields: Fields) -> None:
        held.sent_at = clock.monotonic()
        self._on_price(name, fields)

    def _begin_refresh(self, name: str, *, send: bool = False) -> None:
        if name not in self._refreshing:
            task = self._refreshing[name] = asyncio.create_task(self._refresh(name, send=send), name=f"price of {name}")
            task.add_done_callback(lambda _: self._refreshing.pop(name, None))

    async def _refresh(self, name: str, *, send: bool = False) -> None:
        """Take the core's answer, unless an event had something newer of the same market; send what changed.

        With `send` it is sent in any case.
        """
        before = clock.monotonic()
        async with self._room:
            try:
                found = await self._market.request("ticker", encode_query(TickerQuery(symbol=name)))
            except HydrophoneError:
                return  # no exchange has a price yet: the first event of one requests it again
        if name not in self._wanted:
            return
        now_ns = clock.now_ns()
        members = _ticker.decode(formats.render(found, formats.bare, now_ns))
        ticker = {name: msgspec.json.decode(members[name]) for name in _READ}
        follows = _subject_of(name, ticker["quote"], ticker["market"])
        ts = now_ns - int(ticker["age"] * _NS)
        held = self._held.setdefault(name, Priced())
        newer = held.fields is not None and held.follows == follows and held.ts > ts + _SLACK_NS
        held.follows = follows
        if not newer:
            self._take(name, held, _fields_of_reply(name, ticker, members, ts), ts)
        elif found.stale and held.fields is not None:
            self._take(name, held, {**held.fields, "quality": _STALE}, held.ts)
        if send and held.sent_at < before and held.fields is not None:
            self._send(name, held, held.fields)


def _prefix_of(subject: str) -> str:
    """Return a ticker's subject up to its base."""
    return f"{subjects.CONSOLIDATED_TICKER}{subject[len(subjects.CONSOLIDATED_TICKER) :].partition('.')[0]}."


def _subject_of(name: str, quote: str, market: str) -> str:
    return f"{_prefix(name)}{escape_token(quote)}.{market}"


def _prefix(name: str) -> str:
    return f"{subjects.CONSOLIDATED_TICKER}{escape_token(name.partition('/')[0])}."


def _compared(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in _NOT_COMPARED}


def _fields_of_reply(name: str, ticker: Fields, figures: Fields, ts: int) -> Fields:
    used = [part["exchange"] for part in ticker["exchanges"] if part["used"]]
    known = {own: None if figure == _NULL else figure for own, figure in figures.items()}  # as events have it
    return _fields(name, {**ticker, "exchanges": used, "age": Age(ts)}, figures["price"], known)


def _fields_of_event(name: str, subject: str, event: Any) -> Fields:
    quote, market = subject.split(".")[-2:]
    stale = [venue for venue, reason in event.left_out if reason == _STALE]
    ticker = {
        "quote": unescape_token(quote),
        "market": market,
        "source": event.used[0] if len(event.used) == 1 else _AGGREGATED,
        "exchanges": event.used,
        "stale_exchanges": [*event.used, *stale] if event.quality == _STALE else stale,
        "age": Age(event.ts_recv),
        "quality": event.quality,
        "sim": event.sim,
    }
    figures = {name: number(getattr(event, name)) for name in _FIGURES}
    return _fields(name, ticker, number(event.last), figures)


def _fields(name: str, ticker: Fields, price: Any, figures: Fields) -> Fields:
    """Return a message with its fields in their order."""
    read = {own: ticker[own] for own in _READ}
    shown = {_SHOWN.get(own, own): figures[own] for own in _FIGURES}
    return {"type": "price_update", "symbol": name, "price": price, **read, **shown, "timestamp": SentAt()}
