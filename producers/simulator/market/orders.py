"""What moves one simulated book: quotes that follow the fair price, resting orders, and aggressors."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from producers.simulator.market.listing import Listing, Trade

MIN_LEVELS = 220
MAX_LEVELS = 400
SPACING = 1.1e-5
KNUTH_LIMIT = 30
MOST_NEW_LEVELS = 30
LEFT_BY_SWEEPS = 20
CHANGED, CANCELLED = 0.62, 0.8
SPLIT_ABOVE = 40


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson count; a rounded normal above KNUTH_LIMIT."""
    if mean <= 0:
        return 0
    if mean > KNUTH_LIMIT:
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


def gap(rng: random.Random, price: int) -> int:
    """The distance to the next level, in price units."""
    return 1 + int(rng.random() * 2 * max(0.6, price * SPACING))


def fill_book(rng: random.Random, listing: Listing, fair: float) -> None:
    """The first full book around `fair` (price units)."""
    bid = math.floor(fair)
    ask = bid + 1
    for depth in range(MIN_LEVELS + 40):
        listing.book.save_level(bid, level_amount(rng, listing, depth), is_bid=True)
        listing.book.save_level(ask, level_amount(rng, listing, depth), is_bid=False)
        bid -= gap(rng, bid)
        ask += gap(rng, ask)


def follow_fair(rng: random.Random, listing: Listing, fair: float) -> None:
    """Moves the touch to `fair`: levels on the wrong side are cancelled, new ones fill the space; never crosses."""
    book = listing.book
    bid = math.floor(fair)
    ask = bid + 1
    while book.bid_prices and book.best_bid > bid:
        book.save_level(book.best_bid, 0, is_bid=True)
    while book.ask_prices and book.best_ask < ask:
        book.save_level(book.best_ask, 0, is_bid=False)
    _advance(rng, listing, bid, is_bid=True)
    _advance(rng, listing, ask, is_bid=False)
    _keep_size(rng, listing, is_bid=True)
    _keep_size(rng, listing, is_bid=False)


def _advance(rng: random.Random, listing: Listing, target: int, *, is_bid: bool) -> None:
    book = listing.book
    prices = book.bid_prices if is_bid else book.ask_prices
    best = (prices[-1] if is_bid else prices[0]) if prices else target + (-1000 if is_bid else 1000)
    step = -1 if is_bid else 1
    price, depth = target, 0
    while (price - best) * step < 0 and depth < MOST_NEW_LEVELS:
        book.save_level(price, level_amount(rng, listing, depth), is_bid=is_bid)
        price += step * gap(rng, price)
        depth += 1


def _keep_size(rng: random.Random, listing: Listing, *, is_bid: bool) -> None:
    book = listing.book
    prices = book.bid_prices if is_bid else book.ask_prices
    missing = min(8, MIN_LEVELS - len(prices))
    for _ in range(missing):
        worst = prices[0] if is_bid else prices[-1]
        price = worst + (-1 if is_bid else 1) * gap(rng, worst)
        if price > 0:
            book.save_level(price, level_amount(rng, listing, 40), is_bid=is_bid)
    while len(prices) > MAX_LEVELS:
        book.save_level(prices[0] if is_bid else prices[-1], 0, is_bid=is_bid)


def rest_orders(rng: random.Random, listing: Listing, count: int) -> None:
    """`count` order events behind the touch: mostly changed amounts, some cancels, some new levels."""
    book = listing.book
    for _ in range(count):
        is_bid = bool(rng.getrandbits(1))
        prices = book.bid_prices if is_bid else book.ask_prices
        depth = min(int(rng.expovariate(0.11)), len(prices) - 1)
        price = prices[-1 - depth] if is_bid else prices[depth]
        choice = rng.random()
        if choice < CHANGED:
            book.save_level(price, level_amount(rng, listing, depth), is_bid=is_bid)
        elif choice < CANCELLED and depth > 0 and len(prices) > MIN_LEVELS:
            book.save_level(price, 0, is_bid=is_bid)
        else:
            behind = price + (-1 if is_bid else 1) * gap(rng, price)
            if behind > 0:
                book.save_level(behind, level_amount(rng, listing, depth), is_bid=is_bid)


def sweep(listing: Listing, amount: int, ts_us: int, *, taker_buys: bool) -> list[Trade]:
    """One aggressor takes `amount` from the touch on; all fills share one time. Leaves at least 20 levels."""
    book = listing.book
    order = book.update_id
    fills: list[Trade] = []
    prices = book.ask_prices if taker_buys else book.bid_prices
    levels = book.asks if taker_buys else book.bids
    while amount > 0 and len(prices) > LEFT_BY_SWEEPS:
        price = prices[0] if taker_buys else prices[-1]
        taken = min(amount, levels[price])
        book.save_level(price, levels[price] - taken, is_bid=not taker_buys)
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
    if taken > SPLIT_ABOVE and price % 3 == 0:
        yield taken * 2 // 5
        yield taken - taken * 2 // 5
    else:
        yield taken
