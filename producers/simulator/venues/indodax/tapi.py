"""Indodax's TAPI: `POST /tapi` and `POST /tapi/countdownCancelAll`. Failures come with HTTP 200, but for too many.

https://github.com/btcid/indodax-official-api-docs/blob/master/Private-RestAPI.md
https://github.com/btcid/indodax-official-api-docs/blob/master/Deadman-switch.md
Texts of refusals that no page shows are marked as assumed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import parse_qsl

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.private import Account, Exchange, Order, Permission, RefusedError, Spot, Wanted
from producers.simulator.private.figures import EXACT, floor_to
from producers.simulator.venues.indodax import tapi_rows as rows
from producers.simulator.venues.indodax.signed import TEXTS, Signed, SignedError, admit

COUNTDOWN: Final = "countdownCancelAll"
TRADES_A_SECOND, CANCELS_A_SECOND, COUNTDOWNS = 20, 30, 10
BLOCK_US: Final = 5_000_000
SECOND_US: Final = 1_000_000
EXCESS: Final = Answer(
    429,
    encode(
        {
            "success": 0,
            "error": "Your User ID sent too many trade request, please try again in 5 seconds",
            "error_code": "too_many_requests",
        }
    ),
)
NOT_MAKER: Final = "Order cancelled because it’s not maker."  # noqa: RUF001 - the venue's own text
UNKNOWN_ORDER: Final = "invalid order."
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")


class Refusal(Exception):  # noqa: N818 - an answer, no error of ours
    """TAPI's no: a text, and a code where it has one."""

    def __init__(self, text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.text, self.code = text, code


class Tapi:
    """The methods that trading needs."""

    def __init__(self, exchange: Exchange, *, enforce_limits: bool) -> None:
        self._exchange, self._enforce = exchange, enforce_limits
        self._calls: dict[tuple[int, str], deque[int]] = {}
        self._blocked: dict[tuple[int, str], int] = {}
        self._markets = {market.symbol.replace("/", "_").lower(): market for market in exchange.markets.values()}
        self._methods: dict[str, tuple[Permission, Callable[[Account, Mapping[str, str], int], Any]]] = {
            "getInfo": ("view", self._info),
            "openOrders": ("view", self._open_orders),
            "getOrder": ("view", self._order),
            "getOrderByClientOrderId": ("view", self._order),
            "trade": ("trade", self._trade),
            "cancelOrder": ("trade", self._cancel),
            "cancelByClientOrderId": ("trade", self._cancel),
            "withdrawFee": ("withdraw", self._withdraw_fee),
        }

    def method_of(self, request: Request) -> str:
        """Return which method a request is for."""
        if request.path.endswith(COUNTDOWN):
            return COUNTDOWN
        return dict(parse_qsl(request.body)).get("method", "")

    def answer(self, request: Request, now_us: int) -> Answer:
        """Answer a request."""
        text = request.query_text + request.body
        signed = Signed(request.headers.get("key"), request.headers.get("sign"), text, dict(parse_qsl(text)))
        try:
            if request.path.endswith(COUNTDOWN):
                return self._count_down(signed, now_us)
            return Answer(200, encode({"success": 1, "return": self._carry_out(signed, now_us)}))
        except SignedError as error:
            return _failed(error.text, TEXTS[error.fault][1])
        except Refusal as refusal:
            return EXCESS if refusal.code == "too_many_requests" else _failed(refusal.text, refusal.code)
        except RefusedError as error:
            return _failed(_words(error))

    def _carry_out(self, signed: Signed, now_us: int) -> Any:
        name = signed.fields.get("method", "")
        permission, method = self._methods.get(name, ("view", None))
        account = admit(self._exchange, signed, permission, now_us)
        if method is None:
            raise Refusal("Invalid method", "bad_request")  # assumed
        if name == "trade":
            self._count(account, f"trade {signed.fields.get('pair')}", TRADES_A_SECOND, now_us)
        elif permission == "trade":
            self._count(account, "cancel", CANCELS_A_SECOND, now_us)
        return method(account, signed.fields, now_us)

    def _count(self, account: Account, what: str, most: int, now_us: int, *, within_us: int = SECOND_US) -> None:
        """Count a call; the excess of trades blocks for five seconds."""
        key = (account.id, what)
        calls = self._calls.setdefault(key, deque(maxlen=most))
        excess = len(calls) == most and calls[0] > now_us - within_us
        if self._enforce and (excess or self._blocked.get(key, 0) > now_us):
            if excess and what.startswith("trade"):
                self._blocked[key] = now_us + BLOCK_US
            account.memory["too_many"] = account.memory.get("too_many", 0) + 1
            raise Refusal("", "too_many_requests")
        calls.append(now_us)

    def _info(self, account: Account, _fields: Mapping[str, str], now_us: int) -> dict[str, Any]:
        return rows.info(account, self._exchange.markets.values(), now_us)

    def _trade(self, account: Account, fields: Mapping[str, str], now_us: int) -> dict[str, Any]:
        market = self._market(fields)
        order = self._exchange.place(account, _wanted(fields, market), now_us)
        return rows.placed(order, market)

    def _open_orders(self, account: Account, fields: Mapping[str, str], _now_us: int) -> dict[str, Any]:
        if "pair" in fields:
            market = self._market(fields)
            found = self._exchange.list_orders(account, symbol=market.symbol, is_open=True)
            return {"orders": [rows.open_order(order, market) for order in reversed(found)] or None}
        by_pair: dict[str, list[dict[str, Any]]] = {}
        for pair, market in self._markets.items():
            found = self._exchange.list_orders(account, symbol=market.symbol, is_open=True)
            if found:
                by_pair[pair] = [rows.open_order(order, market) for order in reversed(found)]
        return {"orders": by_pair or None}

    def _order(self, account: Account, fields: Mapping[str, str], _now_us: int) -> dict[str, Any]:
        order = self._find(account, fields)
        return {"order": rows.whole_order(order, self._exchange.markets[order.symbol])}

    def _cancel(self, account: Account, fields: Mapping[str, str], now_us: int) -> dict[str, Any]:
        order = self._find(account, fields)
        if "client_order_id" not in fields and fields.get("type") != order.side:
            raise Refusal(UNKNOWN_ORDER)
        order = self._exchange.cancel(account, order.id, now_us)
        return rows.cancelled(order, account, self._exchange.markets[order.symbol])

    def _withdraw_fee(self, _account: Account, fields: Mapping[str, str], now_us: int) -> dict[str, Any]:
        return {"server_time": now_us // SECOND_US, "withdraw_fee": 0.005, "currency": fields.get("currency", "")}

    def _find(self, account: Account, fields: Mapping[str, str]) -> Order:
        if fields.get("method", "").endswith("ClientOrderId"):
            order = self._exchange.find(account, client_id=fields.get("client_order_id", ""))
        else:
            number = fields.get("order_id", "")
            order = self._exchange.find(account, order_id=int(number) if number.isdigit() else None)
            if order is not None and order.symbol != self._market(fields).symbol:
                order = None
        if order is None:
            raise Refusal(UNKNOWN_ORDER)
        return order

    def _market(self, fields: Mapping[str, str]) -> Spot:
        market = self._markets.get(fields.get("pair", "btc_idr"))
        if market is None:
            raise Refusal("Invalid pair", "bad_request")
        return market

    def _count_down(self, signed: Signed, now_us: int) -> Answer:
        account = admit(self._exchange, signed, "trade", now_us)
        self._count(account, "countdown", COUNTDOWNS, now_us, within_us=10 * SECOND_US)
        pairs = signed.fields.get("pair", "")
        milliseconds = signed.fields.get("countdownTime", "5000")
        if not pairs:
            raise Refusal("Pair is empty", "bad_request")
        if not milliseconds.isdigit():
            raise Refusal("Invalid countdown time", "bad_request")
        markets = [self._markets.get(pair) for pair in pairs.split(",")]
        if None in markets:
            raise Refusal("Invalid pair", "bad_request")
        until = now_us + int(milliseconds) * 1000 if int(milliseconds) else None
        self._exchange.count_down(account, [market.symbol for market in markets if market], until)
        return Answer(200, encode({"success": 1}))


def _wanted(fields: Mapping[str, str], market: Spot) -> Wanted:
    """Return what `trade` asks for; a limit buy may name its rupiah where it does not name its type."""
    side, kind = fields.get("type", ""), fields.get("order_type", "limit")
    price, base, quote = (_number(fields, name) for name in ("price", market.base.lower(), market.quote.lower()))
    name = fields.get("client_order_id")
    if side not in ("buy", "sell") or kind not in ("limit", "market"):
        raise Refusal("Invalid type", "bad_request")  # assumed
    if name is not None and not _CLIENT_ID.fullmatch(name):
        raise Refusal("Invalid client order id", "bad_request")  # assumed
    if kind == "limit" and side == "buy" and quote is not None:
        if "order_type" in fields or base is not None or not price:
            raise Refusal("Invalid amount", "bad_request")  # assumed; that it is refused is documented
        base, quote = floor_to(EXACT.divide(quote, price), market.amount_step), None
    by_cost = kind == "market" and side == "buy"
    if (quote if by_cost else base) is None or (kind == "limit" and price is None):
        raise Refusal("Invalid amount or price", "bad_request")  # assumed
    return Wanted(
        symbol=market.symbol,
        side="buy" if side == "buy" else "sell",
        type="market" if kind == "market" else "limit",
        amount=None if by_cost else base,
        cost=quote if by_cost else None,
        price=price if kind == "limit" else None,
        post_only=fields.get("time_in_force") == "MOC",
        client_id=name,
    )


def _number(fields: Mapping[str, str], name: str) -> Decimal | None:
    try:
        return Decimal(fields[name]) if name in fields else None
    except InvalidOperation:
        raise Refusal(f"Invalid {name}", "bad_request") from None  # assumed


def _words(error: RefusedError) -> str:
    """Return the venue's words for a refusal of the exchange; those of steps and minimums are assumed."""
    match error.code:
        case "funds":
            return "Insufficient balance."
        case "would_take":
            return NOT_MAKER
        case "unknown_order":
            return UNKNOWN_ORDER
        case "least_value" | "least_amount":
            return f"Minimum order: {error.text}"
        case "price_step":
            return f"Minimum price: {error.text}"
        case _:
            return error.text


def _failed(text: str, code: str | None = None) -> Answer:
    return Answer(200, encode({"success": 0, "error": text, **({} if code is None else {"error_code": code})}))
