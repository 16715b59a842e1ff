"""Strategies over real trading on a real bus: a grid and a DCA through killed processes, kills, gaps, signals, why."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from consumers.strategies.signals import make_secret, sign
from contracts.errors import ConflictError, InvalidParameterError, NotFoundError, UnauthorizedError
from contracts.services.trading import accounts
from contracts.services.trading import strategies as words
from runtime import clock
from runtime.credentials import belonging_of, open_text
from runtime.vault import Vault
from tests.consumers.execution.conftest import CALLER
from tests.consumers.strategies.conftest import SECRET, Owner, World, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]
D = Decimal
GRID: dict[str, Any] = {"lower": "90", "upper": "110", "levels": 11, "spacing": "arithmetic", "amount": "1"}
DCA: dict[str, Any] = {
    "amount": "1",
    "safety_orders": {"count": 3, "step_percent": "2", "volume_scale": "1.5"},
    "take_profit_percent": "1",
}


async def grid(owner: Owner) -> words.StrategyShown:
    """Make a grid, and return it once it has all of its orders."""
    made = await owner.create("grid", GRID)

    async def placed() -> bool:
        await owner.price("100.5", "100.7")
        return len(await owner.orders("open")) == 10

    await until(placed)
    return made


async def sells(owner: Owner, prices: list[int]) -> None:
    async def there() -> bool:
        return (await owner.open_prices("sell"))[: len(prices)] == prices

    await until(there)


async def test_a_grid_lives_through_killed_processes_and_doubles_no_level(world: World, owner: Owner) -> None:
    made = await grid(owner)
    for price, expected in (("97.9", [100, 102]), ("95.9", [98, 100]), ("100.1", [102, 104])):
        await owner.price(price)
        await asyncio.sleep(0.03)  # somewhere within what follows
        await world.process.kill()
        await world.process.start()

        async def settled(price: str = price, expected: list[int] = expected) -> bool:
            await owner.price(price)  # the market goes on meanwhile
            sells_now = (await owner.open_prices("sell"))[: len(expected)]
            return sells_now == expected and len(await owner.orders("open")) == 10

        await until(settled)
        counted = Counter(order.price for order in await owner.orders("open"))
        assert max(counted.values()) == 1

    async def counted_all() -> bool:
        """What the strategy says of itself is what all that was executed until now comes to."""
        await owner.price("100.1")
        fills = await owner.fills()
        bought = sum((fill.amount for fill in fills if fill.side == "buy"), D(0))
        sold = sum((fill.amount for fill in fills if fill.side == "sell"), D(0))
        cash = sum((fill.amount * fill.price * (1 if fill.side == "sell" else -1) for fill in fills), D(0))
        profit = (await owner.strategy(made.id)).profit
        assert profit.unrealized is not None
        made_so_far = cash + (bought - sold) * D("100.1")
        counted = abs(profit.realized + profit.unrealized - made_so_far) < D("1e-18")
        return counted and profit.fees == sum((fill.fee for fill in fills), D(0))

    await until(counted_all)
    assert {order.client_id.partition("-")[0] for order in await owner.orders()} == {made.id}
    await owner.turn("stop", made.id)


async def test_a_dca_lives_through_a_killed_process_and_sells_all_at_its_profit(world: World, owner: Owner) -> None:
    made = await owner.create("dca", DCA)

    async def placed() -> bool:
        await owner.price("100")
        return await owner.open_prices("buy") == [94, 96, 98]

    await until(placed)
    await world.process.kill()
    await owner.price("97.9")
    await world.process.start()

    async def done() -> bool:
        await owner.price("99.9")
        return (await owner.strategy(made.id)).status == "done"

    await until(done)
    assert (await owner.strategy(made.id)).reason == "the profit was taken"
    assert (await owner.balances())["BTC"] == (0, 0)

    async def ended() -> bool:
        return await owner.orders("open") == []

    await until(ended)
    assert len(await owner.orders()) == 5  # one buy, three below it, one sale


async def test_a_kill_during_a_grid_leads_to_no_new_order_and_pauses_it(owner: Owner) -> None:
    made = await grid(owner)
    killed = await owner.ask("kill", accounts.Kill(caller=CALLER, owner=owner.owner), accounts.Killed)
    assert len(killed.cancelled) == 10
    before = {order.id for order in await owner.orders()}
    for price in ("97.9", "103", "95.9", "105"):
        await owner.price(price)

    async def paused() -> bool:
        return (await owner.strategy(made.id)).status == "paused"

    await until(paused)
    await asyncio.sleep(1.0)  # the bar: none after a second
    assert {order.id for order in await owner.orders()} == before
    await owner.ask("resume", accounts.Resume(caller=CALLER, owner=owner.owner), accounts.Resumed)
    assert (await owner.turn("resume", made.id)).status == "running"

    async def back() -> bool:
        await owner.price("100.5", "100.7")
        return len(await owner.orders("open")) == 10

    await until(back)
    await owner.turn("stop", made.id)


async def test_what_it_did_is_explained_by_deciding_it_again(owner: Owner) -> None:
    made = await grid(owner)
    await owner.price("97.9")
    await sells(owner, [100, 102])
    query = words.StrategyWhy(owner=owner.owner, id=made.id)

    async def explained() -> words.StrategyExplanation:
        return await owner.strategies("why", query, words.StrategyExplanation)

    found = await explained()
    assert found.same
    assert found.decisions
    assert found.saw.kind == "order"
    assert found.saw.says.endswith("is filled, 1 of 1 executed")
    assert {one.client_id for one in found.orders} == {one.client_id for one in found.wanted}
    earlier = await owner.strategies(
        "why", words.StrategyWhy(owner=owner.owner, id=made.id, at=found.at - 1), words.StrategyExplanation
    )
    assert earlier.number < found.number
    decided = await until(lambda: owner.seen("decided", made.id))
    assert decided[0].saw_kind == "ticker"
    await owner.turn("stop", made.id)


async def test_an_order_that_trading_refuses_is_seen_and_pauses_after_the_third(owner: Owner) -> None:
    made = await owner.create("grid", GRID | {"amount": "0.000000001"})

    async def paused() -> bool:
        await owner.price("100.5", "100.7")
        return (await owner.strategy(made.id)).status == "paused"

    await until(paused)
    assert "smallest amount" in str((await owner.strategy(made.id)).reason)
    assert await owner.orders() == []
    refused = await owner.seen("refused", made.id)
    assert {event.code for event in refused} == {"INVALID_PARAMETER"}


async def test_a_feed_that_is_not_live_pauses_it_and_it_says_so_until_it_is_live_again(owner: Owner) -> None:
    made = await grid(owner)
    await owner.feed("gap")

    async def is_now(status: str) -> bool:
        return (await owner.strategy(made.id)).status == status

    await until(lambda: is_now("paused"))
    before = len(await owner.orders())
    await owner.price("97.9")
    await asyncio.sleep(0.2)
    assert len(await owner.orders()) == before
    await owner.feed("live")
    await until(lambda: is_now("running"))
    await sells(owner, [100, 102])

    async def said() -> list[tuple[str, str, str | None]]:
        changed = [(event.status, event.by, event.reason) for event in await owner.seen("changed", made.id)]
        return changed if len(changed) == 3 else []

    paused = ("paused", "itself", "the feed of binance is gap: a test")
    assert await until(said) == [("running", "owner", None), paused, ("running", "itself", None)]
    await owner.turn("stop", made.id)


async def test_take_profit_and_stop_over_an_order_begin_when_it_has_ended(owner: Owner) -> None:
    order = await owner.order(price=D(100), amount=D(2))
    params = {"order_id": order.id, "take_profit": [{"percent": "2", "share": "50"}], "stop_percent": "3"}
    made = await owner.create("tpsl", params)
    assert made.open_orders == 0
    await owner.price("99.9")

    async def offered() -> bool:
        return await owner.open_prices("sell") == [102]

    await until(offered)
    await owner.price("96.9")

    async def done() -> bool:
        await owner.price("96.9")
        return (await owner.strategy(made.id)).reason == "the stop was reached"

    await until(done)
    assert (await owner.balances())["BTC"] == (0, 0)


async def test_params_accounts_and_requests_that_do_not_fit_are_refused(owner: Owner) -> None:
    with pytest.raises(InvalidParameterError, match="lower must be below upper"):
        await owner.create("grid", GRID | {"upper": "90"})
    with pytest.raises(InvalidParameterError, match="There is no strategy martingale"):
        await owner.create("martingale", {})
    with pytest.raises(InvalidParameterError, match="spot only"):
        await owner.create("grid", GRID, symbol="BTC/USDT:USDT")
    with pytest.raises(NotFoundError, match="no account other"):
        await owner.create("grid", GRID, account="other")
    made = await owner.create("grid", GRID, request_key="ab12")
    assert (await owner.create("grid", GRID, request_key="ab12")).id == made.id
    with pytest.raises(ConflictError):
        await owner.create("dca", DCA, request_key="ab12")
    stranger = Owner(owner.bus, "somebody-else")
    for verb in ("pause", "resume", "stop"):
        with pytest.raises(NotFoundError):
            await stranger.turn(verb, made.id)
    assert (await owner.turn("stop", made.id)).status == "stopped"
    assert (await owner.turn("stop", made.id)).status == "stopped"
    with pytest.raises(ConflictError):
        await owner.turn("resume", made.id)


async def test_a_signal_is_taken_once_while_it_is_fresh_and_signed_with_the_strategys_secret(owner: Owner) -> None:
    made = await grid(owner)
    assert made.signal_secret is not None
    whose = belonging_of(owner.owner, made.id, words.SIGNALS)
    secret = open_text(Vault(SECRET), made.signal_secret, whose)
    now = clock.now_ns() // 10**9

    def signal(name: str, at: int = now, key: str = secret) -> words.TakeSignal:
        body = json.dumps({"strategy": made.id, "side": "buy"})
        unsigned = words.TakeSignal(id=name, timestamp=at, signature="0" * 64, body=body)
        return unsigned.model_copy(update={"signature": sign(unsigned, key)})

    async def send(wanted: words.TakeSignal) -> words.SignalTaken:
        return await owner.strategies("signal", wanted, words.SignalTaken)

    assert (await send(signal("one"))).strategy == made.id
    with pytest.raises(ConflictError, match="taken before"):
        await send(signal("one"))
    with pytest.raises(UnauthorizedError, match="60 s"):
        await send(signal("old", now - 90))
    with pytest.raises(UnauthorizedError, match="signature"):
        await send(signal("two", key=make_secret()))
    assert [event.body for event in await owner.seen("signalled", made.id)] == [signal("one").body]
    await owner.turn("pause", made.id)
    with pytest.raises(ConflictError, match="not running"):
        await send(signal("three"))
    await owner.turn("stop", made.id)
