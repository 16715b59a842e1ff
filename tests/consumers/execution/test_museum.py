"""Money that other bots lost, as their users reported it: each test is named after the failure, and shows it not here.

The docstring of each names the repository and the issue that it was read in.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from consumers.execution import risk
from consumers.execution.ports import UnclearError
from contracts.services.trading.accounts import Limits
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Fill, Report, Side
from tests.consumers.execution.scenarios import Play
from tests.consumers.execution.stage import START, Stage, Stepper, VenueOrder, intent, unclear
from tests.consumers.execution.venues.matrix import Play as HttpPlay
from tests.consumers.execution.venues.matrix import check
from tests.consumers.execution.venues.world import LOW, PLACE, VENUES, opened

DAY = 86_400
Interrupt = Callable[[int, str], BaseException | None]


def fails(*places: str, error: Callable[[], BaseException] = unclear) -> Interrupt:
    """Fail at every await whose name begins so."""
    return lambda _number, place: error() if place.startswith(places) else None


def started(stage: Stage | None = None, interrupt: Interrupt | None = None) -> Play:
    return Play(stage or Stage(), Stepper() if interrupt is None else Stepper(interrupt))


def fill_at_once(stage: Stage, order: VenueOrder) -> None:
    order.fill(order.amount, stage.now)


def test_an_accepted_order_is_dropped_while_the_network_is_gone() -> None:
    """hummingbot/hummingbot #8457: six orders counted as failed after errors of DNS, and left an unknown position."""
    play = started(interrupt=fails("venue.place after", "venue.find", "venue.list"))
    play.submit()
    play.fill(10)
    for _ in range(24):
        play.later(300)
    order = play.stage.written()
    assert order is not None
    assert order.status == "unknown"  # nobody said that it is not there
    play.rest()
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.filled) == ("filled", Decimal(10))


def test_a_timeout_counts_as_a_failed_order_and_it_is_made_again() -> None:
    """hummingbot/hummingbot #493: the exchange had made the order, whose answer came too late, and got a second one."""
    play = started(interrupt=fails("venue.place after"))
    play.submit()
    play.submit(id="order2")
    play.later(5)
    play.submit(id="order3")
    assert len(play.stage.orders) == 1
    assert play.stage.requests["place"] == 1
    order = play.stage.written()
    assert order is not None
    assert order.status == "open"


def test_an_order_that_could_not_be_cancelled_is_forgotten() -> None:
    """hummingbot/hummingbot #3374: cancels failed with the network; six dead orders were filled hours later."""
    play = started(interrupt=fails("venue.cancel", "venue.find"))
    play.submit()
    play.cancel()
    play.later(1800)
    order = play.stage.written()
    assert order is not None
    assert not order.is_final  # it counts as open, and still is to be cancelled
    play.fill(4)
    play.rest()
    order, there = play.stage.written(), play.venue_order()
    assert order is not None
    assert there is not None
    assert (order.status, order.filled, there.status) == ("cancelled", Decimal(4), "cancelled")


def test_orders_are_sent_after_the_bot_was_stopped() -> None:
    """hummingbot/hummingbot #720: the network came back after a stop, and two orders were sent that nobody wanted."""
    play = started(Stage(allowed=False))
    play.submit()
    play.executor = play.stage.executor()  # everything is connected again
    play.stage.allowed = True
    play.later(1)
    play.rest()
    assert play.stage.orders == []
    order = play.stage.written()
    assert order is not None
    assert order.status == "rejected"


def test_an_intent_that_waited_is_sent_into_another_market() -> None:
    """hummingbot/hummingbot #720, the same: what could not be sent when it was wanted is not sent when it can be."""
    play = started(interrupt=fails("gate.check", error=lambda: OSError("away")))
    play.submit()
    play.stepper.interrupt = lambda _number, _place: None
    play.later(3600)
    assert play.stage.orders == []


def test_a_restart_forgets_the_orders_that_guard_a_position() -> None:
    """Drakkar-Software/OctoBot #3190: stop loss and take profit were gone after a restart, the coins were not."""
    stage = Stage()
    play = started(stage)
    play.submit(id="stop", client_id="stop", side="sell", price=Decimal(90))
    play.submit(id="profit", client_id="profit", side="sell", price=Decimal(110))
    play.executor = stage.executor()  # a new process: it knows what is written
    assert len(Stepper().run(play.executor.settle())) == 2
    assert Stepper().run(play.executor.reconcile()).foreign == ()
    stage.of("profit")[0].fill(Decimal(10), stage.now)
    stop = Stepper().run(play.executor.cancel("stop"))
    play.later(5)
    profit = stage.written("profit")
    assert profit is not None
    assert (stop.status, profit.status) == ("cancelled", "filled")


def test_a_stop_that_is_refused_sells_the_position_at_the_market() -> None:
    """freqtrade/freqtrade #12598: the exchange refused a stop as too far away, and the bot sold everything at once."""
    play = started(interrupt=fails("venue.place before", error=lambda: OrderRefusedError("the price is too far away")))
    play.submit(side="sell", price=Decimal(1))
    play.rest()
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.reason) == ("rejected", "the price is too far away")
    assert play.stage.orders == []
    assert play.stage.requests["place"] == 1


def test_a_fill_that_comes_before_the_cancel_is_lost() -> None:
    """freqtrade/freqtrade #3647: the order was filled before the cancel came; the bot held that nothing was bought."""
    play = started(Stage(on_cancel=fill_at_once))
    play.submit()
    play.cancel()
    play.later(2)
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.filled) == ("filled", Decimal(10))


def test_what_was_filled_in_part_is_sold_a_second_time() -> None:
    """freqtrade/freqtrade #12343: after a partial fill the whole amount was sold once more."""
    play = started()
    play.submit(side="sell")
    play.fill(4)
    play.cancel()
    play.later(2)
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.filled) == ("cancelled", Decimal(4))  # six are left, and the owner knows it
    play.submit(id="rest", client_id="rest", side="sell", amount=order.amount - order.filled)
    assert sum((one.amount - (Decimal(6) if one.client_id == "client1" else 0)) for one in play.stage.orders) == 10


def test_an_older_status_makes_a_filled_order_open_and_buys_again() -> None:
    """chrisleekr/binance-trading-bot #494: a late status update made a second grid trade of one that was filled."""
    play = started()
    play.submit()
    there = play.venue_order()
    assert there is not None
    before = there.report()
    play.fill(10)
    play.say(there.report())
    for _ in range(3):
        play.say(before)
    play.rest()
    order = play.stage.written()
    assert order is not None
    assert (order.status, order.filled) == ("filled", Decimal(10))
    assert len(play.stage.orders) == 1


def test_the_price_that_was_paid_is_forgotten_and_the_sale_counts_as_a_whole_loss() -> None:
    """chrisleekr/binance-trading-bot #541: an empty balance for a moment removed the buy price, then all was sold."""
    play = started(Stage(on_place=fill_at_once))
    play.submit()
    play.later(5)
    play.stage.orders.clear()  # the exchange shows nothing any more
    play.rest()
    order = play.stage.written()
    assert order is not None
    assert (order.filled, order.average_price) == (Decimal(10), Decimal(100))
    bought: list[tuple[str, Side, Fill]] = [("BTC/USDT", "buy", fill) for fill in order.fills]
    play.submit(id="sell", client_id="sell", side="sell", price=Decimal(99), created_ns=play.stage.now)
    sale = play.stage.written("sell")
    assert sale is not None
    sold: list[tuple[str, Side, Fill]] = [("BTC/USDT", "sell", fill) for fill in sale.fills]
    assert risk.lost_since([*bought, *sold], "USDT", 0) == Decimal("10.2")  # of 1000, with both fees


def test_the_limit_counts_as_what_was_paid() -> None:
    """chrisleekr/binance-trading-bot #590: the limit was shown, and reckoned with, in place of the average price."""
    play = started()
    play.submit(price=Decimal(120))
    there = play.venue_order()
    assert there is not None
    there.price = Decimal(101)  # what others asked
    play.fill(10)
    play.later(5)
    play.later(5)
    order = play.stage.written()
    assert order is not None
    assert (order.price, order.average_price) == (Decimal(120), Decimal(101))


def test_an_order_without_money_is_sent_all_day() -> None:
    """hummingbot/hummingbot #462: refused for lack of money, orders were sent until the day's limit of 100,000."""
    play = started(interrupt=fails("venue.place before", error=lambda: OrderRefusedError("not enough money")))
    play.submit()
    for _ in range(100):
        play.later(DAY / 100)
        play.submit(id="again")  # the same client id
    assert play.stage.requests["place"] == 1


def test_one_fill_is_booked_twice_when_it_is_pushed_and_asked_for() -> None:
    """hummingbot/hummingbot #3317: a filled order was logged twice, and the position was double."""
    play = started()
    play.submit()
    play.fill(10)
    there = play.venue_order()
    assert there is not None
    play.later(5)
    play.say(there.report())
    play.executor = play.stage.executor()
    play.later(5)
    play.say(there.report())
    order = play.stage.written()
    assert order is not None
    assert [fill.amount for fill in order.fills] == [Decimal(10)]


def test_a_closing_sale_that_was_filled_is_sent_until_there_is_nothing_left() -> None:
    """hummingbot/hummingbot #7503: the market sale was filled and not seen; it was tried again and again."""
    play = started(Stage(on_place=fill_at_once), fails("venue.place after"))
    play.submit(side="sell", type="market", price=None)
    play.later(1)
    play.later(3)
    order = play.stage.written()
    assert order is not None
    assert (order.status, len(play.stage.orders)) == ("filled", 1)


def test_an_order_that_is_open_at_the_start_is_in_the_way() -> None:
    """Drakkar-Software/OctoBot #183: with an order of its owner's at the exchange already, the bot made none."""
    play = started()
    play.stage.accept(intent(7))
    found = Stepper().run(play.executor.reconcile())
    assert [report.client_id for report in found.foreign] == ["client7"]
    assert play.stage.orders[0].status == "open"
    play.submit()
    order = play.stage.written()
    assert order is not None
    assert order.status == "open"


def test_a_filled_order_that_counts_as_cancelled_is_made_again() -> None:
    """freqtrade/freqtrade #11461: an order that was filled counted as cancelled at the exchange, and was made again."""
    play = started()
    play.submit()
    play.fill(10)
    play.say(Report(venue_order_id="1", client_id="client1", status="cancelled", filled=Decimal(10)))
    play.rest()
    order = play.stage.written()
    assert order is not None
    assert (order.filled, len(play.stage.orders)) == (Decimal(10), 1)
    assert [fill.amount for fill in order.fills] == [Decimal(10)]


def test_a_limit_of_value_lets_a_market_order_pass_without_a_price() -> None:
    """freqtrade/freqtrade #8906: an order of a hundred times its stake passed, because nobody knew its value."""
    limits = Limits(order_value={"USDT": Decimal(100)})
    with pytest.raises(Exception, match="price is not known"):
        risk.check_limits(intent(price=None, type="market"), limits, risk.Standing(0, Decimal(0), None))


@pytest.mark.parametrize("name", VENUES)
async def test_an_order_that_ends_before_its_answer_is_lost_is_found_nowhere(name: str) -> None:
    """ccxt/ccxt #2697 and #2698: after RequestTimeout a filled order is not among the open ones, and has no id."""
    async with opened(name) as world:
        world.fault("lost_after", PLACE[name])
        play = HttpPlay(world)
        await play.buy_now()
        assert play.written().status == "unknown"
        assert play.written().venue_order_id is None
        await play.rest()
        assert play.written().status == "filled"
        assert play.written().venue_order_id == str(world.orders()[0].id)
        check(play)


@pytest.mark.parametrize("kind", ["lost_before", "lost_after", "late"])
async def test_an_order_that_timed_out_is_ordered_again_until_the_money_is_gone(kind: Any) -> None:
    """scrtlabs/catalyst #317: "Ordering again" after a read timeout through CCXT, until the balance did not suffice."""
    async with opened("binance") as world:
        world.fault(kind, PLACE["binance"], seconds=70)
        play = HttpPlay(world)
        await play.buy_now()
        await play.rest()
        assert world.answered.count("POST /api/v3/order") == 1
        check(play)


async def test_a_connection_that_breaks_after_the_order_leaves_no_id_of_it() -> None:
    """ccxt/ccxt #7411: the order was made, the connection broke, and the caller was left with an error and no id."""
    async with opened("binance") as world:
        venue = world.venue()
        play = HttpPlay(world)
        world.fault("lost_after", PLACE["binance"])
        order = intent(symbol="BTC/USDT", price=LOW, amount=Decimal("0.01"), created_ns=START)
        with pytest.raises(UnclearError):
            await venue.place(order)
        found = await play.venue.find(order)
        assert found is not None
        assert found.status == "open"
