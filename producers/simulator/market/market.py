"""The simulated market: correlated walks of the bases, every instrument's orders and trades; pure and seeded."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from producers.simulator.market.book import Book
from producers.simulator.market.candles import Candles
from producers.simulator.market.instruments import BASES, Instrument
from producers.simulator.market.listing import Liquidation, Listing, Trade
from producers.simulator.market.orders import fill_book, follow_fair, poisson, rest_orders, sweep
from producers.simulator.market.shocks import ForcedOrder, Shocks
from producers.simulator.registry import list_instruments

SIGMA_PER_SQRT_S = 0.7e-4
CORRELATION = 0.75
REVERSION_PER_S = 0.0004
BURST_STARTS_PER_S = 0.02
BURST_ENDS_PER_S = 0.15
BURST_INTENSITY = 3.5


@dataclass(frozen=True, slots=True)
class MarketConfig:
    """What a market is made of; `rate` multiplies every event rate, intervals are seconds at rate 1."""

    seed: int
    venues: tuple[str, ...]
    bases: tuple[str, ...]
    rate: float
    whale_every_s: tuple[float, float]
    cascade_every_s: tuple[float, float]


@dataclass(slots=True)
class Walk:
    """One base's price: its logarithm, the regime and the push of a cascade (per second)."""

    log_price: float
    log_start: float
    intensity: float = 1.0
    push: float = 0.0


@dataclass(slots=True)
class Market:
    """All instruments of all venues. `step` advances it; nothing here reads a clock."""

    config: MarketConfig
    started_us: int
    rng: random.Random = field(init=False)
    walks: dict[str, Walk] = field(init=False)
    listings: dict[tuple[str, str, str], Listing] = field(init=False)
    shocks: Shocks = field(init=False)
    forced: list[ForcedOrder] = field(init=False)
    whale_count: int = 0
    cascade_count: int = 0
    liquidation_count: int = 0

    def __post_init__(self) -> None:
        config = self.config
        self.rng = random.Random(config.seed)
        self.walks = {b: Walk(math.log(BASES[b].price), math.log(BASES[b].price)) for b in config.bases}
        self.listings = {}
        self.forced = []
        for venue in config.venues:
            for terms in list_instruments(venue, config.bases):
                self.listings[venue, terms.market, terms.symbol] = _open_listing(self.rng, terms, self.started_us)
        all_listings = list(self.listings.values())
        self.shocks = Shocks(self.rng, all_listings, config.rate, config.whale_every_s, config.cascade_every_s)
        self.shocks.begin(self.started_us)

    def step(self, now_us: int, length_us: int) -> None:
        """Advances the market by `length_us` to `now_us`; every event's time lies within, after those of the last step.

        Where a busy machine makes steps follow each other sooner than they are long, the new one's times are those
        since the last: as on an exchange, an instrument's trades never go back in time.
        """
        seconds = length_us / 1e6
        self._walk(seconds)
        for listing in self.listings.values():
            listing.book.begin_step()
            listing.trades = []
            listing.liquidations = []
            self._move(listing, now_us, length_us)
        for whale in self.shocks.list_whales(now_us):
            self.whale_count += 1
            self._strike(whale.listing, whale.usd, now_us, taker_buys=whale.taker_buys)
        self._cascade(now_us)

    def freeze(self) -> None:
        """Clear the last step's journals: in a paused market nothing happens."""
        for listing in self.listings.values():
            listing.book.begin_step()
            listing.trades = []
            listing.liquidations = []

    def list_of(self, venue: str) -> list[Listing]:
        """One venue's listings."""
        return [item for (owner, _, _), item in self.listings.items() if owner == venue]

    def _walk(self, seconds: float) -> None:
        rng = self.rng
        root = math.sqrt(seconds)
        shared = rng.gauss(0, 1)
        for walk in self.walks.values():
            calm = walk.intensity <= 1.0
            if rng.random() < (BURST_STARTS_PER_S if calm else BURST_ENDS_PER_S) * seconds:
                walk.intensity = BURST_INTENSITY if calm else 1.0
            noise = CORRELATION * shared + math.sqrt(1 - CORRELATION**2) * rng.gauss(0, 1)
            walk.log_price += SIGMA_PER_SQRT_S * math.sqrt(walk.intensity) * root * noise
            walk.log_price += (REVERSION_PER_S * (walk.log_start - walk.log_price) + walk.push) * seconds
            walk.push *= math.exp(-seconds / 2)

    def _move(self, listing: Listing, now_us: int, length_us: int) -> None:
        rng = self.rng
        seconds = length_us / 1e6
        walk = self.walks[listing.instrument.base]
        listing.basis += 2e-5 * math.sqrt(seconds) * rng.gauss(0, 1) - 0.02 * listing.basis * seconds
        listing.skew *= math.exp(-seconds / 1.5)
        follow_fair(rng, listing, _fair(listing, walk))
        pace = self.config.rate * listing.instrument.pace * walk.intensity * seconds
        rest_orders(rng, listing, poisson(rng, listing.base.orders_per_s * pace))
        orders = poisson(rng, listing.base.trades_per_s * pace)
        since_us = min(now_us - 1, max(now_us - length_us, listing.last.ts_us))
        for at in sorted(rng.random() for _ in range(orders)):
            usd = min(math.exp(rng.gauss(6.6, 1.5)), 150_000)
            amount = max(1, round(usd / listing.lot_usd))
            ts_us = since_us + 1 + int(at * (now_us - since_us - 1))
            sweep(listing, amount, ts_us, taker_buys=bool(rng.getrandbits(1)))

    def _strike(self, listing: Listing, usd: float, now_us: int, *, taker_buys: bool) -> list[Trade]:
        """One big aggressor; moves the fair price half the way it swept. Returns its fills."""
        before = listing.mark_price()
        fills = sweep(listing, max(1, round(usd / listing.lot_usd)), now_us, taker_buys=taker_buys)
        if fills:
            listing.skew += 0.5 * (fills[-1].price - before) / before
        return fills

    def _cascade(self, now_us: int) -> None:
        fresh = self.shocks.list_cascade(now_us)
        if fresh:
            self.cascade_count += 1
            walk = self.walks[fresh[0].listing.instrument.base]
            walk.push += -0.0012 if fresh[0].is_long else 0.0012
            self.forced.extend(fresh)
        perps = self.config.rate * 0.004
        if self.forced or self.rng.random() < perps:
            self._force(now_us)

    def _force(self, now_us: int) -> None:
        due = [order for order in self.forced if order.at_us <= now_us]
        self.forced = [order for order in self.forced if order.at_us > now_us]
        if not due and not self.forced:
            due = self._stray(now_us)
        for order in due:
            listing = order.listing
            fills = self._strike(listing, order.usd, now_us, taker_buys=not order.is_long)
            if not fills:
                continue
            amount = sum(f.amount for f in fills)
            price = sum(f.price * f.amount for f in fills) // amount
            bankrupt = round(price * (0.995 if order.is_long else 1.005))
            listing.liquidations.append(Liquidation(order.is_long, amount, price, bankrupt, now_us))
            self.liquidation_count += 1

    def _stray(self, now_us: int) -> list[ForcedOrder]:
        perps = [item for item in self.listings.values() if item.instrument.market == "linear"]
        if not perps:
            return []
        usd = math.exp(self.rng.gauss(8.0, 1.2))
        return [ForcedOrder(self.rng.choice(perps), bool(self.rng.getrandbits(1)), min(usd, 90_000), now_us)]


def _fair(listing: Listing, walk: Walk) -> float:
    price = math.exp(walk.log_price) * (1 + listing.basis + listing.skew) * listing.instrument.quote_rate
    return price * 10**listing.instrument.price_scale


def _open_listing(rng: random.Random, terms: Instrument, now_us: int) -> Listing:
    base = BASES[terms.base]
    lot_usd = (1.0 if terms.inverse else base.price) * float(terms.contract) / 10**terms.amount_scale
    price = round(base.price * terms.quote_rate * 10**terms.price_scale)
    volume = round(base.trades_per_s * 86_400 * 4_000 / lot_usd)
    drift = rng.uniform(-0.03, 0.03)
    listing = Listing(
        instrument=terms,
        book=Book(rng.randrange(10**9, 9 * 10**9), terms.update_stride),
        lot_usd=lot_usd,
        candles=Candles(price, max(1, volume // 1440), now_us, rng.uniform(0, 6)),
        open_24h=round(price * (1 - drift)),
        high_24h=round(price * (1 + max(-drift, 0) + 0.008)),
        low_24h=round(price * (1 - max(drift, 0) - 0.008)),
        volume_units=volume,
        quote_units=volume * price,
        next_trade_id=rng.randrange(10**8, 6 * 10**9),
        next_agg_id=rng.randrange(10**7, 3 * 10**9),
        basis=rng.uniform(-1e-4, 1e-4),
        funding_rate=round(rng.uniform(-5e-5, 2e-4), 8),
        open_interest=volume // 3,
    )
    fill_book(rng, listing, price)
    sweep(listing, max(1, round(900 / lot_usd)), now_us, taker_buys=bool(rng.getrandbits(1)))
    return listing
