"""Streams of book changes: every change, what changed since the last push, what entered or left a limited view."""

from __future__ import annotations

from dataclasses import dataclass, field

from producers.simulator.hub import Tick
from producers.simulator.market.book import LevelChange
from producers.simulator.market.listing import Listing

Levels = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Change:
    """The levels of one push with their absolute amounts (0 removes) and the ids that it spans."""

    bids: Levels
    asks: Levels
    first_id: int
    last_id: int
    prev_id: int


@dataclass(slots=True)
class Steps:
    """Collects every single change of a book, in the order in which they happened; returned every `period_ms`.

    For venues that number each change: a level that came and went within a period is sent twice, as it was set and as
    it was removed.
    """

    listing: Listing
    period_ms: int
    pending: list[LevelChange] = field(default_factory=list[LevelChange])
    last_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.last_id = self.listing.book.update_id

    def collect(self, tick: Tick) -> list[LevelChange]:
        """To be called after every step; the changes when they are due."""
        self.pending.extend(self.listing.book.changes)
        if not tick.due(self.period_ms):
            return []
        due, self.pending = self.pending, []
        self.last_id = self.listing.book.update_id
        return due


@dataclass(slots=True)
class Window:
    """Collects a whole book's changes and returns them every `period_ms`."""

    listing: Listing
    period_ms: int
    bids: set[int] = field(default_factory=set[int])
    asks: set[int] = field(default_factory=set[int])
    first_id: int = 0
    last_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.last_id = self.listing.book.update_id

    def collect(self, tick: Tick) -> Change | None:
        """To be called after every step; the change when one is due."""
        book = self.listing.book
        if book.first_id:
            self.bids |= book.touched_bids
            self.asks |= book.touched_asks
            self.first_id = self.first_id or book.first_id
        if not self.first_id or not tick.due(self.period_ms):
            return None
        change = Change(
            [(price, book.bids.get(price, 0)) for price in sorted(self.bids, reverse=True)],
            [(price, book.asks.get(price, 0)) for price in sorted(self.asks)],
            self.first_id,
            book.update_id,
            self.last_id,
        )
        self.last_id = book.update_id
        self.bids, self.asks, self.first_id = set(), set(), 0
        return change


@dataclass(slots=True)
class View:
    """The best `depth` levels a side as last published; `collect` returns what entered, changed and left.

    `shown_us` is when it was read. With `starts_fresh` it is read again by the first `collect`, which returns nothing:
    for topics that send new subscribers a snapshot, so that its time is that of its content. With `repeats` levels that
    changed and changed back between two pushes are pushed as well, for venues whose REST books join the pushes: a
    client that was seeded in between would keep what is gone.
    """

    listing: Listing
    depth: int
    period_ms: int
    starts_fresh: bool = False
    repeats: bool = False
    touched_bids: set[int] = field(default_factory=set[int])
    touched_asks: set[int] = field(default_factory=set[int])
    bids: dict[int, int] = field(init=False)
    asks: dict[int, int] = field(init=False)
    last_id: int = field(init=False)
    is_changed: bool = False
    shown_us: int = 0

    def __post_init__(self) -> None:
        self._read()

    def collect(self, tick: Tick) -> Change | None:
        """To be called after every step; the change when one is due and the view differs."""
        if self.starts_fresh and not self.shown_us:
            self._read()
            self.shown_us = tick.now_us
            return None
        book = self.listing.book
        self.is_changed = self.is_changed or book.first_id != 0
        if self.repeats and book.first_id:
            self.touched_bids |= book.touched_bids
            self.touched_asks |= book.touched_asks
        if not self.is_changed or not tick.due(self.period_ms):
            return None
        before_bids, before_asks, prev_id = self.bids, self.asks, self.last_id
        self._read()
        bids = _differences(before_bids, self.bids, self.touched_bids)
        asks = _differences(before_asks, self.asks, self.touched_asks)
        self.touched_bids, self.touched_asks = set(), set()
        if not bids and not asks:
            self.last_id = prev_id
            return None
        self.shown_us = tick.now_us
        bids.sort(reverse=True)
        asks.sort()
        return Change(bids, asks, prev_id + 1, self.last_id, prev_id)

    def levels(self) -> tuple[Levels, Levels]:
        """The published view, best first."""
        return list(self.bids.items()), list(self.asks.items())

    def _read(self) -> None:
        book = self.listing.book
        self.bids = dict(book.list_bids(self.depth))
        self.asks = dict(book.list_asks(self.depth))
        self.last_id = book.update_id
        self.is_changed = False


def _differences(before: dict[int, int], after: dict[int, int], touched: set[int]) -> Levels:
    rows = [(price, amount) for price, amount in after.items() if before.get(price) != amount or price in touched]
    rows.extend((price, 0) for price in before.keys() | touched if price not in after)
    return rows


@dataclass(slots=True)
class Touch:
    """The best bid and ask as last published."""

    listing: Listing
    last: tuple[int, int, int, int] = (0, 0, 0, 0)

    def has_moved(self) -> bool:
        """Return whether the best prices differ from those of the last call that returned True."""
        book = self.listing.book
        bid, ask = book.best_bid, book.best_ask
        now = (bid, book.bids[bid], ask, book.asks[ask])
        moved = now != self.last
        self.last = now
        return moved
