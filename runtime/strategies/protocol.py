"""What a strategy is: a pure function of its state, an event and the time to its next state and orders. Pure.

One file in `runtime/strategies/kinds`, or in the directory of own strategies, holds one: a class with `begin` and
`decide`, the model of its params, the model of its state, and `KIND`, which names all of them. It reads no clock, draws
no random number, does no I/O and counts in Decimal: the same events give the same orders, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.market import BookSnapshot, Candle, Name, Nanoseconds, Ticker, Trade
from contracts.numbers import AmountText, DecimalText, PriceText
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.strategy_events import StrategyRefused, StrategySignalled, WantedOrder
from runtime.strategies.orders import OwnOrders, StateModel, Terms

P = TypeVar("P", bound=BaseModel)
Reads = Literal[
    "ticker", "trade", "book", "candle.1m", "candle.5m", "candle.15m", "candle.1h", "candle.4h", "candle.1d"
]


class Clock(BaseModel):
    """That time has passed: comes once a second."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    id: Name
    ts: Nanoseconds


MarketEvent = Ticker | Trade | BookSnapshot | Candle
OrderEvent = OrderChanged | OrderFilled | StrategyRefused
Event = MarketEvent | OrderEvent | StrategySignalled | Clock


class Prices(StateModel):
    """The newest prices of the strategy's instrument; what no event said is None."""

    bid: PriceText | None = None
    ask: PriceText | None = None
    last: PriceText | None = None

    @property
    def to_sell(self) -> Decimal | None:
        """What a sell would get at once."""
        return self.last if self.bid is None else self.bid

    @property
    def to_buy(self) -> Decimal | None:
        """What a buy would pay at once."""
        return self.last if self.ask is None else self.ask

    @property
    def last_known(self) -> Decimal | None:
        """The last price, or what is known in its place."""
        return self.to_sell if self.last is None else self.last

    def fold(self, event: MarketEvent) -> Prices:
        """Return them after an event of the market; what it does not say stays."""
        match event:
            case Ticker():
                news = {"bid": event.bid, "ask": event.ask, "last": event.last}
            case Trade():
                news = {"last": event.price}
            case Candle():
                news = {"last": event.close}
            case BookSnapshot():
                sides = {"bid": event.bids, "ask": event.asks}
                news = {name: levels[0][0] if levels else None for name, levels in sides.items()}
        return self.model_copy(update={name: price for name, price in news.items() if price is not None})


class Brought(StateModel):
    """A position that a strategy took over, and at what price: its profit counts from there."""

    amount: AmountText
    price: PriceText


class State(StateModel):
    """What the state of every strategy has: own orders and prices are brought up to date before it decides."""

    orders: OwnOrders = OwnOrders()
    prices: Prices = Prices()
    brought: Brought | None = None
    grid_profit: DecimalText | None = Field(default=None, description="of strategies that tell it from the trend's")
    done: str | None = Field(default=None, description="why it has ended; nothing is decided after that")


S = TypeVar("S", bound=State)
A = TypeVar("A", bound=State)


@dataclass(frozen=True, slots=True)
class Setup(Generic[P]):
    """What a strategy is made with: its id, its instrument, its params, and when it was made (ns UTC)."""

    id: str
    symbol: str
    params: P
    created_ns: int

    @property
    def base(self) -> str:
        """The coin that it trades."""
        return self.symbol.partition("/")[0]


class Strategy(Protocol[A]):
    """A strategy at work; it keeps nothing but its setup."""

    def begin(self) -> A:
        """Return the state that it begins with."""
        ...

    def decide(self, state: A, event: Event, now_ns: int, /) -> tuple[A, Sequence[WantedOrder]]:
        """Return the next state, and what is wanted done."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of strategy: how it is made, what it is given, what it remembers, and what of the market it reads."""

    name: str
    make: Callable[[Setup[Any]], Strategy[Any]]
    params: type[BaseModel]
    state: type[State]
    reads: tuple[Reads, ...] = ("ticker",)


class Draft(Generic[S]):
    """One decision while it is made: the state as it will be, and what is wanted so far."""

    def __init__(self, setup: Setup[Any], state: S) -> None:
        self._id = setup.id
        self.state = state
        self._wanted: list[WantedOrder] = []

    def place(self, terms: Terms, tag: str) -> None:
        """Want an order placed; `tag` is how the strategy finds it again."""
        orders, wanted = self.state.orders.place(self._id, terms, tag)
        self.set(orders=orders)
        self._wanted.append(wanted)

    def cancel(self, client_id: str) -> None:
        """Want an order cancelled, once."""
        orders, wanted = self.state.orders.cancel(client_id)
        if wanted is not None:
            self.set(orders=orders)
            self._wanted.append(wanted)

    def cancel_all(self, but: str | None = None) -> None:
        """Want every order cancelled that may still execute, those of one tag left out."""
        for order in self.state.orders.live:
            if order.tag != but:
                self.cancel(order.client_id)

    def take_out(self, client_id: str) -> None:
        """Take an order that has ended out of the state."""
        self.set(orders=self.state.orders.without(client_id))

    def set(self, **fields: object) -> None:
        """Change fields of the state."""
        self.state = self.state.model_copy(update=fields)

    def result(self) -> tuple[S, Sequence[WantedOrder]]:
        """Return what `decide` returns."""
        return self.state, tuple(self._wanted)


KIND_NAMES: Final[dict[type[BaseModel], str]] = {
    Ticker: "ticker",
    Trade: "trade",
    BookSnapshot: "book",
    Candle: "candle",
    OrderChanged: "order",
    OrderFilled: "fill",
    StrategyRefused: "refusal",
    StrategySignalled: "signal",
    Clock: "clock",
}
"""How events are called where they are kept, and by whom they are read again."""


def is_market(event: Event) -> bool:
    """Return whether an event is of the market: prices are as new as it; with an execution they may be older."""
    return isinstance(event, MarketEvent)


def kind_of(event: Event) -> str:
    """Return how an event's kind is called."""
    return KIND_NAMES[type(event)]


def read_kept(kind: str, body: str) -> Event:
    """Return an event as it was kept; raises KeyError or pydantic.ValidationError."""
    (model,) = [model for model, name in KIND_NAMES.items() if name == kind] or [None]
    if model is None:
        raise KeyError(kind)
    event: Any = model.model_validate_json(body)
    return event
