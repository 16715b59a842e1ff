"""The recent trades of an instrument: the newest few, and pages of older ones that change no more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consumers.cache.newest import find_place
from contracts.state import MOST_TRADES, PAGES, TRADES_OF_PAGE

FastTrade = Any  # a struct of `contracts.codec.fast`: decimals are text


class TradeList:
    """At most `MOST_TRADES` trades, newest first; a trade is written with the newest ones until a page holds it."""

    def __init__(self) -> None:
        self.shown = 0  # when the pages were written though nothing changed
        self._newest: list[FastTrade] = []
        self._pages: dict[int, list[FastTrade]] = {}  # by number, the oldest first
        self._changed: set[int] = set()
        self._number = 0
        self._named: frozenset[int] | None = None  # while it is restored

    def __iter__(self) -> Iterator[FastTrade]:
        held = [*self._newest, *(trade for number in self.numbers for trade in self._pages[number])]
        return iter(held[:MOST_TRADES])

    def __bool__(self) -> bool:
        return bool(self._newest or self._pages)

    @property
    def newest(self) -> list[FastTrade]:
        """Return the trades that are on no page, newest first."""
        return list(self._newest)

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of the pages, newest first."""
        return sorted(self._pages, reverse=True)

    def add(self, trade: FastTrade) -> None:
        """Put a trade before all others."""
        self._newest.insert(0, trade)
        del self._newest[MOST_TRADES:]

    def add_late(self, trade: FastTrade) -> bool:
        """Put a trade among the others by its time; return whether it is one of them."""
        place = find_place(self._newest, trade)
        if place == len(self._newest):
            self._newest = list(self)
            self._pages.clear()
            place = find_place(self._newest, trade)
        if place == MOST_TRADES:
            return False
        self._newest.insert(place, trade)
        del self._newest[MOST_TRADES:]
        return True

    def clear(self) -> None:
        """Forget all of them."""
        self._newest.clear()
        self._pages.clear()

    def show_again(self) -> None:
        """Return every page with the next `cut`."""
        self._changed |= self._pages.keys()

    def cut(self) -> dict[int, list[FastTrade]]:
        """Make pages of what is too long to be written with each trade; return those that are to be written."""
        while len(self._newest) > TRADES_OF_PAGE:
            self._number += 1
            self._pages[self._number] = self._newest[-TRADES_OF_PAGE:]
            self._changed.add(self._number)
            del self._newest[-TRADES_OF_PAGE:]
        for number in self.numbers[PAGES:]:
            del self._pages[number]
        changed = {number: self._pages[number] for number in sorted(self._changed & self._pages.keys())}
        self._changed.clear()
        return changed

    def restore_newest(self, trades: Iterable[FastTrade], numbers: Iterable[int]) -> None:
        """Take the newest trades as they were written, and which pages belong to them."""
        self._newest, self._named = list(trades), frozenset(numbers)
        for number in self._pages.keys() - self._named:
            del self._pages[number]

    def restore_page(self, number: int, trades: Iterable[FastTrade]) -> None:
        """Take a page as it was written, unless it belongs to the newest trades no more."""
        self._number = max(self._number, number)
        if self._named is None or number in self._named:
            self._pages[number] = list(trades)
