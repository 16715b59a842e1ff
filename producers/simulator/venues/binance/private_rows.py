"""Rows of Binance Spot's private REST, as its pages show them. Pure.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints#new-order-trade
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints#account-trade-list-user_data
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from producers.simulator.private.money import Account
from producers.simulator.private.orders import Fill, Order

_ZERO: Final = Decimal(0)


def order_row(order: Order) -> dict[str, Any]:
    """Return an order, of `GET /api/v3/order`."""
    return {
        **_terms(order),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.created_us // 1000,
        "updateTime": order.changed_us // 1000,
        "isWorking": True,
        "workingTime": order.created_us // 1000,
        "origQuoteOrderQty": _text(order.cost or _ZERO),
        "selfTradePreventionMode": "NONE",
    }


def placed_row(order: Order) -> dict[str, Any]:
    """Return the answer to a new order whose `newOrderRespType` is FULL."""
    fills = [
        {
            "price": _text(fill.price),
            "qty": _text(fill.amount),
            "commission": _text(fill.fee),
            "commissionAsset": fill.fee_currency,
            "tradeId": fill.id,
        }
        for fill in order.fills
    ]
    return {
        **_terms(order),
        "transactTime": order.created_us // 1000,
        "workingTime": order.created_us // 1000,
        "selfTradePreventionMode": "NONE",
        "fills": fills,
    }


def cancelled_row(order: Order) -> dict[str, Any]:
    """Return the answer to a cancel: the request has a client id of its own."""
    return {
        **_terms(order),
        "origClientOrderId": order.client_id or "",
        "clientOrderId": f"cancel{order.id}",
        "transactTime": order.changed_us // 1000,
        "selfTradePreventionMode": "NONE",
    }


def trade_row(fill: Fill) -> dict[str, Any]:
    """Return an execution, of `GET /api/v3/myTrades`."""
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": _text(fill.price),
        "qty": _text(fill.amount),
        "quoteQty": _text(fill.value),
        "commission": _text(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.ts_us // 1000,
        "isBuyer": fill.side == "buy",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account_row(account: Account, now_us: int) -> dict[str, Any]:
    """Return an account, of `GET /api/v3/account`."""
    names = sorted({*account.free, *account.held})
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "canTrade": "trade" in account.permissions,
        "canWithdraw": "withdraw" in account.permissions,
        "canDeposit": True,
        "accountType": "SPOT",
        "updateTime": now_us // 1000,
        "balances": [
            {"asset": name, "free": _text(account.free[name]), "locked": _text(account.held[name])} for name in names
        ],
        "permissions": ["SPOT"],
        "uid": account.id,
    }


def _terms(order: Order) -> dict[str, Any]:
    limit = "LIMIT_MAKER" if order.post_only else "LIMIT"
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id or f"web_{order.id}",
        "price": _text(order.price or _ZERO),
        "origQty": _text(order.filled if order.amount is None else order.amount),
        "executedQty": _text(order.filled),
        "cummulativeQuoteQty": _text(order.spent),
        "status": _status(order),
        "timeInForce": "GTC",
        "type": "MARKET" if order.type == "market" else limit,
        "side": order.side.upper(),
    }


def _status(order: Order) -> str:
    if order.status == "filled":
        return "FILLED"
    if order.status == "cancelled":
        return "EXPIRED" if order.type == "market" else "CANCELED"
    return "PARTIALLY_FILLED" if order.fills else "NEW"


def _text(value: Decimal) -> str:
    return f"{value:.8f}"
