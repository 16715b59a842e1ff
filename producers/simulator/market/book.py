"""One simulated order book: levels as whole numbers, best prices, and a journal of what a step changed."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple


class LevelChange(NamedTuple):
    """One changed level: the book's update id after it, and the level's absolute amount (0 removes)."""

    update_id: int
    price: int
    amount: int
    is_bid: bool


class Book:
    """Bids and asks of one instrument, price -> amount, both in the instrument's whole units.

    Every change takes `stride` update ids; since `begin_step`, `changes` holds each of them in the order in which they
    happened, `touched_bids` and `touched_asks` their prices, and `first_id` the id of the first (0 when nothing
    changed).
    """

    __slots__ = (
        "ask_prices",
        "asks",
        "bid_prices",
        "bids",
        "changes",
        "first_id",
        "stride",
        "touched_asks",
        "touched_bids",
        "update_id",
    )

    def __init__(self, update_id: int, stride: int) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.bid_prices: list[int] = []
        self.ask_prices: list[int] = []
        self.changes: list[LevelChange] = []
        self.touched_bids: set[int] = set()
        self.touched_asks: set[int] = set()
        self.update_id = update_id
        self.first_id = 0
        self.stride = stride

    def begin_step(self) -> None:
        """Start a new journal."""
        self.changes = []
        self.touched_bids = set()
        self.touched_asks = set()
        self.first_id = 0

    def save_level(self, price: int, amount: int, *, is_bid: bool) -> None:
        """Sets the absolute amount of one level; 0 removes it."""
        levels, prices = (self.bids, self.bid_prices) if is_bid else (self.asks, self.ask_prices)
        held = levels.get(price, 0)
        if held == amount:
            return
        if amount == 0:
            del levels[price]
            del prices[bisect_left(prices, price)]
        else:
            if held == 0:
                insort(prices, price)
            levels[price] = amount
        self.update_id += self.stride
        if self.first_id == 0:
            self.first_id = self.update_id
        self.changes.append(LevelChange(self.update_id, price, amount, is_bid))
        (self.touched_bids if is_bid else self.touched_asks).add(price)

    @property
    def best_bid(self) -> int:
        """The highest bid; there is always one."""
        return self.bid_prices[-1]

    @property
    def best_ask(self) -> int:
        """The lowest ask; there is always one."""
        return self.ask_prices[0]

    def list_bids(self, limit: int | None = None) -> list[tuple[int, int]]:
        """The best `limit` bids, best first."""
        prices = self.bid_prices if limit is None else self.bid_prices[-limit:]
        return [(price, self.bids[price]) for price in reversed(prices)]

    def list_asks(self, limit: int | None = None) -> list[tuple[int, int]]:
        """The best `limit` asks, best first."""
        prices = self.ask_prices if limit is None else self.ask_prices[:limit]
        return [(price, self.asks[price]) for price in prices]
