"""Plants what is silently wrong in live books (a level lost, a wrong amount, nobody's level), and notes what comes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from producers.simulator.market.listing import Listing
from runtime.book.keeper import BookKeeper
from tests.producers.connection.audits.world import GONE, Gap, World

Kind = Literal["lost", "amount", "ghost"]
KINDS: Final[tuple[Kind, ...]] = ("lost", "amount", "ghost")
MOST_HIDDEN: Final = 20.0  # seconds
SURELY: Final = 1.0  # seconds for which it is right: a level may come and go within one message of the venue


@dataclass
class Planted:
    """A level that is silently wrong, and since when (seconds) it has been among the best ones, which are published."""

    symbol: str
    kind: Kind
    is_bid: bool
    side: Any
    level: tuple[str, str]
    at: float
    hidden: float = 0.0  # since when it is not among them, 0 where it is
    right: float = 0.0  # since when it is right, 0 where it is not

    def is_wrong(self, listing: Listing) -> bool:
        """Whether it still is: the venue puts it right by naming the level, or by having no such level any more."""
        there = listing.book.bid_prices if self.is_bid else listing.book.ask_prices
        if self.kind == "lost" and float(self.level[0]) not in {float(listing.instrument.price_text(p)) for p in there}:
            return False
        return dict(self.side.top()).get(self.level[0], "0") == self.level[1]

    def is_shown(self, depth: int) -> bool:
        """Whether it is, or should be, among the best ones; prices move."""
        top, price = self.side.top(depth), float(self.level[0])
        if not top:
            return False
        best, worst = float(top[0][0]), float(top[-1][0])
        return min(best, worst) <= price <= max(best, worst)

    def look(self, listing: Listing, depth: int, now: float) -> Literal["right", "left"] | None:
        """Note how it is, and return what became of it: the venue put it right, or the market left it behind.

        It is of those that can be found while it is among the best `depth` levels; `now` in seconds.
        """
        if not self.is_wrong(listing):
            self.right = self.right or now
            return "right" if now - self.right >= SURELY else None
        self.right = 0.0
        if self.is_shown(depth):
            self.hidden = 0.0
            return None
        self.at, self.hidden = now, self.hidden or now
        return "left" if now - self.hidden > MOST_HIDDEN else None


def plant(
    symbol: str, keeper: BookKeeper, kind: Kind, *, most: int, is_bid: bool, place: float, at: float
) -> Planted | None:
    """Make a level of a live book wrong: gone, with another amount, or nobody's; None where it has too few.

    `place` (0 to 1) is where among the best `most` levels, without a fifth of them, which change by themselves.
    """
    side = keeper.bids if is_bid else keeper.asks
    rows = side.top(most)[most // 5 :]
    if not rows:
        return None
    price, amount = rows[int(place * len(rows))]
    if kind == "lost":
        wrong = (price, "0")
    elif kind == "amount":
        wrong = (price, f"{amount}1" if "." in amount else f"{amount}.1")
    else:
        wrong = (f"{price}7" if "." in price else f"{price}.0000007", "1")
    side.apply([wrong])
    return Planted(symbol, kind, is_bid, side, wrong, at)


@dataclass
class Findings:
    """What became of what was planted: seconds until each was found, among the best levels; and what else there was.

    `healed`: seconds after which the venue put some right; `gone` were left behind by the market. `false` are gaps of
    books without any, `real` those that the exchange's own book bears out.
    """

    found: list[float] = field(default_factory=list[float])
    healed: list[float] = field(default_factory=list[float])
    false: list[Gap] = field(default_factory=list[Gap])
    real: list[Gap] = field(default_factory=list[Gap])
    kinds: Counter[str] = field(default_factory=Counter[str])
    gone: int = 0

    def percentile(self, share: float) -> float:
        """Return so many seconds until found as this share of them took at most."""
        ordered = sorted(self.found)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Planter:
    """Plants in live books, at most one level each at a time, and notes what becomes of it."""

    def __init__(self, world: World, most: int, *, at_once: int) -> None:
        self.found = Findings()
        self._world, self._most, self._at_once = world, most, at_once
        self._planted: dict[str, Planted] = {}
        self._due: dict[str, float] = {}
        self._seen = 0

    def look(self) -> bool:
        """Note what was found, and plant the next; returns whether as many were found as there are to be."""
        world, found = self._world, self.found
        for gap in world.gaps[self._seen :]:
            planted = self._planted.pop(gap.symbol, None)
            if planted is not None:  # a ghost that the market reaches crosses the book
                found.found.append(world.now - planted.at)
                found.kinds[planted.kind] += 1
            elif gap.reason != GONE:
                (found.real if gap.is_real else found.false).append(gap)
        self._seen = len(world.gaps)
        for symbol, planted in list(self._planted.items()):
            became = planted.look(world.listings[symbol], world.depth * 9 // 10, world.now)
            if became == "right":
                found.healed.append(planted.right - planted.at)
            elif became == "left":
                found.gone += 1
                world.renew(symbol)
            if became is not None:
                del self._planted[symbol]
        self._plant_next()
        return len(found.found) >= self._most

    def _plant_next(self) -> None:
        world, rng = self._world, self._world.rng
        keepers = world.keepers()
        while len(self._planted) + len(self._due) < min(self._at_once, self._most - len(self.found.found)):
            free = [symbol for symbol in keepers if symbol not in self._planted and symbol not in self._due]
            if not free:
                break
            self._due[rng.choice(free)] = world.now + rng.uniform(0, 20)
        for symbol, at in list(self._due.items()):
            if at <= world.now and symbol in keepers:
                del self._due[symbol]
                kind = KINDS[(len(self.found.found) + len(self._planted)) % len(KINDS)]
                is_bid, place = rng.random() < 1 / 2, rng.random()
                most = world.depth * 4 // 5
                planted = plant(symbol, keepers[symbol], kind, most=most, is_bid=is_bid, place=place, at=world.now)
                if planted is not None:
                    self._planted[symbol] = planted
