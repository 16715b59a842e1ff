"""Bybit's private REST, v5, of a unified account's spot trading: signed requests; errors are HTTP 200 with a `retCode`.

https://bybit-exchange.github.io/docs/v5/guide#authentication
https://bybit-exchange.github.io/docs/v5/order/create-order
https://bybit-exchange.github.io/docs/v5/order/open-order
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.market.listing import Listing
from producers.simulator.private.exchange import Exchange
from producers.simulator.private.faults import Refusals
from producers.simulator.private.listed import count_within, show_book, show_open, spot_of
from producers.simulator.private.money import Account
from producers.simulator.private.orders import Order, RefusedError, Wanted
from producers.simulator.private.side import PrivateSide
from producers.simulator.venues.bybit.private_rows import execution_row, info_row, key_row, order_row, wallet_row

Fields = Mapping[str, str]
Act = Callable[[Account, Fields, int], Answer]
_SECOND: Final = 1_000_000
_MOST_ORDERS: Final = 20  # within a second
_CODES: Final[Mapping[str, tuple[int, str]]] = {
    "symbol": (170121, "Invalid symbol."),
    "halted": (170121, "Invalid symbol."),
    "no_book": (170121, "Invalid symbol."),
    "terms": (10001, "params error"),
    "price_step": (170134, "Order price has too many decimals."),
    "amount_step": (170137, "Order volume decimal too long."),
    "least_amount": (170136, "Order quantity exceeded lower limit."),
    "least_value": (170140, "Order value exceeded lower limit."),
    "funds": (170131, "Insufficient balance."),
    "would_take": (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    "duplicate": (170141, "Duplicate clientOrderId"),
    "unknown_order": (170213, "Order does not exist."),
}


class BybitPrivate:
    """Answers of signed requests, on an exchange that trades the venue's pairs."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self._listings = listings
        self.side = PrivateSide(Exchange(spot_of(listing) for listing in listings.values()))
        self._acts: dict[tuple[str, str], Act] = {
            ("GET", "/v5/user/query-api"): lambda account, _fields, now: _envelope(key_row(account), now),
            ("GET", "/v5/account/info"): lambda _account, _fields, now: _envelope(info_row(now), now),
            ("GET", "/v5/account/wallet-balance"): lambda account, _fields, now: _envelope(wallet_row(account), now),
            ("POST", "/v5/order/create"): self._place,
            ("POST", "/v5/order/cancel"): self._cancel,
            ("GET", "/v5/order/realtime"): self._open_orders,
            ("GET", "/v5/order/history"): self._ended_orders,
            ("GET", "/v5/execution/list"): self._executions,
        }

    def answers(self, request: Request) -> bool:
        """Return whether a request is a private one."""
        return (request.method, request.path) in self._acts

    def answer(self, request: Request, now_us: int) -> Answer:
        """Return the answer to a private request, with what goes wrong with it."""
        account = self._identify(request, now_us)
        if isinstance(account, Answer):
            return account
        act = self._acts[request.method, request.path]
        refusals = Refusals(
            maintenance=lambda: _refusal((10016, "System error. Please try again later."), now_us),
            rate_limit=lambda: _refusal((10006, "Too many visits. Exceeded the API Rate Limit."), now_us),
        )
        name = f"{request.method} {request.path}"
        return self.side.answer(name, lambda at: _carry_out(act, account, request.query, at), refusals, now_us)

    def tick(self, now_us: int) -> None:
        """Let orders that wait meet the books of now."""
        self.side.tick(now_us)
        show_open(self.side.exchange, self._listings, now_us)

    def _identify(self, request: Request, now_us: int) -> Account | Answer:
        """Return whose request it is; the refusal where it is not signed as it has to be."""
        headers = request.headers
        account = self.side.exchange.find_account(headers.get("x-bapi-api-key", ""))
        if account is None:
            return _refusal((10003, "API key is invalid."), now_us)
        sent, window = headers.get("x-bapi-timestamp", ""), headers.get("x-bapi-recv-window", "5000")
        payload = f"{sent}{account.key}{window}{request.body if request.method == 'POST' else request.query_text}"
        expected = hmac.new(account.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, headers.get("x-bapi-sign", "")):
            return _refusal((10004, "error sign! please check your signature generation algorithm."), now_us)
        if not now_us // 1000 - int(window) <= int(sent) < now_us // 1000 + 1000:
            text = "invalid request, please check your server timestamp or recv_window param."
            return _refusal((10002, text), now_us)
        if request.method == "POST" and "trade" not in account.permissions:
            return _refusal((10005, "Permission denied, please check your API key permissions."), now_us)
        return account

    def _place(self, account: Account, fields: Fields, now_us: int) -> Answer:
        if count_within(account, "orders", _SECOND, now_us) > _MOST_ORDERS:
            return _refusal((10006, "Too many visits. Exceeded the API Rate Limit."), now_us)
        exchange = self.side.exchange
        wanted = _read_wanted(fields)
        if (listing := self._listings.get(wanted.symbol)) is not None:
            show_book(exchange, listing, now_us)
        order = exchange.place(account, wanted, now_us)
        return _envelope({"orderId": str(order.id), "orderLinkId": order.client_id or ""}, now_us)

    def _cancel(self, account: Account, fields: Fields, now_us: int) -> Answer:
        order = self._named(account, fields)
        if order is None:
            raise RefusedError("unknown_order", "")
        order = self.side.exchange.cancel(account, order.id, now_us)
        return _envelope({"orderId": str(order.id), "orderLinkId": order.client_id or ""}, now_us)

    def _open_orders(self, account: Account, fields: Fields, now_us: int) -> Answer:
        return self._orders(account, fields, now_us, is_open=True)

    def _ended_orders(self, account: Account, fields: Fields, now_us: int) -> Answer:
        return self._orders(account, fields, now_us, is_open=False)

    def _orders(self, account: Account, fields: Fields, now_us: int, *, is_open: bool) -> Answer:
        """A page of orders, the newest first; the cursor is how many came before."""
        found = self.side.exchange.list_orders(account, symbol=fields.get("symbol"), is_open=is_open)[::-1]
        if "orderLinkId" in fields or "orderId" in fields:
            named = self._named(account, fields)
            found = [order for order in found if order is named]
        begin, limit = int(fields.get("cursor") or 0), min(int(fields.get("limit", "20")), 50)
        page = found[begin : begin + limit]
        cursor = str(begin + limit) if begin + limit < len(found) else ""
        rows = [order_row(order) for order in page]
        return _envelope({"category": "spot", "nextPageCursor": cursor, "list": rows}, now_us)

    def _executions(self, account: Account, fields: Fields, now_us: int) -> Answer:
        exchange = self.side.exchange
        number = None if (order := self._named(account, fields)) is None else order.id
        fills = exchange.list_fills(account, now_us, symbol=fields.get("symbol"), order_id=number)[::-1]
        limit = min(int(fields.get("limit", "50")), 100)
        rows = [execution_row(fill, exchange.orders[fill.order_id]) for fill in fills[:limit]]
        return _envelope({"category": "spot", "nextPageCursor": "", "list": rows}, now_us)

    def _named(self, account: Account, fields: Fields) -> Order | None:
        number = fields.get("orderId", "")
        if number.isdigit():
            return self.side.exchange.find(account, order_id=int(number))
        return self.side.exchange.find(account, client_id=fields.get("orderLinkId", ""))


def _carry_out(act: Act, account: Account, fields: Fields, now_us: int) -> Answer:
    try:
        return act(account, fields, now_us)
    except RefusedError as error:
        return _refusal(_CODES[error.code], now_us)
    except (KeyError, InvalidOperation):
        return _refusal(_CODES["terms"], now_us)


def _read_wanted(fields: Fields) -> Wanted:
    """Return what is asked for, of `POST /v5/order/create`; a market buy is by cost unless `marketUnit` says not."""
    is_market, side = fields["orderType"] == "Market", fields["side"]
    by_cost = is_market and side == "Buy" and fields.get("marketUnit") != "baseCoin"
    quantity = Decimal(fields["qty"])
    return Wanted(
        symbol=fields["symbol"],
        side="buy" if side == "Buy" else "sell",
        type="market" if is_market else "limit",
        amount=None if by_cost else quantity,
        cost=quantity if by_cost else None,
        price=None if is_market else Decimal(fields["price"]),
        post_only=fields.get("timeInForce") == "PostOnly",
        immediate=fields.get("timeInForce") == "IOC",
        client_id=fields.get("orderLinkId"),
    )


def _refusal(error: tuple[int, str], now_us: int) -> Answer:
    code, text = error
    return _body(code, text, {}, now_us)


def _envelope(result: dict[str, Any], now_us: int) -> Answer:
    return _body(0, "OK", result, now_us)


def _body(code: int, text: str, result: dict[str, Any], now_us: int) -> Answer:
    body = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now_us // 1000}
    return Answer(200, encode(body))
