"""An account at an exchange that CCXT speaks to, as an executor meets it. Nothing is sent a second time.

What became of an order is asked by its client order id: the order itself where the exchange gives one, then the open
ones, the ended ones, and the executions, in that order, so that one that ends meanwhile is in a later list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from consumers.execution.ports import UnclearError
from consumers.execution.venues.books import LiveBooks
from consumers.execution.venues.ccxt_client import CcxtClient
from consumers.execution.venues.ccxt_keys import check_key
from consumers.execution.venues.ccxt_orders import (
    Row,
    UnreadableError,
    is_ours,
    read_accepted,
    read_balances,
    read_fees,
    read_fills,
    read_report,
    read_rules,
    sum_of,
)
from consumers.execution.venues.ccxt_ways import Listing
from contracts.errors import InvalidParameterError
from runtime import clock
from runtime.trading.figures import Fees, Levels, OrderRefusedError, Print, Taken
from runtime.trading.order import Order, Report
from runtime.trading.rules import TradingRules

MOST_PAGES: Final = 20  # of open orders
_BEFORE_MS: Final = 120_000  # before an order was made here: where lists of ended orders begin
_MS: Final = 1_000_000
_RATE: Final = Decimal("0.003")
T = TypeVar("T")


class CcxtVenue:
    """One account. `now` gives ns UTC; books and trades come from the bus, orders are asked for."""

    def __init__(self, client: CcxtClient, now: Callable[[], int] = clock.now_ns) -> None:
        self._client, self._now = client, now
        self._books = LiveBooks(now)
        self._fees = Fees(_RATE, _RATE)

    def __repr__(self) -> str:
        return f"CcxtVenue({self._client.venue})"

    @property
    def fees(self) -> Fees:
        """The highest fees of the exchange's list of prices; before it is read, those of paper accounts."""
        return self._fees

    async def check(self) -> None:
        """Return where the key may trade and not withdraw, as far as the exchange says it.

        Raises InvalidParameterError, whose text says how to make a right one, or UnclearError.
        """
        await check_key(self._client)

    async def open(self) -> frozenset[str]:
        """Return no symbols: the exchange fills its orders by itself, and nothing is asked of it yet."""
        return frozenset()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def rules(self, symbol: str) -> TradingRules:
        """Return what the exchange takes of a spot pair; InvalidParameterError where it does not trade that."""
        await self._load_markets()
        exchange = self._client.exchange
        market = exchange.markets.get(symbol)
        if market is None:
            raise InvalidParameterError(f"{self._client.venue} does not trade {symbol}", parameter="symbol")
        return _read(read_rules, market, exchange.precisionMode, self._client.venue)

    async def place(self, order: Order) -> Report:
        """Send an order; OrderRefusedError where it certainly was not taken, UnclearError where that is unknown."""
        await self._check(order)
        price = None if order.price is None else f"{order.price:f}"
        params: dict[str, Any] = {"clientOrderId": order.client_id}
        if order.post_only:
            params["postOnly"] = True
        terms = (order.symbol, order.type, order.side, f"{order.amount:f}", price, params)
        row = await self._client.change(lambda exchange: exchange.create_order(*terms))
        return _read(read_accepted, row, order)

    async def find(self, order: Order) -> Report | None:
        """Return what became of an order; None where it is in none of the lists."""
        async for row in self._rows(order):
            if _read(is_ours, row, order):
                return await self._report(row, order)
        return None if order.venue_order_id is None else await self._find_trades(order, order.venue_order_id)

    async def cancel(self, order: Order) -> Report | None:
        """Cancel an order; None where the answer says only that the request was taken."""
        venue_id = order.venue_order_id
        params = {} if venue_id is not None else {self._client.ways.cancel: order.client_id}
        row = await self._client.change(lambda exchange: exchange.cancel_order(venue_id, order.symbol, params))
        if row.get("status") is None:
            return None
        return _read(read_report, {**row, "clientOrderId": order.client_id}, (), order.amount)

    async def list_open(self) -> Sequence[Report]:
        """Return all open orders of the account, whoever placed them."""
        ways = self._client.ways
        reports: list[Report] = []
        params: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            terms = (None, None, ways.page, params)
            rows = await self._client.read(lambda exchange, terms=terms: exchange.fetch_open_orders(*terms))
            reports += [_read(read_report, row, (), None) for row in rows]
            if ways.page is None or ways.next_page is None or len(rows) < ways.page:
                return reports
            key, name = ways.next_page
            if not (cursor := rows[-1]["info"].get(key)):
                return reports
            params = {name: cursor}
        raise UnclearError(f"{self._client.venue} has more open orders than are asked for")

    async def flush(self) -> Sequence[Report]:
        """Return nothing: what changes by itself is asked for."""
        return ()

    async def balances(self) -> Sequence[tuple[str, Decimal, Decimal]]:
        """Return each currency with what is free and what is held; UnclearError."""
        await self._load_markets()
        return _read(read_balances, await self._client.read(lambda exchange: exchange.fetch_balance()))

    async def look(self, order: Order) -> Sequence[Taken]:
        """Return what an order would take of the live book now."""
        return self._books.look(order)

    def price(self, symbol: str) -> Decimal | None:
        """Return the middle of the live book; None where there is none."""
        return self._books.price(symbol)

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Take a live book as it is shown now."""
        self._books.on_book(symbol, bids, asks)

    def on_trade(self, symbol: str, trade: Print) -> None:
        """Do nothing: the exchange matches."""

    async def _check(self, order: Order) -> None:
        """Return where the exchange can do what the order wants; raises OrderRefusedError."""
        await self._client.change(_nothing)  # so that it is known what can be done there
        can, venue = self._client.capabilities, self._client.venue
        if self._client.ways.client_id.fullmatch(order.client_id) is None:
            message = f"{venue} does not take the client order id {order.client_id}"
            raise OrderRefusedError(message, "NOT_SUPPORTED", parameter="client_id")
        if order.post_only and not can.post_only:
            message = f"{venue} cannot keep an order from being executed at once"
            raise OrderRefusedError(message, "NOT_SUPPORTED", parameter="post_only")
        if order.type == "market" and not can.market:
            raise OrderRefusedError(f"{venue} has no market orders here", "NOT_SUPPORTED", parameter="type")

    async def _load_markets(self) -> None:
        if await self._client.load_markets(self._now()):
            markets = self._client.exchange.markets.values()
            self._fees = _read(read_fees, (market for market in markets if market.get("spot")))

    async def _rows(self, order: Order) -> AsyncIterator[Row]:
        """Yield the orders that may be this one, of one list after the other."""
        ways = self._client.ways
        if ways.one is not None:
            venue_id = order.venue_order_id
            params = {ways.one: order.client_id} if venue_id is None else {}
            terms = (venue_id, order.symbol, params)
            row = await self._client.read(lambda exchange: _none_where_unknown(exchange.fetch_order(*terms)))
            if row is not None:
                yield row
        since = order.created_ns // _MS - _BEFORE_MS
        for listing in ways.listings:
            for row in await self._list(listing, order, since):
                yield row

    async def _list(self, listing: Listing, order: Order, since: int) -> Iterable[Row]:
        params = {} if listing.client_id is None else {listing.client_id: order.client_id}
        start = since if listing.client_id is None and listing.method != "fetch_open_orders" else None
        terms = (order.symbol, start, None, params)
        return await self._client.read(lambda exchange: getattr(exchange, listing.method)(*terms))

    async def _report(self, row: Row, order: Order) -> Report:
        found = _read(read_report, row, (), order.amount)
        if not found.filled:
            return found
        trades = await self._trades(order, found.venue_order_id)
        return _read(read_report, row, _read(read_fills, trades, found.venue_order_id), order.amount)

    async def _find_trades(self, order: Order, venue_order_id: str) -> Report | None:
        """Return what the executions say of an order that is in no list any more; None without any."""
        fills = _read(read_fills, await self._trades(order, venue_order_id), venue_order_id)
        if not fills:
            return None
        filled = sum_of(fills)
        if filled < order.amount:
            raise UnclearError(f"{self._client.venue} lists executions of the order, and not the order")
        return Report(
            venue_order_id=venue_order_id,
            client_id=order.client_id,
            status="filled",
            filled=filled,
            fills=fills,
            symbol=order.symbol,
        )

    async def _trades(self, order: Order, venue_order_id: str) -> Iterable[Row]:
        terms = (venue_order_id, order.symbol, None, self._client.ways.trades)
        return await self._client.read(lambda exchange: exchange.fetch_order_trades(*terms))


async def _nothing(_exchange: Any) -> None:
    """Send nothing."""


async def _none_where_unknown(asked: Awaitable[Row]) -> Row | None:
    """Return an order; None where the exchange says that it does not know it."""
    try:
        return await asked
    except Exception as error:
        if type(error).__name__ == "OrderNotFound":
            return None
        raise


def _read(read: Callable[..., T], *what: Any) -> T:
    """Return what is read of an answer; UnclearError where it lacks something."""
    try:
        return read(*what)
    except UnreadableError as error:
        raise UnclearError(f"the answer cannot be read: {error}") from None
