"""Indodax's Trade API 2.0: what has ended and what was executed; failures have a code and an HTTP status.

https://github.com/btcid/indodax-official-api-docs/blob/master/INDODAX-TradeAPI-2.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from producers.simulator.hub import Answer, Request, encode
from producers.simulator.private import Account, Exchange, Fill, Order, Spot
from producers.simulator.private.figures import EXACT
from producers.simulator.venues.indodax.signed import TEXTS, Signed, SignedError, admit

DAY_MS: Final = 86_400_000
LONGEST_MS: Final = 7 * DAY_MS
LEAST, MOST = 10, 1000
PATHS: Final = {"/api/v2/order/histories": "histories", "/api/v2/myTrades": "myTrades"}
SYMBOL: Final = (400, 1110, "Invalid symbol.")


class Refusal(Exception):  # noqa: N818 - an answer, no error of ours
    """A status, a code and a text."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are wanted: milliseconds, how many, the newest first or last."""

    market: Spot
    start_ms: int
    end_ms: int
    limit: int
    newest_first: bool


class Histories:
    """`GET /api/v2/order/histories` and `GET /api/v2/myTrades`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._markets = {market.symbol.replace("/", "").lower(): market for market in exchange.markets.values()}

    def method_of(self, request: Request) -> str:
        """Return which endpoint a request is for."""
        return PATHS.get(request.path, "")

    def answer(self, request: Request, now_us: int) -> Answer:
        """Answer a request."""
        fields = dict(parse_qsl(request.query_text))
        headers = request.headers
        signed = Signed(headers.get("x-apikey"), headers.get("sign"), request.query_text, fields)
        try:
            if request.path not in PATHS:
                raise Refusal(404, 1113, "The requested resource does not exist.")
            if request.method != "GET":
                raise Refusal(405, 1111, "Method not allowed.")
            account = admit(self._exchange, signed, "view", now_us)
            read = self._orders if request.path.endswith("histories") else self._trades
            return Answer(200, encode({"data": read(account, fields, now_us)}))
        except SignedError as error:
            _, _, status, code = TEXTS[error.fault]
            return _failed(Refusal(status, code, error.text))
        except Refusal as refusal:
            return _failed(refusal)

    def _orders(self, account: Account, fields: Mapping[str, str], now_us: int) -> list[dict[str, Any]]:
        page = self._page(fields, now_us, default=100)
        found = [
            order
            for order in self._exchange.list_orders(account, symbol=page.market.symbol, is_open=False)
            if page.start_ms <= order.created_us // 1000 <= page.end_ms
        ]
        return [_order_row(order, page.market) for order in _cut(found, page)]

    def _trades(self, account: Account, fields: Mapping[str, str], now_us: int) -> list[dict[str, Any]]:
        page = self._page(fields, now_us, default=500)
        found = [
            fill
            for fill in self._exchange.list_fills(account, now_us, symbol=page.market.symbol)
            if page.start_ms <= fill.ts_us // 1000 <= page.end_ms and self._is_of(fill, fields, page.market)
        ]
        return [_trade_row(fill, self._exchange.orders[fill.order_id], page.market) for fill in _cut(found, page)]

    def _is_of(self, fill: Fill, fields: Mapping[str, str], market: Spot) -> bool:
        order = self._exchange.orders[fill.order_id]
        wanted, named = fields.get("orderId"), fields.get("clientOrderId")
        return wanted in (None, _order_id(order, market)) and named in (None, order.client_id)

    def _page(self, fields: Mapping[str, str], now_us: int, *, default: int) -> Page:
        if not fields.get("symbol"):
            raise Refusal(400, 1108, "Mandatory parameter 'symbol' was not sent")
        market = self._markets.get(fields["symbol"])
        if market is None:
            raise Refusal(*SYMBOL)
        end = _number(fields, "endTime", now_us // 1000)
        start = _number(fields, "startTime", end - DAY_MS)
        limit = _number(fields, "limit", default)
        if not LEAST <= limit <= MOST or not 0 <= end - start <= LONGEST_MS:
            raise Refusal(400, 1109, "Invalid parameter value.")
        return Page(market, start, end, limit, fields.get("sort", "desc") == "desc")


def _cut(found: list[Any], page: Page) -> list[Any]:
    return (found[::-1] if page.newest_first else found)[: page.limit]


def _order_row(order: Order, market: Spot) -> dict[str, Any]:
    amount = order.filled if order.amount is None else order.amount
    return {
        "orderId": _order_id(order, market),
        "clientOrderId": order.client_id or "",
        "symbol": market.symbol.replace("/", "").lower(),
        "side": order.side.upper(),
        "type": order.type.upper(),
        "status": order.status.upper(),
        "price": f"{order.price or 0:f}",
        "oriQty": f"{amount:f}",
        "executedQty": f"{order.filled:f}",
        "submitTime": order.created_us // 1000,
        "finishTime": order.changed_us // 1000,
    }


def _trade_row(fill: Fill, order: Order, market: Spot) -> dict[str, Any]:
    return {
        "tradeId": str(fill.id),
        "orderId": _order_id(order, market),
        "clientOrderId": order.client_id or "",
        "symbol": market.symbol.replace("/", "").lower(),
        "price": f"{fill.price:f}",
        "qty": f"{fill.amount:f}",
        "quoteQty": format(fill.value.normalize(EXACT), "f"),
        "commission": format(fill.fee.normalize(EXACT), "f"),
        "commissionAsset": fill.fee_currency.lower(),
        "isBuyer": fill.side == "buy",
        "isMaker": fill.is_maker,
        "time": fill.ts_us // 1000,
    }


def _order_id(order: Order, market: Spot) -> str:
    return f"{market.symbol.replace('/', '').lower()}-{order.type}-{order.id}"


def _number(fields: Mapping[str, str], name: str, default: int) -> int:
    text = fields.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise Refusal(400, 1109, "Invalid parameter value.")
    return int(text)


def _failed(refusal: Refusal) -> Answer:
    return Answer(refusal.status, encode({"code": refusal.code, "error": refusal.text}))
