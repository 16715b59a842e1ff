"""What has ended and what was executed at Indodax, from Trade API 2.0: at most seven days and a thousand rows at once.

https://github.com/btcid/indodax-official-api-docs/blob/master/INDODAX-TradeAPI-2.md
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from consumers.execution.ports import UnclearError
from consumers.execution.venues.indodax.answers import Row, read_ended, read_fills
from consumers.execution.venues.indodax.client import IndodaxClient
from consumers.execution.venues.indodax.pairs import Pair
from runtime.trading.order import Fill, Order

ORDERS: Final = "/api/v2/order/histories"
TRADES: Final = "/api/v2/myTrades"
_MS: Final = 1_000_000  # nanoseconds
_DAY_MS: Final = 86_400_000
_SPAN_MS: Final = 7 * _DAY_MS - 1000
_MARGIN_MS: Final = 60_000  # clocks differ
_YOUNG_MS: Final = _DAY_MS - 3_600_000  # younger ones are within what is listed without a time
_ROWS: Final = 1000


class Histories:
    """The histories of one account; `now` gives ns UTC."""

    def __init__(self, client: IndodaxClient, now: Callable[[], int]) -> None:
        self._client, self._now = client, now

    async def find_ended(self, order: Order, pair: Pair) -> Row | None:
        """Return an ended order; None where there is none since it was made. Raises UnclearError."""
        async for row in self._walk(ORDERS, order, pair):
            if row.get("clientOrderId") == order.client_id:
                return read_ended(row)
        return None

    async def list_fills(self, order: Order, pair: Pair) -> tuple[Fill, ...]:
        """Return an order's executions that are listed by now; raises UnclearError."""
        age_ms = (self._now() - order.created_ns) // _MS
        if age_ms < _YOUNG_MS:
            fields = {"symbol": pair.id, "clientOrderId": order.client_id, "limit": str(_ROWS)}
            rows = await self._client.list_rows(TRADES, **fields, sort="asc")
            if len(rows) < _ROWS:
                return read_fills(rows, order)
        found = [row async for row in self._walk(TRADES, order, pair)]
        return tuple({fill.id: fill for fill in read_fills(found, order)}.values())

    async def _walk(self, path: str, order: Order, pair: Pair) -> AsyncIterator[Mapping[str, Any]]:
        """Yield all rows of a pair since an order was made, the oldest first; some may come twice."""
        start, until = order.created_ns // _MS - _MARGIN_MS, self._now() // _MS + _MARGIN_MS
        name = "time" if path == TRADES else "submitTime"
        while start < until:
            end = min(start + _SPAN_MS, until)
            fields = {"symbol": pair.id, "startTime": str(start), "endTime": str(end), "limit": str(_ROWS)}
            rows = await self._client.list_rows(path, **fields, sort="asc")
            for row in rows:
                yield row
            if len(rows) < _ROWS:
                start = end
                continue
            newest = int(rows[-1].get(name, 0))
            if newest <= start:
                raise UnclearError("Indodax lists more at one moment than can be read")
            start = newest
