"""The running state of one listed instrument: its book, what it traded, and its figures of the last 24 hours."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from producers.simulator.market.book import Book
from producers.simulator.market.candles import Candles
from producers.simulator.market.instruments import BASES, Base, Instrument, number_text

KEPT_TRADES = 1000


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. `order` is shared by all fills of one aggressor; times are microseconds UTC."""

    id: int
    agg_id: int
    order: int
    price: int
    amount: int
    taker_buys: bool
    ts_us: int


@dataclass(frozen=True, slots=True)
class Liquidation:
    """One forced order: the position that was closed, its fill price and its bankruptcy price."""

    is_long: bool
    amount: int
    fill_price: int
    bankruptcy_price: int
    ts_us: int


@dataclass(slots=True, eq=False)
class Listing:
    """One instrument on one venue. `trades`, `liquidations` and the book's journal are those of the last step."""

    instrument: Instrument
    book: Book
    lot_usd: float
    candles: Candles
    open_24h: int
    high_24h: int
    low_24h: int
    volume_units: int
    quote_units: int
    next_trade_id: int
    next_agg_id: int
    basis: float = 0.0
    skew: float = 0.0
    trades: list[Trade] = field(default_factory=list)
    liquidations: list[Liquidation] = field(default_factory=list)
    recent: deque[Trade] = field(default_factory=lambda: deque(maxlen=KEPT_TRADES))
    trade_count: int = 0
    funding_rate: float = 0.0001
    open_interest: int = 0

    @property
    def base(self) -> Base:
        """The coin and its pace."""
        return BASES[self.instrument.base]

    @property
    def last(self) -> Trade:
        """The newest fill."""
        return self.recent[-1]

    def volume_text(self) -> str:
        """Traded amount of 24 hours in the venue's own unit."""
        return self.instrument.amount_text(self.volume_units)

    def quote_text(self, decimals: int = -1) -> str:
        """Traded value of 24 hours in price x amount units (contracts are not yet multiplied)."""
        terms = self.instrument
        return number_text(self.quote_units, terms.price_scale + terms.amount_scale, decimals)

    def save_trade(self, trade: Trade) -> None:
        """Counts one fill into everything that is derived from trades."""
        self.trades.append(trade)
        self.recent.append(trade)
        self.trade_count += 1
        self.volume_units += trade.amount
        self.quote_units += trade.price * trade.amount
        self.high_24h = max(self.high_24h, trade.price)
        self.low_24h = min(self.low_24h, trade.price)
        self.candles.fold(trade.price, trade.amount, trade.ts_us, taker_buys=trade.taker_buys)

    def mark_price(self) -> float:
        """The middle of the touch, in price units."""
        return (self.book.best_bid + self.book.best_ask) / 2
