"""The terminal view: what it folds from the bus's messages and how that looks."""

from __future__ import annotations

import asyncio
import io
from decimal import Decimal
from typing import Any

import nats as nats_py
import pytest
from rich.console import Console

from contracts.market import FeedStatus, Liquidation, Trade
from contracts.signals import LiquidationStorm, WhaleTrade
from deploy.view import Places, Teller, Watch, hints, line, render, troubles
from deploy.view_state import TAPE_LENGTH, WINDOW_NS, Message, State, Venue, fold, measure, measure_clock
from runtime.bus import BusOptions
from runtime.embedded import NatsServer

SECOND = 1_000_000_000
PLACES = Places("http://127.0.0.1:8000", "nats://token@127.0.0.1:4222", "the-key", "/data/run.json")


def who(**changes: object) -> dict[str, Any]:
    return {
        "id": "x",
        "venue": "okx",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTC-USDT",
        "ts_event": None,
        "ts_recv": 0,
        "sim": True,
        **changes,
    }


def trade(at: int, *, received: int, sent: int | None = None) -> Message:
    event = Trade(
        **who(ts_recv=received, ts_event=sent),
        trade_id="1",
        price=Decimal(100),
        amount=Decimal(1),
        contracts=None,
        side="buy",
    )
    return Message("md.v1.trade.okx.BTC.USDT.spot", event.model_dump_json().encode(), at)


def feed(state: Any, *, channel: str | None = None, reason: str | None = None) -> Message:
    event = FeedStatus(**who(symbol=None), state=state, reason=reason, channel=channel)
    return Message("feed.v1.okx", event.model_dump_json().encode(), 0)


def whale(usd: int = 1_234_567) -> Message:
    event = WhaleTrade(
        **who(),
        side="sell",
        price=Decimal(100),
        amount=Decimal(5),
        usd_value=Decimal(usd),
        usd_rate=Decimal(1),
        usd_rate_source="peg",
        tier="majors",
        threshold_usd=Decimal(1_000_000),
        trade_ids=["x"],
        rule="whale/1",
    )
    return Message("signal.v1.whale.okx.BTC.USDT.spot", event.model_dump_json().encode(), 0)


def liquidation() -> Message:
    event = Liquidation(
        **who(),
        price=Decimal(99),
        price_kind="fill",
        amount=Decimal("2.5"),
        contracts=None,
        position_side="long",
        order_side="sell",
        sampled=False,
    )
    return Message("md.v1.liquidation.okx.BTC.USDT.perp", event.model_dump_json().encode(), 0)


def storm() -> Message:
    event = LiquidationStorm(
        **who(venue="all"),
        base="BTC",
        usd_value=Decimal(3_000_000),
        long_usd=Decimal(3_000_000),
        short_usd=Decimal(0),
        count=4,
        window_ns=30 * SECOND,
        threshold_usd=Decimal(2_000_000),
        threshold_count=3,
        venues=["okx"],
        liquidation_ids=["x"],
        sampled=False,
        tier="majors",
        rule="storm/1",
    )
    return Message("signal.v1.storm.all.BTC.USD.any", event.model_dump_json().encode(), 0)


def test_rate_and_latency_are_of_the_last_seconds() -> None:
    state = State()
    fold(state, [trade(at=0, received=0)])
    venue = state.venues["okx"]
    measure(venue, 0)
    fold(state, [trade(at=SECOND, received=SECOND - n * 1_000_000) for n in range(1, 101)])
    rate, middle, high = measure(venue, 2 * SECOND)
    assert rate == 50.0
    assert (middle, high) == (50.0, 99.0)
    assert measure(venue, 2 * SECOND + 2 * WINDOW_NS)[1:] == (None, None)


def test_clock_is_told_by_the_fastest_messages_of_the_last_seconds_but_the_two_fastest() -> None:
    state = State()
    fold(state, [trade(at=SECOND, received=SECOND, sent=SECOND - n * 1_000_000) for n in (-50, 9, 3, 5, -40)])
    venue = state.venues["okx"]
    assert measure_clock(venue, SECOND) == 3.0
    assert measure_clock(venue, SECOND + 2 * WINDOW_NS) is None
    fold(state, [trade(at=SECOND, received=SECOND)])
    screen = io.StringIO()
    Console(file=screen, width=140).print(render(state, PLACES, SECOND))
    assert "clock ms" in screen.getvalue()
    assert "+3.0" in screen.getvalue()


def test_rate_holds_when_the_view_looks_less_often_than_its_window() -> None:
    state = State()
    fold(state, [trade(at=0, received=0)])
    venue = state.venues["okx"]
    measure(venue, 0)
    fold(state, [trade(at=SECOND, received=SECOND)] * 60)
    assert measure(venue, WINDOW_NS + SECOND)[0] == 10.0


def test_venue_is_as_bad_as_its_worst_channel() -> None:
    state = State()
    fold(state, [feed("live", channel="trade"), feed("gap", channel="book", reason="sequence")])
    assert state.venues["okx"].state == "gap"
    assert state.venues["okx"].reason == "sequence"
    fold(state, [feed("live", channel="book")])
    assert state.venues["okx"].state == "live"


def test_status_of_the_whole_feed_replaces_its_channels() -> None:
    state = State()
    fold(state, [feed("live", channel="trade"), feed("down", reason="closed")])
    assert state.venues["okx"].state == "down"
    fold(state, [feed("live")])
    assert state.venues["okx"].state == "live"


def test_tapes_are_newest_first_and_bounded() -> None:
    state = State()
    fold(state, [whale(usd) for usd in range(1_000_000, 1_000_020)])
    assert len(state.whales) == TAPE_LENGTH
    assert "1,000,019" in state.whales[0]


def test_unreadable_message_is_counted_and_the_rest_goes_on() -> None:
    state = State()
    fold(state, [Message("md.v1.trade.okx.BTC.USDT.spot", b"{}", 0), Message("nonsense", b"", 0), whale()])
    assert state.unreadable == 2
    assert len(state.whales) == 1


def test_view_shows_venues_tapes_and_what_to_try() -> None:
    state = State()
    fold(state, [feed("live"), trade(at=2_000_000, received=0), whale(), liquidation(), storm()])
    console = Console(file=io.StringIO(), width=160)
    console.print(render(state, PLACES, 0))
    text = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    for shown in ("okx", "live", "2.0", "1,234,567", "2.5 at 99", "STORM in BTC", "http://127.0.0.1:8000", "run.json"):
        assert shown in text, shown


def test_plain_line_tells_the_same() -> None:
    assert line(State(), 0) == "nothing heard yet"
    state = State()
    fold(state, [feed("live"), trade(at=2_000_000, received=0), whale()])
    assert line(state, 0).startswith("okx live 0/s p50 2.0 ms p99 2.0 ms | whale: sell")


def test_hint_script_is_five_lines_of_valid_python() -> None:
    script = hints(PLACES).partition("\n\n")[2]
    assert len(script.splitlines()) == 5
    assert PLACES.bus_url in script
    assert "Bearer the-key" in hints(PLACES)
    compile(script, "hint", "exec")


@pytest.mark.nats
async def test_watch_hears_the_bus_and_tells_where_everything_is(nats: NatsServer) -> None:
    out = io.StringIO()
    watch = Watch(BusOptions(servers=(nats.url,), name="view"), Teller(out))
    watch.start()
    watch.show(PLACES)
    bus = await nats_py.connect(nats.url)
    message = whale()
    try:
        async with asyncio.timeout(20):
            while not watch.heard.whales:  # the subscription may come after the first of them
                await bus.publish(message.subject, message.body)
                await asyncio.sleep(0.05)
    finally:
        await bus.close()
        await watch.stop()
    assert "ready: API http://127.0.0.1:8000" in out.getvalue()


def test_venue_that_is_not_live_is_told_with_its_reason() -> None:
    state = State()
    state.venues["okx"] = Venue(reason="okx: /api cannot be reached")
    state.venues["okx"].cells[None, None] = "down"
    state.venues["binance"] = Venue(reason="speaks again")
    state.venues["binance"].cells[None, None] = "live"
    assert troubles(state) == ["okx is down: okx: /api cannot be reached"]
