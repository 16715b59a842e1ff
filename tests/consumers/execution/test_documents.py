"""The journal, the switch and the gate on a document server: versions, fencing, and what cannot be read forbids."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio

from consumers.execution.account import Account, describe
from consumers.execution.documents.journal import INDEXES, DocumentJournal
from consumers.execution.documents.switches import Switches
from consumers.execution.gate import AccountGate
from consumers.execution.ports import ChangedElsewhereError, NotAllowedError
from consumers.execution.safety.permits import Permits
from contracts.services.trading.accounts import Limits
from contracts.services.trading.refusals import refusal
from runtime.store import Store, StoreError
from runtime.trading import order as steps
from runtime.trading.order import Fill, Order, Report
from runtime.trading.order_events import order_id_of
from tests.consumers.execution.stage import START, intent

ACCOUNT = Account(
    id="paper",
    owner="alice",
    name="paper",
    venue="paper",
    exchange="binance",
    balance={"USDT": Decimal(1000)},
    limits=Limits(open_orders=2, daily_loss={"USDT": Decimal(5)}),
    created_ns=START,
)


@pytest_asyncio.fixture
async def store(documents: Store) -> Store:
    await documents.create_indexes(INDEXES)
    return documents


def journal(store: Store, token: int = 1) -> DocumentJournal:
    return DocumentJournal(store, "paper", lambda: token)


def filled() -> Order:
    """An order with every kind of value in it."""
    fill = Fill("f1", Decimal("0.10"), Decimal("100.5"), Decimal("-0.001"), "USDT", START)
    report = Report(venue_order_id="7", client_id="client1", status="open", filled=Decimal("0.1"), fills=(fill,))
    return steps.on_report(steps.on_sending(intent(amount=Decimal("10.50")), START), report, START + 1)


async def test_an_order_is_read_as_it_was_written(store: Store) -> None:
    order, kept = filled(), journal(store)
    await kept.insert(order)
    assert await kept.find(order.id) == order
    assert await kept.find_client_id("client1") == order
    assert await kept.find("other") is None


async def test_an_intent_of_a_known_client_id_is_the_one_that_is_there(store: Store) -> None:
    kept = journal(store)
    first, second = await asyncio.gather(kept.insert(intent()), kept.insert(intent(id="order2")))
    assert first == second


async def test_an_order_is_saved_over_the_version_that_was_read_only(store: Store) -> None:
    kept = journal(store)
    order = await kept.insert(intent())
    sending = steps.on_sending(order, START)
    await kept.save(sending, order)
    with pytest.raises(ChangedElsewhereError):
        await kept.save(steps.on_cancel_wanted(order, START), order)
    assert await kept.find(order.id) == sending


async def test_who_acted_before_cannot_change_what_another_has_claimed(store: Store) -> None:
    before, after = journal(store, 1), journal(store, 2)
    order = await before.insert(intent())
    await after.claim()
    with pytest.raises(ChangedElsewhereError):
        await before.save(steps.on_sending(order, START), order)
    await after.save(steps.on_sending(order, START), order)


async def test_what_is_finished_is_not_listed_and_not_claimed(store: Store) -> None:
    kept = journal(store)
    done = steps.on_refused(intent(), refusal("INSUFFICIENT_BALANCE", "no", free=Decimal("1.0")), START)
    await kept.insert(done)
    assert await kept.find("order1") == done  # with its error
    assert [one.id for one in await kept.list_unfinished()] == ["order1"]  # its end is not published yet
    await kept.save(steps.on_published(done, done.version), done)
    assert await kept.list_unfinished() == []


async def test_accounts_see_their_own_orders_only(store: Store) -> None:
    await journal(store).insert(intent())
    other = DocumentJournal(store, "other", lambda: 1)
    assert await other.find("order1") is None
    assert await other.list_unfinished() == []
    assert order_id_of("paper", "c") != order_id_of("other", "c")


async def test_executions_are_listed_by_their_time(store: Store) -> None:
    kept = journal(store)
    late = replace(filled(), created_ns=START - 1)
    early = Fill("f0", Decimal(1), Decimal(1), Decimal(0), "USDT", START - 5)
    await kept.insert(late)
    await kept.insert(replace(late, id="order2", client_id="client2", side="sell", fills=(early,)))
    assert [(side, fill.id) for _, side, fill in await kept.list_executed()] == [("sell", "f0"), ("buy", "f1")]


def gate(store: Store, *, holds: bool = True) -> AccountGate:
    return AccountGate(
        ACCOUNT, journal(store), Permits(store), lambda: holds, lambda _symbol: Decimal(100), lambda: START
    )


async def test_the_switch_stops_an_owner_until_it_is_resumed(store: Store) -> None:
    await Switches(store).halt("alice", START)
    with pytest.raises(NotAllowedError, match="trading is stopped"):
        await gate(store).check(intent())
    await gate(store).check(intent(owner="bob"))
    await Switches(store).resume("alice", START)
    await gate(store).check(intent())


async def test_a_resume_while_an_older_stop_is_written_is_what_holds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches, write, begun, free = Switches(store), Switches._set, asyncio.Event(), asyncio.Event()

    async def write_slowly(self: Switches, owner: str, now_ns: int, *, halted: bool) -> None:
        if halted:
            begun.set()
            await free.wait()
        await write(self, owner, now_ns, halted=halted)

    monkeypatch.setattr(Switches, "_set", write_slowly)
    for owner in ("alice", "bob"):
        switches.halt_here(owner, START)
    flushing = asyncio.create_task(switches.flush())
    await begun.wait()
    resuming = [asyncio.create_task(switches.resume(owner, START + 1)) for owner in ("alice", "bob")]
    await asyncio.sleep(0.05)
    free.set()
    await asyncio.gather(flushing, *resuming)
    assert [await switches.is_halted(owner) for owner in ("alice", "bob")] == [False, False]


async def test_a_resume_that_is_not_written_leaves_what_is_stopped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise StoreError("away")

    switches = Switches(store)
    switches.halt_here("alice", START)
    with monkeypatch.context() as broken:
        broken.setattr(Switches, "_set", refuse)
        with pytest.raises(StoreError):
            await switches.resume("alice", START + 1)
    assert await switches.is_halted("alice")
    await switches.flush()
    assert await Switches(store).is_halted("alice")


async def test_limits_count_what_is_open_and_lost(store: Store) -> None:
    kept = journal(store)
    for number in (2, 3):
        await gate(store).check(intent())
        await kept.insert(intent(number))
    with pytest.raises(NotAllowedError, match="2 open orders"):
        await gate(store).check(intent())


async def test_what_cannot_be_read_forbids(store: Store) -> None:
    with pytest.raises(NotAllowedError, match="not sure that nobody else"):
        await gate(store, holds=False).check(intent())
    away = Store("mongodb://127.0.0.1:1/", timeout=0.1)
    with pytest.raises(NotAllowedError, match="cannot be read"):
        await gate(away).check(intent())
    await away.close()


def test_an_order_is_shown_with_its_fee_and_average() -> None:
    shown = describe(replace(filled(), id="1f0c9a4be1d27c35"), "paper")
    assert (shown.status, shown.filled, shown.average_price) == ("open", Decimal("0.1"), Decimal("100.5"))
    assert (shown.fee, shown.fee_currency) == (Decimal("-0.001"), "USDT")
    assert describe(intent(id="1f0c9a4be1d27c35"), "paper").status == "pending"
