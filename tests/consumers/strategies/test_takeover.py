"""Who runs strategies is taken over while it stands still or dies; trips pause; what cannot be run is put aside."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from decimal import Decimal
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.execution.publishing import BusPublisher
from consumers.strategies.store import STRATEGIES
from contracts.errors import ConflictError
from contracts.services.trading import strategies as words
from contracts.services.trading.events import TradingTripped
from runtime import clock
from runtime.store import Store
from tests.consumers.strategies.conftest import Owner, Process, World, make_process, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]
LEASE_SECONDS = 3.0
GRID: dict[str, Any] = {"lower": "90", "upper": "110", "levels": 11, "spacing": "arithmetic", "amount": "1"}
DCA: dict[str, Any] = {"amount": "1", "safety_orders": {"count": 1, "step_percent": "2", "volume_scale": "1"}}


@pytest_asyncio.fixture(loop_scope="module")
async def second(world: World) -> AsyncGenerator[Process]:
    """A second process, which stands by."""
    process = await make_process(world.url, world.documents, LEASE_SECONDS)
    await process.start()
    yield process
    await process.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(world: World) -> Owner:
    """Another owner on the same market."""
    made = Owner(world.bus, f"owner-{token_hex(4)}")
    await made.open(balance={"USDT": Decimal(100_000)})
    return made


async def check_decisions(owner: Owner, strategy_id: str) -> None:
    """Hold decisions to it: each number once and none missing, an order for each that was wanted and no other."""

    async def published() -> bool:
        decided = await owner.seen("decided", strategy_id)
        wanted = [one.client_id for each in decided for one in each.wanted if one.what == "place"]
        return sorted(wanted) == sorted(order.client_id for order in await owner.orders())

    await until(published)
    decided = await owner.seen("decided", strategy_id)
    assert [one.number for one in decided] == list(range(1, len(decided) + 1))
    wanted = Counter(one.client_id for each in decided for one in each.wanted if one.what == "place")
    assert max(wanted.values()) == 1
    query = words.StrategyWhy(owner=owner.owner, id=strategy_id)
    assert (await owner.strategies("why", query, words.StrategyExplanation)).same


async def settle(owner: Owner, price: str, sells: list[int]) -> None:
    """Show a price until the grid has all of its orders, with these sells nearest to it."""

    async def there() -> bool:
        await owner.price(price)
        placed = await owner.orders("open")
        lowest = (await owner.open_prices("sell"))[: len(sells)]
        return len(placed) == 10 and lowest == sells and max(Counter(one.price for one in placed).values()) == 1

    await until(there)


async def test_a_grid_goes_on_in_another_process_when_its_own_stands_still_or_dies(
    world: World, second: Process, owner: Owner
) -> None:
    made = await owner.create("grid", GRID)

    async def begun() -> int:
        await owner.price("100.5", "100.7")
        return len(await owner.orders())

    await until(begun)
    await world.process.freeze()
    assert len(await owner.orders()) < 10  # it stands still in the middle of placing its orders
    await settle(owner, "100.5", [104, 106])
    await world.process.thaw()  # it believes for a moment that it acts still
    await settle(owner, "97.9", [100, 102])
    await check_decisions(owner, made.id)
    await world.process.kill()
    starting = asyncio.create_task(world.process.start())  # it stands by now
    await owner.price("95.9")
    await asyncio.sleep(0.03)  # somewhere within what follows
    await second.kill()
    await starting
    await settle(owner, "95.9", [98, 100])
    await check_decisions(owner, made.id)
    await owner.turn("stop", made.id)


async def dca(owner: Owner) -> words.StrategyShown:
    """Make a DCA, and return it once it has bought and offers to buy."""
    made = await owner.create("dca", DCA)

    async def placed() -> bool:
        await owner.price("100")
        mine = [order for order in await owner.orders() if order.client_id.startswith(made.id)]
        return sorted(order.status for order in mine) == ["filled", "open"]

    await until(placed)
    return made


async def trip(owner: Owner, strategy: str | None) -> None:
    """Publish that trading has tripped, as execution does."""
    event = TradingTripped(
        id=f"tripped.{token_hex(4)}",
        ts=clock.now_ns(),
        account="a" * 16,
        owner=owner.owner,
        venue="paper",
        what="venue" if strategy is None else "strategy",
        strategy=strategy,
        errors=5,
        reason="no answer within 10 s",
    )
    await BusPublisher(owner.bus).publish_trip(event)


async def status(owner: Owner, made: words.StrategyShown) -> str:
    return (await owner.strategy(made.id)).status


async def test_a_trip_pauses_those_it_is_about_until_they_are_resumed(
    world: World, owner: Owner, stranger: Owner
) -> None:
    one, other, others = await dca(owner), await dca(owner), await dca(stranger)

    async def are_now(first: str, second: str) -> bool:
        return (await status(owner, one), await status(owner, other)) == (first, second)

    await trip(owner, one.id)
    await until(lambda: are_now("paused", "running"))
    found = await owner.strategy(one.id)
    assert found.reason == "trading has tripped: no answer within 10 s"
    await trip(owner, None)
    await until(lambda: are_now("paused", "paused"))
    assert await status(stranger, others) == "running"
    for made in (one, other):
        assert (await owner.turn("resume", made.id)).status == "running"
    await world.process.kill()
    await world.process.start()  # the stranger's strategy reads the stream again from before the trips
    await trip(stranger, others.id)

    async def said() -> bool:
        return (await status(stranger, others)) == "paused"

    await until(said)
    assert await are_now("running", "running")
    changed = [(event.status, event.by) for event in await owner.seen("changed", one.id)]
    assert changed == [("running", "owner"), ("paused", "itself"), ("running", "owner")]
    for made in (one, other):
        await owner.turn("stop", made.id)
    await stranger.turn("stop", others.id)


async def test_what_cannot_be_run_any_more_is_put_aside_and_the_others_go_on(
    world: World, owner: Owner, stranger: Owner
) -> None:
    gone, runs, broken = await dca(owner), await dca(owner), await dca(stranger)
    await world.process.kill()
    store = Store(world.documents)
    kept = store.collection(STRATEGIES)
    await kept.update_one({"_id": gone.id}, {"$set": {"kind": "martingale"}})  # its file is not there any more
    await kept.update_one({"_id": broken.id}, {"$set": {"state": "{"}})
    await world.process.start()
    found = await owner.strategy(gone.id)
    assert (found.status, found.open_orders) == ("paused", 1)
    assert str(found.reason).startswith("it cannot be run any more: There is no strategy martingale")
    assert await status(owner, runs) == "running"
    with pytest.raises(ConflictError, match="cannot be run"):
        await owner.turn("resume", gone.id)
    changed = [(event.status, event.by, event.reason) for event in await owner.seen("changed", gone.id)]
    assert changed == [("running", "owner", None), ("paused", "itself", found.reason)]
    await kept.update_one({"_id": gone.id}, {"$set": {"kind": "dca"}})
    await store.close()
    await world.process.kill()
    await world.process.start()
    assert await status(owner, gone) == "paused"
    assert (await owner.turn("resume", gone.id)).status == "running"
    for made in (gone, runs):
        await owner.turn("stop", made.id)
