"""What a simulator really did: every trade, every change of every book, and the figures at each published moment."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import takewhile

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Tick
from producers.simulator.market.book import LevelChange
from producers.simulator.market.listing import Listing, Trade
from producers.simulator.server import Simulator

Levels = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Figures:
    """One instrument at one published moment, in its own whole units."""

    now_ms: int
    update_id: int
    trade: Trade
    bid: tuple[int, int]
    ask: tuple[int, int]
    open: int
    high: int
    low: int
    volume: int
    value: int


@dataclass(slots=True)
class Truth:
    """One instrument's history since the simulator began."""

    listing: Listing
    first_id: int
    bids: dict[int, int]
    asks: dict[int, int]
    changes: list[LevelChange] = field(default_factory=list[LevelChange])
    trades: list[Trade] = field(default_factory=list[Trade])
    moments: list[Figures] = field(default_factory=list[Figures])

    @classmethod
    def begin(cls, listing: Listing) -> Truth:
        """Return the history of `listing` from now on; the trades that it remembers are part of it."""
        book = listing.book
        return cls(listing, book.update_id, dict(book.bids), dict(book.asks), trades=list(listing.recent))

    def note(self, now_ms: int) -> None:
        """Note what the last step did."""
        listing, book = self.listing, self.listing.book
        self.changes.extend(book.changes)
        self.trades.extend(listing.trades)
        bid, ask = book.best_bid, book.best_ask
        touch = (bid, book.bids[bid]), (ask, book.asks[ask])
        day = listing.open_24h, listing.high_24h, listing.low_24h, listing.volume_units, listing.quote_units
        self.moments.append(Figures(now_ms, book.update_id, listing.last, *touch, *day))

    def find_moments(self, now_ms: int) -> list[Figures]:
        """Return what was published at this millisecond: mostly one moment, two where the simulator was late."""
        begin = bisect_left(self.moments, now_ms, key=lambda moment: moment.now_ms)
        return list(takewhile(lambda moment: moment.now_ms == now_ms, self.moments[begin:]))

    def books(self, update_ids: set[int]) -> dict[int, tuple[Levels, Levels]]:
        """Return the whole book, best levels first, at each of these update ids that it really had."""
        bids, asks = dict(self.bids), dict(self.asks)
        found: dict[int, tuple[Levels, Levels]] = {}
        if self.first_id in update_ids:
            found[self.first_id] = _sorted(bids, asks)
        for change in self.changes:
            side = bids if change.is_bid else asks
            if change.amount:
                side[change.price] = change.amount
            else:
                del side[change.price]
            if change.update_id in update_ids:
                found[change.update_id] = _sorted(bids, asks)
        return found


def _sorted(bids: dict[int, int], asks: dict[int, int]) -> tuple[Levels, Levels]:
    return sorted(bids.items(), reverse=True), sorted(asks.items())


class WatchedSimulator(Simulator):
    """A simulator that notes its truth at every moment, before it publishes it."""

    def __init__(self, config: SimulatorConfig) -> None:
        super().__init__(config)
        self.truths = {key: Truth.begin(listing) for key, listing in self.market.listings.items()}

    def _publish(self, tick: Tick) -> None:
        for truth in self.truths.values():
            truth.note(tick.now_ms)
        super()._publish(tick)
