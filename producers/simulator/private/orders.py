"""Spot markets, orders and executions of the exchange's private side, and why an order is refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Final, Literal

from producers.simulator.private.figures import EXACT

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit"]
Status = Literal["open", "filled", "cancelled"]
Code = Literal[
    "symbol", "halted", "terms", "price_step", "amount_step", "least_amount", "least_value",
    "funds", "would_take", "duplicate", "no_book", "unknown_order",
]  # fmt: skip
_ZERO: Final = Decimal(0)
_THREE_PER_MILLE: Final = Decimal("0.003")
_EIGHT_DECIMALS: Final = Decimal("0.00000001")


class RefusedError(Exception):
    """The exchange says no, and nothing has changed."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code: Code = code
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One spot market. Fees are fractions of the value, in the quote or in what the order `receives`."""

    symbol: str
    base: str
    quote: str
    price_step: Decimal
    amount_step: Decimal
    least_amount: Decimal = _ZERO
    least_value: Decimal = _ZERO
    maker: Decimal = _THREE_PER_MILLE
    taker: Decimal = _THREE_PER_MILLE
    fee_in: Literal["quote", "received"] = "quote"
    fee_step: Decimal = _EIGHT_DECIMALS
    halted: bool = False

    @property
    def highest_fee(self) -> Decimal:
        """The higher of both fees."""
        return max(self.maker, self.taker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a customer asks for. A market buy may name its `cost` in the quote in place of an amount."""

    symbol: str
    side: Side
    type: OrderType
    amount: Decimal | None = None
    cost: Decimal | None = None
    price: Decimal | None = None
    post_only: bool = False
    immediate: bool = False  # what does not fill at once is cancelled
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, listed from `listed_us` on."""

    id: int
    order_id: int
    symbol: str
    side: Side
    amount: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool
    ts_us: int
    listed_us: int

    @property
    def value(self) -> Decimal:
        """Amount times price."""
        return EXACT.multiply(self.amount, self.price)


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """One order as the exchange has it; `held` of `held_in` is kept back for what is left of it."""

    id: int
    account_id: int
    client_id: str | None
    symbol: str
    side: Side
    type: OrderType
    amount: Decimal | None  # None where it was sized by its cost
    cost: Decimal | None
    price: Decimal | None
    post_only: bool
    created_us: int
    changed_us: int
    status: Status = "open"
    held_in: str = ""
    held: Decimal = _ZERO
    fills: list[Fill] = field(default_factory=list[Fill])

    @property
    def filled(self) -> Decimal:
        """Executed, in the base."""
        return reduce(EXACT.add, (fill.amount for fill in self.fills), _ZERO)

    @property
    def spent(self) -> Decimal:
        """The value of what was executed, in the quote, without fees."""
        return reduce(EXACT.add, (fill.value for fill in self.fills), _ZERO)

    @property
    def fee(self) -> Decimal:
        """The fees of what was executed."""
        return reduce(EXACT.add, (fill.fee for fill in self.fills), _ZERO)

    @property
    def left(self) -> Decimal:
        """What was not executed, in the base; 0 where it was sized by its cost."""
        return _ZERO if self.amount is None else EXACT.subtract(self.amount, self.filled)
