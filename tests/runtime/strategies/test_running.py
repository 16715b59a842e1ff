"""How a strategy runs: when it pauses by itself, what waits meanwhile, how it ends, and that it is saved as it is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from contracts.market import BookSnapshot
from contracts.services.trading.strategy_events import WantedOrder
from runtime.strategies import running as steps
from runtime.strategies.orders import Terms
from runtime.strategies.protocol import Draft, Event, Kind, Setup, State
from runtime.strategies.quality import SILENT_NS, Feed
from runtime.strategies.running import MOST_ORDERS, Definition, Running, dump, load
from tests.runtime.strategies.exchange import BTC, ID, SECOND, START, Exchange, definition, feed, ticker
from tests.runtime.strategies.test_grid import PARAMS, grid

D = Decimal
GRID = definition("grid", PARAMS)


def started() -> Exchange:
    exchange = grid()
    exchange.show("100.5", "100.7")
    return exchange


@pytest.mark.parametrize("state", ["gap", "stale", "down", "connecting", "resync"])
@pytest.mark.parametrize("channel", [None, "ticker"])
def test_it_pauses_while_the_feed_is_not_live_and_goes_on_with_it(state: str, channel: str | None) -> None:
    exchange = started()
    exchange.feed(feed(state, channel=channel))
    assert exchange.status == "paused"
    assert exchange.running.control.reason == f"the feed of binance is {state}: test"
    sent = len(exchange.sent)
    exchange.show("97")
    assert len(exchange.sent) == sent
    exchange.feed(feed("live", channel=channel))
    assert exchange.status == "running"
    assert len(exchange.sent) > sent


def test_what_it_does_not_read_does_not_pause_it() -> None:
    exchange = started()
    exchange.feed(feed("gap", channel="liquidation"))
    exchange.feed(feed("stale", channel="ticker", symbol=BTC))  # quiet, and nothing lost
    assert exchange.status == "running"


def test_what_came_while_the_feed_was_down_is_forgotten_with_it() -> None:
    exchange = started()
    exchange.feed(feed("gap", channel="ticker"))
    exchange.feed(feed("down"))
    exchange.feed(feed("live"))
    assert exchange.status == "running"


def test_silence_pauses_it_and_the_next_price_ends_that() -> None:
    exchange = started()
    exchange.wait(SILENT_NS / SECOND)
    assert exchange.status == "running"
    exchange.wait(1)
    assert exchange.running.control.reason == "nothing came of its instrument for 60 s"
    exchange.show("100")
    assert exchange.status == "running"


def test_prices_by_rest_are_good_enough_where_the_owner_said_so() -> None:
    exchange = Exchange(definition("grid", PARAMS, accept_fallback=True))
    exchange.show("100.5", "100.7")
    exchange.feed(feed("down"))
    exchange.show("97")
    assert exchange.status == "running"
    exchange.feed(feed("gap"))
    assert exchange.status == "paused"


def test_a_book_that_is_not_live_pauses_it() -> None:
    values: dict[str, Any] = {"id": "b", "venue": "binance", "symbol": BTC, "venue_symbol": None, "ts_event": None}
    book = BookSnapshot(**values, ts_recv=START, sim=True, bids=[], asks=[], seq=None, quality="gap")
    stepped = steps.step(GRID, steps.begin(GRID), book, START)
    assert stepped.running.control.reason == "the book of binance is gap"


def test_an_owners_pause_lasts_while_the_feed_comes_and_goes() -> None:
    exchange = started()
    exchange.feed(feed("gap"))
    exchange.pause()
    exchange.feed(feed("live"))
    assert (exchange.status, exchange.running.control.reason) == ("paused", "the owner wanted it")
    exchange.resume()
    assert exchange.status == "running"


def test_a_paused_one_follows_its_orders_and_places_what_it_wants_when_it_is_resumed() -> None:
    exchange = started()
    exchange.pause()
    exchange.show("97.9")
    assert exchange.prices("sell") == [104, 106, 108, 110]
    assert exchange.held == 6
    exchange.restart()
    exchange.resume()
    assert exchange.prices("sell")[:2] == [100, 102]


def test_an_order_that_somebody_else_cancels_pauses_it_and_comes_back_only_when_it_is_resumed() -> None:
    exchange = started()
    (lowest,) = [order for order in exchange.open if order.price == 90]
    exchange.cancel(lowest.client_id)
    assert exchange.status == "paused"
    assert "was cancelled by somebody else" in str(exchange.running.control.reason)
    exchange.later(5)
    assert 90 not in exchange.prices("buy")
    exchange.resume()
    assert exchange.prices("buy")[0] == 90


def test_a_kill_during_a_grid_leads_to_no_new_order() -> None:
    exchange = started()
    sent = len(exchange.sent)
    exchange.refuse = "trading is stopped: resume it first"
    for order in exchange.open:
        exchange.cancel(order.client_id)
    for price in ("97", "103", "95"):
        exchange.show(price)
    assert exchange.open == []
    assert len(exchange.sent) == sent


def test_a_stop_cancels_all_that_is_open_and_nothing_follows() -> None:
    exchange = started()
    exchange.stop()
    assert (exchange.status, exchange.open) == ("stopped", [])
    exchange.show("97")
    exchange.resume()
    assert (exchange.status, exchange.open) == ("stopped", [])


def test_what_was_never_sent_is_dropped_by_a_stop() -> None:
    exchange = started()
    exchange.pause()
    exchange.show("97.9")
    sent = len(exchange.sent)
    exchange.stop()
    assert exchange.open == []
    assert len(exchange.sent) == sent


def test_an_execution_after_an_orders_end_is_counted_and_pauses_it() -> None:
    exchange = started()
    exchange.show("97.9")
    exchange.show("100.5")
    late = exchange.fills[-1].model_copy(update={"id": "late", "client_id": f"{ID}-99"})
    before = exchange.running.control.holdings
    exchange.running = steps.step(exchange.definition, exchange.running, late, exchange.now).running
    assert "executed after it had ended" in str(exchange.running.control.reason)
    assert exchange.running.control.holdings.executions == before.executions + 1


def test_an_execution_that_comes_again_counts_once() -> None:
    exchange = started()
    exchange.show("97.9")
    exchange.show("100.5")
    for fill in exchange.fills:
        assert steps.step(exchange.definition, exchange.running, fill, exchange.now).running == exchange.running


class Broken:
    """Fails, or wants orders without end."""

    def __init__(self, setup: Setup[Any]) -> None:
        self._setup = setup

    def begin(self) -> State:
        return State()

    def decide(self, state: State, event: Event, now_ns: int, /) -> tuple[State, Sequence[WantedOrder]]:
        if self._setup.params.amount == 1:
            raise RuntimeError("no such thing")
        draft = Draft(self._setup, state)
        for _ in range(200):
            draft.place(Terms(side="buy", amount=D(1)), "more")
        return draft.result()


def broken(amount: str) -> tuple[Definition, Running]:
    params = GRID.kind.params.model_validate(PARAMS | {"amount": amount})
    made = Definition(Kind("broken", Broken, GRID.kind.params, State), Setup(ID, BTC, params, START))
    return made, steps.begin(made)


def test_one_that_raises_is_paused_with_its_error() -> None:
    made, running = broken("1")
    stepped = steps.step(made, running, ticker(D(1), D(1), 1, START), START)
    assert stepped.running.control.reason == "it failed: RuntimeError: no such thing"
    assert stepped.running.state.orders.items == {}


def test_one_that_wants_orders_without_end_is_paused_before_they_are_sent() -> None:
    made, running = broken("2")
    for number in range(5):
        running = steps.step(made, running, ticker(D(1), D(1), number, START), START).running
    assert running.control.reason == f"it wanted more than {MOST_ORDERS} orders within a minute"
    assert len(running.control.held) == 400
    assert running.due == []


def test_it_is_read_as_it_was_written() -> None:
    exchange = started()
    exchange.feed(feed("gap"))
    exchange.show("97.3")
    exchange.pause()
    running = exchange.running
    again = load(exchange.definition.kind, *dump(running))
    assert again == running
    assert dump(again) == dump(running)
    assert again.digest == running.digest


def test_a_state_that_was_saved_before_a_field_had_its_name_is_read() -> None:
    kept = Feed(received_ns=START).model_dump_json()
    assert Feed.model_validate_json(kept.replace("received_ns", "heard_ns")) == Feed(received_ns=START)
