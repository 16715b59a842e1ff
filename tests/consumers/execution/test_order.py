"""An order's steps: what is asked, when, and what becomes of it for each way in which a request can end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumers.execution.ports import ChangedElsewhereError, UnclearError
from contracts.services.trading.refusals import refusal
from runtime.trading import order as steps
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import SECOND, Fill, Order, Report, SentBeforeError, next_step
from tests.consumers.execution.scenarios import Play
from tests.consumers.execution.stage import START, Stage, Stepper, VenueOrder, intent


def report(status: Any = "open", filled: int = 0, **fields: Any) -> Report:
    return Report(venue_order_id="7", client_id="client1", status=status, filled=Decimal(filled), **fields)


def fill(name: str, amount: int, price: int = 100) -> Fill:
    return Fill(name, Decimal(amount), Decimal(price), Decimal(0), "USDT", START)


def sent() -> Order:
    return steps.on_sending(intent(), START)


def at(place: str, error: BaseException, times: int = 1) -> Callable[[int, str], BaseException | None]:
    """Raise an error at the first visits of a place."""
    left = [times]

    def interrupt(_number: int, here: str) -> BaseException | None:
        if here != place or not left[0]:
            return None
        left[0] -= 1
        return error

    return interrupt


def fills(amount: int) -> Callable[[Stage, VenueOrder], None]:
    return lambda stage, order: order.fill(Decimal(amount), stage.now)


LOST = UnclearError("no answer in time")
MATRIX = (
    # what happens to the request, what the venue does with the order, what it ends as, how much of it is filled
    ("venue.place before", 0, "rejected", 0),
    ("venue.place after", 0, "open", 0),
    ("venue.place after", 4, "open", 4),
    ("venue.place after", 10, "filled", 10),
)


@pytest.mark.parametrize(("place", "amount", "status", "filled"), MATRIX)
def test_an_order_whose_answer_was_lost_is_asked_for_and_not_sent_again(
    place: str, amount: int, status: str, filled: int
) -> None:
    play = Play(Stage(on_place=fills(amount)), Stepper(at(place, LOST)))
    play.submit()
    order = play.stage.written()
    assert order is not None
    assert order.status == "unknown"
    for seconds in (1, 3, 10, 30):
        play.later(seconds)
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.filled) == (status, filled)
    assert play.stage.requests["place"] == 1


def test_an_order_that_was_lost_on_the_way_says_so_after_the_last_question() -> None:
    play = Play(Stage(), Stepper(at("venue.place before", LOST)))
    play.submit()
    for seconds in (1, 3, 10):
        play.later(seconds)
    assert play.stage.written().status == "unknown"  # type: ignore[union-attr]
    play.later(30)
    order = play.stage.written()
    assert order is not None
    assert order.reason == "the venue does not have it after 4 questions"


def test_a_cancel_whose_answer_was_lost_is_asked_about() -> None:
    play = Play(Stage(), Stepper(at("venue.cancel after", LOST)))
    play.submit()
    play.cancel()
    play.later(1)
    assert play.stage.written().status == "cancelled"  # type: ignore[union-attr]


def test_a_cancel_that_comes_too_late_leaves_what_was_filled() -> None:
    play = Play(Stage(on_cancel=fills(10)), Stepper())
    play.submit()
    play.cancel()
    play.later(1)
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.filled) == ("filled", 10)


def test_a_refusal_ends_it_with_the_venues_words() -> None:
    play = Play(Stage(), Stepper(at("venue.place before", OrderRefusedError("Insufficient balance."))))
    play.submit()
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.reason, order.is_finished) == ("rejected", "Insufficient balance.", True)
    assert order.error == refusal("VENUE_REFUSED", "Insufficient balance.")


def test_an_intent_that_could_not_be_sent_in_time_is_not_sent_later() -> None:
    play = Play(Stage(), Stepper(at("gate.check", OSError("store away"))))
    play.submit()
    play.later(31)
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.reason) == ("rejected", "it could not be sent in time")
    assert order.error is not None
    assert (order.error.code, order.error.rule) == ("NOT_SENT_IN_TIME", "sent_in_time")
    assert play.stage.orders == []


def test_what_is_not_allowed_is_not_sent() -> None:
    stage = Stage(allowed=False)
    play = Play(stage, Stepper())
    play.submit()
    assert stage.written().reason == "switched off"  # type: ignore[union-attr]
    assert stage.requests["place"] == 0


def test_what_is_open_at_the_venue_and_nobodys_is_left_and_named() -> None:
    stage = Stage()
    play = Play(stage, Stepper())
    stage.accept(intent(client_id="somebody"))
    found = play.stepper.run(play.executor.reconcile())
    assert [one.client_id for one in found.foreign] == ["somebody"]
    assert found.mended == ()
    assert stage.orders[0].status == "open"
    assert stage.kept == {}


def test_who_lost_the_account_between_writing_and_sending_does_not_send() -> None:
    stage = Stage()

    def take_over(_number: int, place: str) -> None:
        order = stage.written()
        if place == "journal.save after" and order is not None and order.status == "unknown":
            stage.executor()

    play = Play(stage, Stepper(take_over))
    with pytest.raises(ChangedElsewhereError):
        play.stepper.run(play.executor.submit(intent()))
    assert stage.requests["place"] == 0


def test_one_that_arrives_after_it_was_given_up_is_found_by_the_next_comparison() -> None:
    play = Play(Stage(), Stepper(at("venue.place before", LOST)))
    play.submit()
    for seconds in (1, 3, 10, 30):
        play.later(seconds)
    order = play.stage.written()
    assert order is not None
    play.stage.accept(order)
    mended = play.stepper.run(play.executor.reconcile()).mended
    assert [one.status for one in mended] == ["cancelled"]
    assert play.stage.orders[0].status == "cancelled"


def test_one_that_is_sent_is_never_sent_again() -> None:
    with pytest.raises(SentBeforeError):
        steps.on_sending(sent(), START)
    assert next_step(sent(), START) == "wait"
    assert next_step(sent(), START + SECOND) == "look"


def test_a_fill_that_is_reported_again_counts_once() -> None:
    order = steps.on_report(sent(), report(filled=4, fills=(fill("a", 4),)), START)
    order = steps.on_report(order, report(filled=4, fills=(fill("a", 4), fill("a", 4))), START)
    order = steps.on_report(order, report("filled", 10, fills=(fill("b", 6, 110), fill("a", 4))), START)
    assert [one.id for one in order.fills] == ["a", "b"]
    assert (order.filled, order.average_price, order.status) == (10, 106, "filled")


def test_an_older_report_takes_nothing_back() -> None:
    order = steps.on_report(sent(), report("filled", 10, fills=(fill("a", 10),)), START)
    order = steps.on_report(order, report("open", 4), START)
    assert (order.status, order.filled) == ("filled", 10)


def test_one_that_has_ended_is_asked_about_until_each_of_its_executions_is_known() -> None:
    order = steps.on_report(sent(), report("cancelled", 6), START)
    later = order.look_ns or 0
    assert next_step(order, later) == "look"
    order = steps.on_report(order, report("cancelled", 6), later)
    assert next_step(order, order.look_ns or 0) == "look"
    order = steps.on_report(order, report("cancelled", 6, fills=(fill("a", 6),)), order.look_ns or 0)
    assert next_step(order, order.updated_ns) == "done"
    assert order.filled == 6


def test_one_that_ended_and_is_forgotten_by_the_venue_is_asked_about_once() -> None:
    order = steps.on_report(sent(), report("cancelled"), START)
    order = steps.on_absent(order, order.look_ns or 0)
    assert next_step(order, order.updated_ns) == "done"
    assert order.status == "cancelled"


def test_one_that_turns_up_after_it_was_given_up_is_cancelled() -> None:
    order = sent()
    for _ in steps.LOOK_AFTER:
        order = steps.on_absent(order, order.look_ns or 0)
    assert order.status == "rejected"
    assert order.error is not None
    assert order.error.code == "NOT_FOUND_AT_VENUE"
    order = steps.on_report(order, report(), order.look_ns or 0)
    assert order.error is None
    assert next_step(order, order.updated_ns) == "cancel"
    assert order.reason == "it reached the venue after it was given up"


def test_one_that_rests_as_it_was_is_asked_about_and_not_published_again() -> None:
    play = Play(Stage(), Stepper())
    play.submit()
    before = play.stage.written()
    assert before is not None
    for _ in range(20):
        play.later(5)
    assert play.stepper.places.count("venue.find before") == 20
    assert len(play.stage.published) == 1
    resting = play.stage.written()
    assert resting is not None
    assert resting == replace(before, look_ns=play.stage.now + 5 * SECOND)
    play.fill(4)
    play.later(5)
    assert len(play.stage.published) == 2


def test_one_that_has_ended_is_published_once_however_often_it_is_asked_about() -> None:
    ended = steps.on_report(sent(), report("filled", 10, fills=(fill("a", 10),)), START)
    settled = steps.on_report(ended, report("filled", 10, fills=(fill("a", 10),)), ended.look_ns or 0)
    assert settled == replace(ended, look_ns=None)
    lacks = steps.on_report(sent(), report("cancelled", 6), START)
    assert steps.on_report(lacks, report("cancelled", 6), START).version == lacks.version
    forgotten = steps.on_report(sent(), report("cancelled"), START)
    assert steps.on_absent(forgotten, START) == replace(forgotten, looks=1, look_ns=None)
    given_up = sent()
    for _ in steps.LOOK_AFTER:
        given_up = steps.on_absent(given_up, START)
    assert given_up.version == sent().version + 1
    for _ in steps.LATE_AFTER:
        assert steps.on_absent(given_up, START).version == given_up.version
    unclear = steps.on_unclear(given_up, "no answer", START)
    assert unclear == replace(given_up, look_ns=unclear.look_ns)


def test_one_that_the_venue_rejects_after_it_took_it_says_so() -> None:
    order = steps.on_report(sent(), report("rejected", reason="the exchange ended it: EC_PostOnly"), START)
    assert order.error == refusal("VENUE_REFUSED", "the exchange ended it: EC_PostOnly")
    silent = steps.on_report(sent(), report("rejected"), START)
    assert (silent.reason, silent.error) == (
        "the exchange rejected it",
        refusal("VENUE_REFUSED", "the exchange rejected it"),
    )
    filled = steps.on_report(order, report("filled", 10, fills=(fill("a", 10),)), START)
    assert (filled.status, filled.error) == ("filled", None)


def test_one_that_was_given_up_is_looked_for_a_few_times_more() -> None:
    order, asked = sent(), list[int]()
    while next_step(order, order.look_ns or 0) == "look":
        asked.append(order.look_ns or 0)
        order = steps.on_absent(order, asked[-1])
    assert len(asked) == len(steps.LOOK_AFTER) + len(steps.LATE_AFTER)
    assert asked[-1] - START > 1800 * SECOND


def test_one_that_is_cancelled_before_it_was_sent_stays_unsent() -> None:
    order = steps.on_cancel_wanted(intent(), START)
    assert (order.status, next_step(order, START)) == ("cancelled", "done")


def test_one_that_has_ended_and_is_open_at_the_venue_all_the_same_is_cancelled() -> None:
    order = steps.on_report(sent(), report("cancelled"), START)
    order = steps.on_found_open(order, report(), START)
    assert (order.status, next_step(order, START)) == ("open", "cancel")


def test_one_that_is_filled_is_not_open_whatever_a_list_says() -> None:
    order = steps.on_report(sent(), report("filled", 10, fills=(fill("a", 10),)), START)
    assert steps.on_found_open(order, report("open", 10), START).status == "filled"


def test_a_market_order_is_looked_at_sooner_than_one_that_may_rest() -> None:
    market = steps.on_report(replace(sent(), type="market"), report(), START)
    limit = steps.on_report(sent(), report(), START)
    assert ((market.look_ns or 0) - START, (limit.look_ns or 0) - START) == (SECOND, 5 * SECOND)
