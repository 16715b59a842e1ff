"""Whether an account's limits let an order pass. Pure: what is open, lost and paid comes in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from consumers.execution.ports import NotAllowedError
from contracts.arithmetic.exact import EXACT, FINE
from contracts.instrument import split_symbol
from contracts.services.trading.accounts import Limits
from runtime.trading.order import Fill, Order, Side

DAY_NS: Final = 86_400 * 1_000_000_000
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands: orders that may be open beside this one, what the quote lost today, the market's price."""

    open_orders: int
    lost: Decimal
    price: Decimal | None


def check_limits(order: Order, limits: Limits, standing: Standing) -> None:
    """Return where the order may pass; raises NotAllowedError, whose text is for its owner."""
    _, quote, _, _ = split_symbol(order.symbol)
    if limits.symbols is not None and order.symbol not in limits.symbols:
        message = f"{order.symbol} is not among the symbols that this account may trade"
        raise NotAllowedError(message, "SYMBOL_NOT_ALLOWED")
    if limits.open_orders is not None and standing.open_orders >= limits.open_orders:
        message = f"this account may have {limits.open_orders} open orders, and has as many"
        raise NotAllowedError(message, "OPEN_ORDERS_LIMIT", limit=limits.open_orders)
    most_lost = limits.daily_loss.get(quote)
    if most_lost is not None and standing.lost >= most_lost and order.side == "buy":
        message = f"{standing.lost:f} {quote} were lost today; the limit is {most_lost:f}"
        raise NotAllowedError(message, "DAILY_LOSS_LIMIT", lost=standing.lost, limit=most_lost, currency=quote)
    _check_value(order, limits.order_value.get(quote), standing.price, quote)


def _check_value(order: Order, most: Decimal | None, market: Decimal | None, quote: str) -> None:
    if most is None:
        return
    price = order.price if order.price is not None else market
    if price is None:
        message = "the market's price is not known, so that the order's value cannot be checked"
        raise NotAllowedError(message, "NOT_CHECKED", parameter="symbol")
    value = EXACT.multiply(order.amount, price)
    if value > most:
        message = f"the order is worth {value:f} {quote}; this account's limit is {most:f}"
        raise NotAllowedError(message, "ORDER_VALUE_LIMIT", value=value, limit=most, currency=quote)


def day_of(now_ns: int) -> int:
    """Return when the day began, 00:00 UTC, in ns."""
    return now_ns - now_ns % DAY_NS


@dataclass(slots=True)
class _Position:
    amount: Decimal = _ZERO
    cost: Decimal = _ZERO


def lost_since(executed: Iterable[tuple[str, Side, Fill]], quote: str, since_ns: int) -> Decimal:
    """Return what sells since then lost, at average cost, less what they gained; not below zero.

    `executed` are an account's executions, the oldest first: symbol, side and fill. Fees in the quote count; what is
    sold without having been bought here has no cost that is known, and counts by its fee alone.
    """
    positions: dict[str, _Position] = {}
    gained = _ZERO
    for symbol, side, fill in executed:
        if split_symbol(symbol)[1] != quote:
            continue
        position = positions.setdefault(symbol, _Position())
        fee = fill.fee if fill.fee_currency == quote else _ZERO
        value = EXACT.multiply(fill.amount, fill.price)
        if side == "buy":
            position.amount = EXACT.add(position.amount, fill.amount)
            position.cost = EXACT.add(position.cost, EXACT.add(value, fee))
            continue
        profit = EXACT.subtract(_profit(position, fill), fee)
        if fill.ts >= since_ns:
            gained = FINE.add(gained, profit)
    return max(_ZERO, -gained)


def _profit(position: _Position, fill: Fill) -> Decimal:
    """Take what is sold out of the position; return what it brought above its cost."""
    known = min(fill.amount, position.amount)
    if not known:
        return _ZERO
    cost = FINE.divide(EXACT.multiply(position.cost, known), position.amount)
    position.amount = EXACT.subtract(position.amount, known)
    position.cost = FINE.subtract(position.cost, cost)
    return FINE.subtract(EXACT.multiply(known, fill.price), cost)
