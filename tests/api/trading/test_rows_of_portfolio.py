"""One test a row of `/api/trading` about the portfolio and the ledger, as somebody reads of it."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio

from consumers.portfolio.handlers import make_consumer
from contracts.services.trading.portfolio import LEDGER_COLUMNS
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.conftest import Store
from tests.api.trading.conftest import Trader, database
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]


@pytest_asyncio.fixture
async def adding_up(executing: None, api_nats: NatsServer, documents_url: str) -> AsyncGenerator[None]:
    """The portfolio's consumer, serving."""
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="portfolio")).connect()
    async with running(bus, "portfolio", make_consumer(database(documents_url)).run):
        yield
    await bus.close()


async def ledger_of(trader: Trader, rows: int) -> Any:
    async with asyncio.timeout(15):
        while (page := await trader.good("GET", "/ledger"))["total"] < rows:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return page


async def test_a_portfolio_is_balances_at_live_prices_and_what_was_earned(
    adding_up: None, ann: Trader, bob: Trader, store: Store
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "101.5")
    await ann.order(type="market", price=None, amount=4)
    await ledger_of(ann, 2)
    found = await ann.good("GET", "/portfolio?account=paper&currency=USDT")
    assert {item["asset"] for item in found["items"]} == {"BTC", "USDT"}
    coin = next(item for item in found["items"] if item["asset"] == "BTC")
    assert (coin["free"], coin["costed"], coin["cost"]) == (4, 4, 405 + 1.215)
    assert found["strategies"][0]["strategy"] is None
    assert (await bob.good("GET", "/portfolio"))["items"] == []
    assert (await bob.ask("GET", "/portfolio?account=paper")).status_code == 404
    assert (await ann.ask("GET", "/portfolio?currency=EUR")).status_code == 400


async def test_the_ledger_is_every_execution_as_pages_and_as_csv(adding_up: None, ann: Trader, bob: Trader) -> None:
    order = await ann.order(type="market", price=None, amount=4)
    page = await ledger_of(ann, 2)
    assert tuple(page["items"][0]) == LEDGER_COLUMNS
    assert (page["pages"], page["method"], page["pending"]) == (1, "fifo", False)
    shown = await ann.ask("GET", "/ledger?format=csv&method=average")
    assert shown.headers["content-type"] == "text/csv; charset=utf-8"
    assert shown.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
    head, *rows = csv.reader(StringIO(shown.text))
    assert tuple(head) == LEDGER_COLUMNS
    exact = json.loads((await ann.ask("GET", "/ledger")).content, parse_float=Decimal)["items"]
    written = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(Decimal(row["amount"]), Decimal(row["fee"])) for row in written] == [
        (row["amount"], row["fee"]) for row in exact
    ]
    assert {row["order_id"] for row in written} == {order["id"]}
    assert (await bob.ask("GET", "/ledger?format=csv")).text == ",".join(LEDGER_COLUMNS) + "\r\n"
    assert (await bob.ask("GET", "/ledger?account=paper&format=csv")).status_code == 404
