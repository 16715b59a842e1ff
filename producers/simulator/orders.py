"""What moves one simulated book: quotes that follow the fair price, resting orders, and aggressors."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from producers.simulator.listing import Listing, Trade

MIN_LEVELS = 220
MAX_LEVELS = 400
SPACING = 1.1e-5


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson count; a rounded normal above 30."""
    if mean <= 0:
        return 0
    if mean > 30:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def level_amount(rng: random.Random, listing: Listing, depth: int) -> int:
    """An amount for a resting level `depth` levels behind the touch, growing with the distance."""
    usd = listing.base.level_usd * (0.35 + min(depth, 40) / 22) * (0.2 + 1.6 * rng.random())
    return max(1, round(usd / listing.lot_usd))


def gap(rng: random.Random, listing: Listing, price: int) -> int:
    """The distance to the next level, in price units."""
    return 1 + int(rng.random() * 2 * max(0.6, price * SPACING))


def fill_book(rng: random.Random, listing: Listing, fair: float) -> None:
    """The first full book around `fair` (price units)."""
    bid = math.floor(fair)
    ask = bid + 1
    for depth in range(MIN_LEVELS + 40):
        listing.book.save_level(True, bid, level_amount(rng, listing, depth))
        listing.book.save_level(False, ask, level_amount(rng, listing, depth))
        bid -= gap(rng, listing, bid)
        ask += gap(rng, listing, ask)


def follow_fair(rng: random.Random, listing: Listing, fair: float) -> None:
    """Moves the touch to `fair`: levels on the wrong side are cancelled, new ones fill the space; never crosses."""
    book = listing.book
    bid = math.floor(fair)
    ask = bid + 1
    while book.bid_prices and book.best_bid > bid:
        book.save_level(True, book.best_bid, 0)
    while book.ask_prices and book.best_ask < ask:
        book.save_level(False, book.best_ask, 0)
    _advance(rng, listing, True, bid)
    _advance(rng, listing, False, ask)
    _keep_size(rng, listing, True)
    _keep_size(rng, listing, False)


def _advance(rng: random.Random, listing: Listing, is_bid: bool, target: int) -> None:
    book = listing.book
    prices = book.bid_prices if is_bid else book.ask_prices
    best = (prices[-1] if is_bid else prices[0]) if prices else target + (-1000 if is_bid else 1000)
    step = -1 if is_bid else 1
    price, depth = target, 0
    while (price - best) * step < 0 and depth < 30:
        book.save_level(is_bid, price, level_amount(rng, listing, depth))
        price += step * gap(rng, listing, price)
        depth += 1


def _keep_size(rng: random.Random, listing: Listing, is_bid: bool) -> None:
    book = listing.book
    prices = book.bid_prices if is_bid else book.ask_prices
    missing = min(8, MIN_LEVELS - len(prices))
    for _ in range(missing):
        worst = prices[0] if is_bid else prices[-1]
        price = worst + (-1 if is_bid else 1) * gap(rng, listing, worst)
        if price > 0:
            book.save_level(is_bid, price, level_amount(rng, listing, 40))
    while len(prices) > MAX_LEVELS:
        book.save_level(is_bid, prices[0] if is_bid else prices[-1], 0)


def rest_orders(rng: random.Random, listing: Listing, count: int) -> None:
    """`count` order events behind the touch: mostly changed amounts, some cancels, some new levels."""
    book = listing.book
    for _ in range(count):
        is_bid = rng.random() < 0.5
        prices = book.bid_prices if is_bid else book.ask_prices
        depth = min(int(rng.expovariate(0.11)), len(prices) - 1)
        price = prices[-1 - depth] if is_bid else prices[depth]
        choice = rng.random()
        if choice < 0.62:
            book.save_level(is_bid, price, level_amount(rng, listing, depth))
        elif choice < 0.8 and depth > 0 and len(prices) > MIN_LEVELS:
            book.save_level(is_bid, price, 0)
        else:
            behind = price + (-1 if is_bid else 1) * gap(rng, listing, price)
            if behind > 0:
                book.save_level(is_bid, behind, level_amount(rng, listing, depth))


def sweep(listing: Listing, taker_buys: bool, amount: int, ts_us: int) -> list[Trade]:
    """One aggressor takes `amount` from the touch on; all fills share one time. Leaves at least 20 levels."""
    book = listing.book
    order = book.update_id
    fills: list[Trade] = []
    prices = book.ask_prices if taker_buys else book.bid_prices
    levels = book.asks if taker_buys else book.bids
    while amount > 0 and len(prices) > 20:
        price = prices[0] if taker_buys else prices[-1]
        taken = min(amount, levels[price])
        book.save_level(not taker_buys, price, levels[price] - taken)
        listing.next_agg_id += 1
        for part in _makers(taken, price):
            listing.next_trade_id += 1
            trade = Trade(listing.next_trade_id, listing.next_agg_id, order, price, part, taker_buys, ts_us)
            listing.save_trade(trade)
            fills.append(trade)
        amount -= taken
    return fills


def _makers(taken: int, price: int) -> Iterator[int]:
    """How one level's fill splits over its resting orders: sometimes two."""
    if taken > 40 and price % 3 == 0:
        yield taken * 2 // 5
        yield taken - taken * 2 // 5
    else:
        yield taken
