"""An account goes away only where no order of it is open or on its way, and takes none from then on."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from consumers.execution.documents.journal import INDEXES
from consumers.execution.opened import Opened
from consumers.execution.safety.permits import Permits
from contracts.errors import ConflictError
from runtime.store import Store
from tests.consumers.execution.links.test_tokens import LINKED
from tests.consumers.execution.safety.test_trips import order
from tests.consumers.execution.safety.venue import Exchange, at_work


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest_asyncio.fixture
async def one(documents: Store, exchange: Exchange) -> Opened:
    await documents.create_indexes(INDEXES)
    return at_work(documents, LINKED, exchange, Permits(documents))


async def close(one: Opened) -> None:
    async with one.closing():
        pass


async def test_one_with_an_open_order_stays_and_goes_on(one: Opened) -> None:
    await one.submit(order())
    with pytest.raises(ConflictError):
        await close(one)
    assert (await one.submit(order())).status == "open"


async def test_one_with_an_order_on_its_way_stays(one: Opened, exchange: Exchange) -> None:
    exchange.open_for_orders.clear()
    sending = asyncio.create_task(one.submit(order()))
    while not one.work.submitting:  # noqa: ASYNC110
        await asyncio.sleep(0)
    with pytest.raises(ConflictError):
        await close(one)
    exchange.open_for_orders.set()
    assert (await sending).status == "open"


async def test_one_that_goes_away_takes_no_order_any_more(one: Opened, exchange: Exchange) -> None:
    async with one.closing():
        with pytest.raises(ConflictError):
            await one.submit(order())
    with pytest.raises(ConflictError):
        await one.submit(order())
    assert exchange.orders == {}
