"""The paper venue on documents: nothing is said before it is written, and a new process goes on from what is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from consumers.execution.paper.store import PaperStore
from consumers.execution.paper.venue import FRESH_NS, PaperVenue
from consumers.execution.ports import ChangedElsewhereError, UnclearError
from runtime.store import Document, Store, StoreError
from runtime.trading.figures import Fees, OrderRefusedError, Print
from runtime.trading.order import Report
from tests.consumers.execution.stage import START, intent

BTC = "BTC/USDT"
D = Decimal
FEES = Fees(D(0), D(0))


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


class FailingStore(PaperStore):
    """A store whose writes fail when they are told to."""

    fails = False

    async def save(self, document: Document, moved: Any) -> None:
        if self.fails:
            raise StoreError("away")
        await super().save(document, moved)


def venue(documents: Store, clock: Clock | None = None, token: int = 1) -> tuple[PaperVenue, FailingStore]:
    store = FailingStore(documents, "paper", FEES, lambda: token)
    return PaperVenue(store, {"USDT": D(10_000)}, clock or Clock(), latency=0), store


def show(one: PaperVenue, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
    one.on_book(
        BTC, [(D(price), D(amount)) for price, amount in bids], [(D(price), D(amount)) for price, amount in asks]
    )


async def test_a_new_process_goes_on_with_orders_money_and_what_was_eaten(documents: Store) -> None:
    before, _ = venue(documents)
    show(before, [(100, 5)], [(101, 2)])
    assert (await before.place(intent(1, type="market", price=None, amount=D(2)))).status == "filled"
    assert (await before.place(intent(2, price=D(100), amount=D(3)))).status == "open"
    after, _ = venue(documents)
    assert await after.open() == {BTC}
    show(after, [(100, 5)], [(101, 2)])
    ended = await after.find(intent(1))
    assert ended is not None
    assert (ended.status, ended.filled) == ("filled", 2)
    third = await after.place(intent(3, type="market", price=None, amount=D(2)))
    assert (third.status, third.filled) == ("cancelled", 0)  # the two were eaten before
    assert await after.balances() == [("BTC", D(2), D(0)), ("USDT", D(9498), D(300))]
    after.on_trade(BTC, Print(D(100), D(6), "sell"))  # five stand ahead again
    assert [(one.client_id, one.filled) for one in await after.flush()][-1] == ("client2", 1)


async def test_what_was_not_written_is_not_said_and_did_not_happen(documents: Store) -> None:
    one, store = venue(documents)
    show(one, [(99, 1)], [(101, 1)])
    await one.place(intent(1, price=D(100), amount=D(3)))
    await one.flush()
    store.fails = True
    one.on_trade(BTC, Print(D(99), D(1), "sell"))
    with pytest.raises(StoreError):
        await one.flush()
    with pytest.raises(UnclearError):
        await one.place(intent(2, type="market", price=None, amount=D(1)))
    store.fails = False
    assert await one.find(intent(2)) is None
    found = await one.find(intent(1))
    assert found is not None
    assert found.filled == 0
    assert await one.flush() == []


async def test_an_order_that_comes_again_is_the_one_that_is_there(documents: Store) -> None:
    one, _ = venue(documents)
    show(one, [(99, 1)], [(101, 5)])
    first = await one.place(intent(1, type="market", price=None, amount=D(1)))
    for _ in range(2):
        assert await one.place(intent(1, type="market", price=None, amount=D(1))) == first
        await one.place(intent(2, price=D(90), amount=D(1)))  # another write: the first one moves
    assert {name: free for name, free, _ in await one.balances()}["BTC"] == 1


async def test_what_the_market_fills_is_said_once(documents: Store) -> None:
    one, _ = venue(documents)
    show(one, [(99, 1)], [(101, 5)])
    await one.place(intent(1, price=D(100), amount=D(3)))
    await one.flush()
    one.on_trade(BTC, Print(D(99), D(1), "sell"))
    said: list[Report] = await one.flush()
    assert [(report.client_id, report.filled) for report in said] == [("client1", 1)]
    assert await one.flush() == []


async def test_a_cancelled_order_ends_and_frees_its_money(documents: Store) -> None:
    one, _ = venue(documents)
    show(one, [(99, 1)], [(101, 5)])
    await one.place(intent(1, price=D(100), amount=D(3)))
    cancelled = await one.cancel(intent(1))
    assert cancelled is not None
    assert cancelled.status == "cancelled"
    assert await one.balances() == [("USDT", D(10_000), D(0))]
    with pytest.raises(OrderRefusedError):
        await one.cancel(intent(1))
    assert await one.list_open() == []


async def test_an_old_book_is_nobodys_to_trade_on(documents: Store) -> None:
    clock = Clock()
    one, _ = venue(documents, clock)
    show(one, [(99, 1)], [(101, 5)])
    assert one.price(BTC) == 100
    clock.now += FRESH_NS + 1
    assert one.price(BTC) is None
    with pytest.raises(OrderRefusedError, match="no live book"):
        await one.place(intent(1))


async def test_two_processes_on_one_account_do_not_write_over_each_other(documents: Store) -> None:
    first, second = venue(documents)[0], venue(documents)[0]
    for one in (first, second):
        await one.open()
        show(one, [(99, 1)], [(101, 5)])
    await first.place(intent(1, price=D(100), amount=D(3)))
    with pytest.raises(UnclearError):
        await second.place(intent(2, price=D(100), amount=D(3)))
    assert [report.client_id for report in await second.list_open()] == ["client1"]


async def test_who_was_taken_over_neither_writes_nor_reads_the_account_any_more(documents: Store) -> None:
    """An order of the process before that arrives after the takeover is no order: nobody would follow it."""
    first, second = venue(documents)[0], venue(documents, token=2)[0]
    for one in (first, second):
        await one.open()
        show(one, [(99, 1)], [(101, 5)])
    for number in (1, 2):  # the second time it has nothing in memory
        with pytest.raises(UnclearError):
            await first.place(intent(number, price=D(100), amount=D(3)))
    assert await second.find(intent(1)) is None
    assert (await second.place(intent(3, price=D(100), amount=D(3)))).status == "open"
    assert [report.client_id for report in await second.list_open()] == ["client3"]
    idle = venue(documents, token=0)[0]  # it has never had the lease
    with pytest.raises(ChangedElsewhereError):
        await idle.open()


async def test_who_lost_the_lease_may_cancel_until_another_has_taken_over(documents: Store) -> None:
    tokens = [1]
    one = PaperVenue(PaperStore(documents, "paper", FEES, lambda: tokens[0]), {"USDT": D(10_000)}, Clock(), latency=0)
    await one.open()
    show(one, [(99, 1)], [(101, 5)])
    for number in (1, 2):
        await one.place(intent(number, price=D(100), amount=D(3)))
    tokens[0] = 0
    cancelled = await one.cancel(intent(1))
    assert cancelled is not None
    assert cancelled.status == "cancelled"
    await venue(documents, token=2)[0].open()
    for _ in range(2):
        with pytest.raises(UnclearError):
            await one.cancel(intent(2))
