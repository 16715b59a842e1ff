"""The portfolio on a real bus with documents: fills from the stream, live prices from the market core, the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from contracts import streams, subjects
from contracts.errors import NotFoundError
from contracts.services.trading import accounts
from contracts.services.trading.events import OrderFilled
from contracts.services.trading.portfolio import FindPortfolio, LedgerPage, ListLedger, Portfolio
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from tests.api.world import Store as Market
from tests.consumers.execution.conftest import CALLER, User, until
from tests.consumers.portfolio.conftest import database, portfolio

pytestmark = pytest.mark.nats
D = Decimal


async def find(user: User, **fields: Any) -> Portfolio:
    """Return the portfolio once every execution is in it."""

    async def whole() -> Portfolio | None:
        query = FindPortfolio(owner=user.owner, **fields)
        found = await CommandClient(user.bus).request("portfolio.find", query, Portfolio)
        return None if found.pending else found

    return await until(whole)


async def ledger(user: User, **fields: Any) -> LedgerPage:
    query = ListLedger(owner=user.owner, **fields)
    return await CommandClient(user.bus).request("portfolio.ledger", query, LedgerPage)


async def trade(user: User) -> None:
    """Buy 1 for 100 and 1 for 110, sell 1 for 109; 0.3 % each."""
    await user.show([("99", "9")], [("100", "1"), ("110", "5")])
    await user.order(type="market", price=None, amount=D(2))
    await user.show([("109", "9")], [("130", "5")])
    await user.order(type="market", price=None, amount=D(1), side="sell")


async def test_values_costs_and_profits_are_those_of_the_fills_at_live_prices(
    market: Market, server: NatsServer, user: User, documents_url: str
) -> None:
    documents = database(documents_url)
    await user.open(balance={"USDT": D(10_000), "XYZ": D(5)})
    async with portfolio(server, documents):
        await trade(user)
        found = await find(user)
        items = {item.asset: item for item in found.items}
        btc = items["BTC"]
        assert (btc.free, btc.price, btc.value, btc.via) == (1, 120, 120, ["BTC/USDT"])
        assert (btc.costed, btc.cost, btc.realised) == (1, D("110.33"), D(109) - D("0.327") - D("100.3"))
        assert btc.unrealised == D(120) - D("110.33")
        assert items["USDT"].value == D(10_000) - D("210.63") + D("108.673")
        assert found.unpriced == ["XYZ"]
        assert (items["XYZ"].value, items["XYZ"].free) == (None, 5)
        assert found.totals.value == D(10_000) - D("210.63") + D("108.673") + 120
        assert (found.totals.realised, found.totals.unrealised) == (btc.realised, btc.unrealised)
        (by_hand,) = found.strategies
        assert (by_hand.strategy, by_hand.symbol, by_hand.realised) == (None, "BTC/USDT", btc.realised)
        rupiah = {item.asset: item for item in (await find(user, currency="IDR")).items}
        assert (rupiah["BTC"].price, rupiah["BTC"].cost) == (1_900_000, D("110.33") * 16_000)
        assert (await find(user, currency="USD")).items[0].via == ["BTC/USDT", "USDT/USD peg"]
        with pytest.raises(NotFoundError):
            await find(user, account="other")
        await market.put_ticker("binance", "BTC/USDT", "120", quality="stale", age=3600)
        await market.put_ticker("indodax", "BTC/IDR", "1900000", quality="stale", age=3600)
        stale = await until(lambda: unpriced(user, "BTC"))
        assert {item.asset: item.value for item in stale.items}["BTC"] is None
        assert stale.totals.value == items["USDT"].value
        await check_ledger(user)


async def unpriced(user: User, asset: str) -> Portfolio | None:
    found = await find(user)
    return found if asset in found.unpriced else None


async def check_ledger(user: User) -> None:
    page = await ledger(user)
    assert [(row.side, row.price, row.value, row.realized_pnl) for row in page.items] == [
        ("buy", 100, 100, 0),
        ("buy", 110, 110, 0),
        ("sell", 109, 109, D("8.373")),
    ]
    assert {row.account for row in page.items} == {"paper"}
    average = await ledger(user, method="average", page=2, page_size=2)
    assert (average.total, average.pages, len(average.items)) == (3, 2, 1)
    assert average.items[0].realized_pnl == D(109) - D("0.327") - D("105.315")
    gone = accounts.DeleteAccount(caller=CALLER, owner=user.owner, name="paper")
    await user.ask("delete_account", gone, accounts.AccountInfo)
    assert [row.account for row in (await ledger(user, account="paper")).items] == ["paper"] * 3
    assert (await find(user)).items == []


@pytest.mark.usefixtures("market")
async def test_a_fill_that_comes_again_counts_once_and_a_new_process_knows_all(
    server: NatsServer, own: Bus, user: User, documents_url: str
) -> None:
    documents = database(documents_url)
    await user.open()
    async with portfolio(server, documents):
        await trade(user)
        before = await find(user)
    rows = await read_past(own, streams.TRADING, (f"{subjects.ORDER}filled.*",), ALL)
    for row in rows:  # without its id: the stream does not know that it had it
        await own.jetstream().publish(row.subject.decode(), row.payload)
    fill = OrderFilled.model_validate_json(rows[0].payload)
    odd = fill.model_copy(update={"id": "odd", "symbol": "what the venue calls it"})
    await own.jetstream().publish(odd.subject, odd.model_dump_json().encode())
    async with portfolio(server, documents):
        after = await find(user)
        assert after.items == before.items
        assert (await ledger(user)).total == 3
    (letter,) = await read_past(own, streams.DLQ, (f"{subjects.DEAD_LETTER}portfolio.>",), ALL)
    assert b"what the venue calls it" in letter.payload
