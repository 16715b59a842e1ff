"""The order's own state machine: each change with its exact times, counts, reasons, and the events that show it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from contracts.services.trading.refusals import refusal
from runtime.trading import order as orders
from runtime.trading.order import Fill, Order, Report, SentBeforeError
from runtime.trading.order_events import changed, fills_of, order_id_of, shown_status

SECOND = 1_000_000_000
NOW = 1_767_225_600 * SECOND
NO = refusal("VENUE_REFUSED", "no")


def order(**fields: Any) -> Order:
    given: dict[str, Any] = {
        "id": "0" * 16,
        "client_id": "c1",
        "account": "a" * 16,
        "owner": "ann",
        "venue": "paper",
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "amount": Decimal(2),
        "price": Decimal(100),
        "created_ns": NOW,
    }
    return Order(**given | fields)


def fill(name: str = "f1", amount: str = "1") -> Fill:
    return Fill(name, Decimal(amount), Decimal(100), Decimal("0.1"), "USDT", NOW)


def report(status: Any = "open", **fields: Any) -> Report:
    values: dict[str, Any] = {"venue_order_id": "v1", "client_id": "c1", "status": status, **fields}
    return Report(**values)


def sent(**fields: Any) -> Order:
    return order(**{"status": "unknown", "sent_ns": NOW, "look_ns": NOW + SECOND, **fields})


def given_up(**fields: Any) -> Order:
    return sent(**{"status": "rejected", "error": NO, "given_up_ns": NOW, "look_ns": NOW, **fields})


def seconds(found: Order) -> float | None:
    return None if found.look_ns is None else (found.look_ns - NOW) / SECOND


def test_pauses_are_as_documented() -> None:
    assert [one / SECOND for one in orders.LOOK_AFTER] == [1, 3, 10, 30]
    assert [one / SECOND for one in orders.LATE_AFTER] == [60, 300, 1800]
    assert (orders.WATCH_AFTER, orders.INTENT_LIFE) == (5 * SECOND, 30 * SECOND)
    assert frozenset({"filled", "cancelled", "rejected"}) == orders.FINAL


def test_one_begins_with_nothing_done() -> None:
    one = order()
    assert (one.post_only, one.reduce_only, one.cancelling, one.looks, one.updated_ns) == (False, False, False, 0, 0)
    assert (one.version, one.published, one.status) == (1, 0, "intended")


@pytest.mark.parametrize("fields", [{"status": "unknown"}, {"sent_ns": NOW}])
def test_one_is_sent_once(fields: dict[str, Any]) -> None:
    with pytest.raises(SentBeforeError):
        orders.on_sending(order(**fields), NOW)
    after = orders.on_sending(order(), NOW)
    assert (after.status, after.sent_ns, seconds(after), after.version) == ("unknown", NOW, 1, 2)


def test_an_intent_is_stale_after_thirty_seconds() -> None:
    assert not orders.is_stale(order(), NOW + 30 * SECOND)
    assert orders.is_stale(order(), NOW + 30 * SECOND + 1)
    assert not orders.is_stale(sent(), NOW + 31 * SECOND)


def test_a_refusal_counts_only_where_it_was_not_accepted() -> None:
    for known in (sent(venue_order_id="v1"), sent(status="cancelled")):
        assert orders.on_refused(known, NO, NOW) is known
    after = orders.on_refused(sent(cancelling=True), NO, NOW)
    assert (after.status, after.reason, after.error, after.look_ns) == ("rejected", "no", NO, None)
    assert after.cancelling is False


def test_what_is_unclear_is_asked_about_and_keeps_the_reason_of_what_ended() -> None:
    assert orders.on_unclear(sent(reason="old"), "new", NOW).reason == "new"
    assert orders.on_unclear(sent(status="cancelled", reason="old"), "new", NOW).reason == "old"
    assert orders.on_unclear(sent(status="cancelled"), "new", NOW).reason == "new"
    assert [seconds(orders.on_unclear(sent(looks=looks), "", NOW)) for looks in (0, 1, 3, 9)] == [1, 3, 30, 30]


def test_one_that_is_absent_is_asked_for_four_times_and_given_up() -> None:
    one, pauses = sent(), []
    for _ in range(3):
        one = orders.on_absent(one, NOW)
        pauses.append(seconds(one))
    assert (pauses, one.looks, one.status) == ([3, 10, 30], 3, "unknown")
    gone = orders.on_absent(replace(one, cancelling=True), NOW)
    assert (gone.status, gone.looks, seconds(gone), gone.given_up_ns) == ("rejected", 0, 60, NOW)
    assert gone.reason == "the venue does not have it after 4 questions"
    assert gone.error == refusal("NOT_FOUND_AT_VENUE", gone.reason)
    assert gone.cancelling is False
    assert orders.on_absent(replace(one, cancel_ns=NOW), NOW).status == "cancelled"
    later = []
    for _ in range(3):
        gone = orders.on_absent(gone, NOW)
        later.append(seconds(gone))
    assert later == [300, 1800, None]


def test_one_that_was_there_is_asked_for_again_and_what_ended_without_executions_is_done() -> None:
    assert [seconds(orders.on_absent(sent(venue_order_id="v", looks=looks), NOW)) for looks in (0, 2, 8)] == [3, 30, 30]
    done = orders.on_absent(sent(status="cancelled", venue_order_id="v"), NOW)
    assert (done.look_ns, done.looks) == (None, 1)
    lacks = orders.on_absent(sent(status="cancelled", venue_order_id="v", counted=Decimal(1)), NOW)
    assert seconds(lacks) == 3


@pytest.mark.parametrize(
    ("status", "filled", "becomes"),
    [("open", "2", "filled"), ("open", "1", "open"), ("cancelled", "2", "cancelled"), ("rejected", "0", "rejected")],
)
def test_a_report_says_what_it_is(status: str, filled: str, becomes: str) -> None:
    after = orders.on_report(sent(looks=3, cancelling=True), report(status, filled=Decimal(filled)), NOW)
    assert (after.status, after.counted, after.venue_order_id) == (becomes, Decimal(filled), "v1")
    assert (after.looks, after.cancelling, after.version) == (0, False, 2)
    assert seconds(after) == (5 if becomes == "open" else 3)
    if becomes == "rejected":
        assert (after.reason, after.error) == ("the exchange rejected it", refusal("VENUE_REFUSED", after.reason or ""))


def test_a_market_order_is_looked_at_after_a_second_and_a_cancel_takes_its_time() -> None:
    assert seconds(orders.on_report(sent(type="market"), report(), NOW)) == 1
    assert orders.on_report(sent(cancel_ns=NOW), report(), NOW).look_ns is None
    asked = orders.on_cancelling(sent(status="open", cancel_ns=NOW, looks=2), NOW)
    assert (asked.cancelling, seconds(asked), asked.looks) == (True, 1, 0)
    assert orders._look_after(asked, NOW, late=False) == NOW + SECOND


def test_one_that_turns_up_late_is_to_be_cancelled() -> None:
    after = orders.on_report(given_up(), report(), NOW + 1)
    assert (after.status, after.cancel_ns, after.given_up_ns, after.error) == ("open", NOW + 1, None, None)
    assert after.reason == "it reached the venue after it was given up"
    assert orders.on_report(given_up(cancel_ns=NOW - 5), report(), NOW).cancel_ns == NOW - 5
    said = orders.on_report(given_up(), report("rejected"), NOW)
    assert (said.reason, said.error) == (
        "the exchange rejected it",
        refusal("VENUE_REFUSED", "the exchange rejected it"),
    )


def test_what_ended_is_completed_by_its_executions() -> None:
    ended = sent(status="cancelled", venue_order_id="v1", counted=Decimal(1), looks=0)
    lacks = orders.on_report(ended, report("cancelled", filled=Decimal(1)), NOW)
    assert (lacks.looks, seconds(lacks)) == (1, 3)
    whole = orders.on_report(lacks, report("cancelled", filled=Decimal(1), fills=(fill(),)), NOW)
    assert (whole.look_ns, whole.fills, whole.status) == (None, (fill(),), "cancelled")
    assert orders.on_report(whole, report("cancelled", filled=Decimal(1), fills=(fill(),)), NOW) is whole
    more = orders.on_report(whole, report("cancelled", filled=Decimal(2), fills=(fill("f2"),)), NOW)
    assert (more.status, more.filled) == ("filled", 2)


def test_what_is_open_after_it_ended_is_to_be_cancelled() -> None:
    ended = sent(status="cancelled", venue_order_id="v1", cancelling=True, looks=2, look_ns=NOW)
    after = orders.on_found_open(ended, report(), NOW)
    assert (after.status, after.cancel_ns, after.cancelling, after.looks, after.look_ns) == (
        "open",
        NOW,
        False,
        0,
        None,
    )
    assert after.reason == "the venue has it open after it had ended here"
    assert orders.on_found_open(replace(ended, cancel_ns=5), report(), NOW).cancel_ns == 5


def test_a_cancel_is_wanted_once_and_what_was_not_sent_never_is() -> None:
    for known in (sent(cancel_ns=5), sent(status="filled")):
        assert orders.on_cancel_wanted(known, NOW) is known
    unsent = orders.on_cancel_wanted(order(), NOW)
    assert (unsent.status, unsent.cancel_ns, unsent.reason) == ("cancelled", NOW, "cancelled before it was sent")
    waits = orders.on_cancel_wanted(sent(), NOW)
    assert (waits.cancel_ns, waits.look_ns) == (NOW, NOW + SECOND)
    assert orders.on_cancel_wanted(sent(status="open"), NOW).look_ns is None
    assert orders.next_step(sent(status="open", cancel_ns=NOW, look_ns=None), NOW) == "cancel"


def test_events_show_it_with_ids_that_stay() -> None:
    assert order_id_of("a", "c") == "ad4573f052ff7302"
    assert [shown_status(order(status=status)) for status in ("intended", "unknown", "open", "filled")] == [
        "pending",
        "pending",
        "open",
        "filled",
    ]
    event = changed(order(version=3))
    assert (event.id, event.ts, event.number, event.status) == (f"{'0' * 16}.3", NOW, 3, "pending")
    assert changed(order(updated_ns=NOW + 1)).ts == NOW + 1
    (filled,) = fills_of(order(fills=(fill(),)))
    assert (filled.id, filled.ts, filled.amount, filled.fee) == (f"{'0' * 16}.fill.f1", NOW, 1, Decimal("0.1"))
    assert next(fills_of(order(fills=(fill(),), updated_ns=NOW + 2))).ts == NOW + 2
