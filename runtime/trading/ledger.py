"""Positions and realised profit from executions, by first in first out or by average cost. Pure.

Money is in the symbol's quote, exact: what is rounded away from one part (beyond 18 digits) stays in the rest, so that
costs, proceeds and profits of a position always add up to its executions. What is sold beyond what was bought came in
at an unknown cost: it realises nothing, and its proceeds are kept apart (`unattributed`). A fee in the base
coin changes the amount, one in the quote the money; one in a third coin is kept by its coin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Generic, Literal, Protocol, TypeVar

from contracts.arithmetic.exact import EXACT, FINE, rounded
from contracts.instrument import split_symbol
from runtime.trading.order import Side

K = TypeVar("K", bound=Hashable)
Method = Literal["fifo", "average"]
_ZERO: Final = Decimal(0)
_PART: Final = Decimal("1e-18")  # of money: fine enough for every coin, and short enough to be added up anywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One fill of an order; `account` is the account's id, `ts` the venue's clock, ns UTC."""

    id: str
    ts: int
    account: str
    venue: str
    symbol: str
    side: Side
    amount: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    order_id: str
    fill_id: str
    strategy: str | None = None

    @property
    def value(self) -> Decimal:
        """Amount times price, in the quote."""
        return rounded(EXACT.multiply(self.amount, self.price))


@dataclass(frozen=True, slots=True)
class Booked:
    """An execution, and what it has realised."""

    execution: Execution
    realised: Decimal


class Lots(Protocol):
    """What was bought and not sold, with its cost."""

    @property
    def amount(self) -> Decimal:
        """How much there is."""
        ...

    @property
    def cost(self) -> Decimal:
        """What all of it has cost."""
        ...

    def add(self, amount: Decimal, cost: Decimal) -> None:
        """Take in an amount above zero."""
        ...

    def take(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Give out an amount; returns how much of it there was, and its cost."""
        ...


class FifoLots:
    """The oldest goes first."""

    def __init__(self) -> None:
        self._lots: deque[tuple[Decimal, Decimal]] = deque()
        self.amount = self.cost = _ZERO

    def add(self, amount: Decimal, cost: Decimal) -> None:
        """Take in a lot."""
        self._lots.append((amount, cost))
        self.amount, self.cost = EXACT.add(self.amount, amount), EXACT.add(self.cost, cost)

    def take(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Give out of the oldest lots; of the last one a part, at a share of its cost."""
        left, cost = amount, _ZERO
        while left > 0 and self._lots:
            there, its_cost = self._lots.popleft()
            part = min(there, left)
            part_cost = share(its_cost, part, there)
            if part < there:
                self._lots.appendleft((EXACT.subtract(there, part), EXACT.subtract(its_cost, part_cost)))
            left, cost = EXACT.subtract(left, part), EXACT.add(cost, part_cost)
        taken = EXACT.subtract(amount, left)
        self.amount, self.cost = EXACT.subtract(self.amount, taken), EXACT.subtract(self.cost, cost)
        return taken, cost


class AverageLots:
    """Each part has the same cost."""

    def __init__(self) -> None:
        self.amount = self.cost = _ZERO

    def add(self, amount: Decimal, cost: Decimal) -> None:
        """Take in an amount: the average changes."""
        self.amount, self.cost = EXACT.add(self.amount, amount), EXACT.add(self.cost, cost)

    def take(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Give out an amount at the average cost."""
        taken = min(amount, self.amount)
        cost = share(self.cost, taken, self.amount)
        self.amount, self.cost = EXACT.subtract(self.amount, taken), EXACT.subtract(self.cost, cost)
        return taken, cost


LOTS: Final[dict[Method, Callable[[], Lots]]] = {"fifo": FifoLots, "average": AverageLots}


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """Return the share of money that falls to a part of an amount; all of it falls to all of the amount."""
    if not of or not part:
        return _ZERO
    return whole if part == of else EXACT.quantize(FINE.divide(EXACT.multiply(whole, part), of), _PART)


@dataclass(slots=True)
class Position:
    """The executions of one symbol, added up."""

    symbol: str
    lots: Lots
    realised: Decimal = _ZERO
    unattributed: Decimal = _ZERO  # received for what had no known cost
    unknown: Decimal = _ZERO  # how much that was
    fees: dict[str, Decimal] = field(default_factory=dict[str, Decimal])  # in third coins
    base: str = field(init=False)
    quote: str = field(init=False)

    def __post_init__(self) -> None:
        self.base, self.quote, _, _ = split_symbol(self.symbol)

    def book(self, execution: Execution) -> Decimal:
        """Add an execution; returns what it has realised."""
        in_base = execution.fee if execution.fee_currency == self.base else _ZERO
        in_quote = execution.fee if execution.fee_currency == self.quote else _ZERO
        if execution.fee and execution.fee_currency not in {self.base, self.quote}:
            self.fees[execution.fee_currency] = EXACT.add(self.fees.get(execution.fee_currency, _ZERO), execution.fee)
        if execution.side == "buy":
            amount, money = EXACT.subtract(execution.amount, in_base), EXACT.add(execution.value, in_quote)
            realised = self._take_in(amount, money)
        else:
            amount, money = EXACT.add(execution.amount, in_base), EXACT.subtract(execution.value, in_quote)
            realised = self._give_out(amount, money)
        self.realised = EXACT.add(self.realised, realised)
        return realised

    def _take_in(self, amount: Decimal, money: Decimal) -> Decimal:
        if amount > 0:
            self.lots.add(amount, money)
            return _ZERO
        return self._lost(EXACT.minus(amount), EXACT.minus(money))

    def _give_out(self, amount: Decimal, money: Decimal) -> Decimal:
        if amount <= 0:  # the rebate gave back all that was sold
            return self._lost(amount, money)
        known, cost = self.lots.take(amount)
        attributed = share(money, known, amount)
        self.unattributed = EXACT.add(self.unattributed, EXACT.subtract(money, attributed))
        self.unknown = EXACT.add(self.unknown, EXACT.subtract(amount, known))
        return EXACT.subtract(attributed, cost)

    def _lost(self, amount: Decimal, money: Decimal) -> Decimal:
        """Take that a fee ate all of what was bought, or a rebate gave back all of what was sold."""
        if amount < 0:
            self.lots.add(EXACT.minus(amount), _ZERO)
            return money
        known, cost = self.lots.take(amount)
        self.unknown = EXACT.add(self.unknown, EXACT.subtract(amount, known))
        return EXACT.subtract(money, cost)


class Ledger(Generic[K]):
    """Positions by what `key` says of an execution: of its account and symbol, or of its strategy as well."""

    def __init__(self, method: Method, key: Callable[[Execution], K]) -> None:
        self._make, self._key = LOTS[method], key
        self.positions: dict[K, Position] = {}

    def book(self, executions: Iterable[Execution]) -> Iterator[Booked]:
        """Add executions in their order; yields each with what it has realised."""
        for execution in executions:
            key = self._key(execution)
            position = self.positions.get(key)
            if position is None:
                position = self.positions[key] = Position(execution.symbol, self._make())
            yield Booked(execution, position.book(execution))


def by_symbol(execution: Execution) -> tuple[str, str]:
    """Return the key of positions of an account."""
    return execution.account, execution.symbol


def by_strategy(execution: Execution) -> tuple[str, str | None, str]:
    """Return the key of positions of a strategy."""
    return execution.account, execution.strategy, execution.symbol
