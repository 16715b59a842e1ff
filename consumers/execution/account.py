"""Accounts as they are kept, and what of them and their orders is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce

from contracts.arithmetic.exact import EXACT
from contracts.arithmetic.moments import as_datetime
from contracts.services.trading.accounts import Limits
from contracts.services.trading.orders import FillInfo, OrderInfo
from runtime.trading.order import Order
from runtime.trading.order_events import shown_status


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of an owner. `balance` is what a paper account began with; times are ns UTC."""

    id: str
    owner: str
    name: str
    venue: str
    exchange: str
    balance: Mapping[str, Decimal]
    limits: Limits = field(default_factory=Limits)
    created_ns: int


def describe(order: Order, account: str) -> OrderInfo:
    """Return an order as its owner sees it; `account` is the account's name."""
    fees = {fill.fee_currency for fill in order.fills}
    return OrderInfo(
        id=order.id,
        client_id=order.client_id,
        account=account,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        status=shown_status(order),
        amount=order.amount,
        filled=order.filled,
        price=order.price,
        average_price=order.average_price,
        fee=reduce(EXACT.add, (fill.fee for fill in order.fills), Decimal(0)),
        fee_currency=fees.pop() if len(fees) == 1 else None,
        reason=order.reason,
        error=order.error,
        created_at=as_datetime(order.created_ns),
    )


def describe_fills(order: Order, account: str) -> list[FillInfo]:
    """Return the executions of an order as its owner sees them."""
    return [
        FillInfo(
            id=fill.id,
            order_id=order.id,
            account=account,
            symbol=order.symbol,
            side=order.side,
            amount=fill.amount,
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            time=as_datetime(fill.ts),
        )
        for fill in order.fills
    ]
