"""Rows of Bybit's private REST, as its pages show them. Pure.

https://bybit-exchange.github.io/docs/v5/order/open-order
https://bybit-exchange.github.io/docs/v5/order/execution
https://bybit-exchange.github.io/docs/v5/account/wallet-balance
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any, Final

from producers.simulator.private.money import Account
from producers.simulator.private.orders import Fill, Order

_CONTEXT: Final = Context(prec=40)
_CENTS: Final = Decimal("0.00000001")


def order_row(order: Order) -> dict[str, Any]:
    """Return an order, of `GET /v5/order/realtime` and `GET /v5/order/history`."""
    filled, spent = order.filled, order.spent
    average = "" if not filled else _text(_CONTEXT.divide(spent, filled).quantize(_CENTS))
    return {
        "orderId": str(order.id),
        "orderLinkId": order.client_id or "",
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": "0" if order.price is None else _text(order.price),
        "qty": _text(order.cost if order.amount is None and order.cost is not None else order.amount or Decimal(0)),
        "side": order.side.capitalize(),
        "isLeverage": "0",
        "orderStatus": _status(order),
        "cancelType": "CancelByUser" if order.status == "cancelled" else "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": average,
        "leavesQty": _text(order.left if order.status == "open" else Decimal(0)),
        "cumExecQty": _text(filled),
        "cumExecValue": _text(spent),
        "cumExecFee": _text(order.fee),
        "timeInForce": "PostOnly" if order.post_only else "IOC" if order.type == "market" else "GTC",
        "orderType": order.type.capitalize(),
        "marketUnit": "quoteCoin" if order.cost is not None else "baseCoin",
        "stopOrderType": "",
        "triggerPrice": "0.0",
        "takeProfit": "0.0",
        "stopLoss": "0.0",
        "reduceOnly": False,
        "createdTime": str(order.created_us // 1000),
        "updatedTime": str(order.changed_us // 1000),
    }


def execution_row(fill: Fill, order: Order) -> dict[str, Any]:
    """Return an execution, of `GET /v5/execution/list`."""
    return {
        "symbol": fill.symbol,
        "orderType": order.type.capitalize(),
        "orderId": str(fill.order_id),
        "orderLinkId": order.client_id or "",
        "side": fill.side.capitalize(),
        "execId": str(fill.id),
        "orderPrice": _text(order.price or Decimal(0)),
        "orderQty": _text(order.amount or Decimal(0)),
        "leavesQty": "0",
        "execPrice": _text(fill.price),
        "execQty": _text(fill.amount),
        "execValue": _text(fill.value),
        "execFee": _text(fill.fee),
        "feeCurrency": fill.fee_currency,
        "feeRate": "0.001",
        "execType": "Trade",
        "isMaker": fill.is_maker,
        "execTime": str(fill.ts_us // 1000),
    }


def wallet_row(account: Account) -> dict[str, Any]:
    """Return what an account has, of `GET /v5/account/wallet-balance`."""
    coins = [
        {
            "coin": name,
            "walletBalance": _text(account.has(name)),
            "locked": _text(account.held[name]),
            "availableToWithdraw": "",
            "totalOrderIM": "0",
            "totalPositionIM": "0",
            "borrowAmount": "0",
            "accruedInterest": "0",
        }
        for name in sorted({*account.free, *account.held})
    ]
    return {"list": [{"accountType": "UNIFIED", "coin": coins}]}


def key_row(account: Account) -> dict[str, Any]:
    """Return what a key may do, of `GET /v5/user/query-api`."""
    return {
        "id": str(account.id),
        "readOnly": 0 if "trade" in account.permissions else 1,
        "permissions": {
            "Spot": ["SpotTrade"] if "trade" in account.permissions else [],
            "Wallet": ["Withdraw"] if "withdraw" in account.permissions else [],
        },
        "uta": 1,
        "isMaster": True,
    }


def info_row(now_us: int) -> dict[str, Any]:
    """Return what kind of account it is, of `GET /v5/account/info`: a unified one, 2.0 Pro."""
    return {"unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN", "updatedTime": str(now_us // 1000)}


def _status(order: Order) -> str:
    if order.status == "filled":
        return "Filled"
    if order.status == "cancelled":
        return "PartiallyFilledCanceled" if order.fills else "Cancelled"
    return "PartiallyFilled" if order.fills else "New"


def _text(value: Decimal) -> str:
    return f"{value:f}"
