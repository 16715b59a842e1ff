"""Bybit's book topics: the texts of the best level and of books with 50, 200 or 1000 levels after a step.

https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
"""

from __future__ import annotations

from dataclasses import replace

from producers.simulator.hub import Tick
from producers.simulator.market.listing import Listing
from producers.simulator.venue import pairs_text
from producers.simulator.venues.bybit.rows import counter_key
from producers.simulator.windows import Levels, Touch, View

BOOK_PERIODS_MS = {50: 20, 200: 100, 1000: 200}
REPEAT_US = 3_000_000


class TopOfBook:
    """`orderbook.1`: snapshots only, repeated with the same `u` after 3 s without a change."""

    channel = "bbo"
    is_delta = False

    def __init__(self, listing: Listing, counters: dict[str, int]) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._touch = Touch(listing)
        self._counter = Counter(listing, 1, counters)
        self._sent_us = 0

    def list_texts(self, tick: Tick) -> list[str]:
        if self._touch.has_moved():
            self._counter.advance()
        elif tick.now_us - self._sent_us < REPEAT_US:
            return []
        self._sent_us = tick.now_us
        return [self.snapshot(tick)]

    def snapshot(self, tick: Tick) -> str:
        book = self.listing.book
        return _book_text(
            self.listing, tick, ("1", "snapshot"), (book.list_bids(1), book.list_asks(1), self._counter.u)
        )


class OrderBook:
    """`orderbook.50|200|1000`: a snapshot first, then deltas with `u` + 1."""

    channel = "depth"
    is_delta = True

    def __init__(self, listing: Listing, depth: int, counters: dict[str, int]) -> None:
        self.listing = listing
        self.symbol = listing.instrument.symbol
        self._name = str(depth)
        self._view = View(listing, depth, BOOK_PERIODS_MS[depth], starts_fresh=True)
        self._counter = Counter(listing, depth, counters)
        self._is_reset = False

    def reset(self) -> None:
        """The next push is a snapshot with `u` 1, as after a restart of the venue's service."""
        self._is_reset = True

    def list_texts(self, tick: Tick) -> list[str]:
        change = self._view.collect(tick)
        if self._is_reset:
            self._is_reset = False
            self._counter.restart()
            return [self.snapshot(tick)]
        if change is None:
            return []
        self._counter.advance()
        return [_book_text(self.listing, tick, (self._name, "delta"), (change.bids, change.asks, self._counter.u))]

    def snapshot(self, tick: Tick) -> str:
        bids, asks = self._view.levels()
        tick = replace(tick, now_us=self._view.shown_us)
        return _book_text(self.listing, tick, (self._name, "snapshot"), (bids, asks, self._counter.u))


class Counter:
    """The update id `u` of one topic, kept while nobody listens."""

    def __init__(self, listing: Listing, depth: int, counters: dict[str, int]) -> None:
        t = listing.instrument
        self._key = counter_key(t.market, t.symbol, depth)
        self._counters = counters
        counters.setdefault(self._key, 1_000_000 + depth * 1000 + listing.book.update_id % 997)

    @property
    def u(self) -> int:
        return self._counters[self._key]

    def advance(self) -> None:
        self._counters[self._key] += 1

    def restart(self) -> None:
        self._counters[self._key] = 1


def _book_text(listing: Listing, tick: Tick, what: tuple[str, str], book: tuple[Levels, Levels, int]) -> str:
    depth, kind = what
    bids, asks, u = book
    symbol = listing.instrument.symbol
    rows = f'"b":{pairs_text(listing, bids)},"a":{pairs_text(listing, asks)}'
    return (
        f'{{"topic":"orderbook.{depth}.{symbol}","ts":{tick.now_ms},"type":"{kind}","data":{{"s":"{symbol}",{rows},'
        f'"u":{u},"seq":{listing.book.update_id}}},"cts":{tick.now_ms - 1}}}'
    )
