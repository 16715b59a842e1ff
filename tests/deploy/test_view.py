"""The terminal view: what it folds from the bus's messages and how that looks."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import io
import json
import os
import pty
import struct
import termios
import tracemalloc
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import nats as nats_py
import pytest
from rich.console import Console

from consumers.cache.feeds import Feed
from contracts import codec
from contracts.market import FeedStatus, Liquidation, Trade
from contracts.signals import LiquidationStorm, WhaleTrade
from deploy.view import Terminal, View, hints, line, troubles
from deploy.view_lines import Places, Size, entry_line, render
from deploy.view_state import (
    HEALTH_NS,
    LATENCIES_KEPT,
    LIST_LENGTH,
    WINDOW_NS,
    Entry,
    Message,
    Recent,
    State,
    fold,
    measure,
    measure_clock,
)
from producers.registry import VENUES
from runtime.nats.bus import BusOptions
from runtime.servers.embedded import NatsServer

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
        **who(symbol="BTC/USDT:USDT"),
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
        **who(venue="all", symbol="BTC/USD"),
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


def test_the_newest_are_kept_of_more_than_fit() -> None:
    recent = Recent()
    for value in range(2 * LATENCIES_KEPT + 3):
        recent.add(SECOND, value)
    assert recent.sort(SECOND) == [*range(LATENCIES_KEPT + 3, 2 * LATENCIES_KEPT + 3)]
    assert Recent().sort(0) == []


def test_a_burst_takes_no_more_memory_than_the_first_message() -> None:
    state = State()
    messages = [trade(at=at, received=at - SECOND, sent=at - 2 * SECOND) for at in range(2**40, 2**40 + 3000)]
    fold(state, messages[:1])
    gc.collect()
    tracemalloc.start()
    try:
        fold(state, messages)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert state.venues["okx"].events == 3001
    assert taken < 16_384  # of 3,000 times and latencies: 150 kB as objects


def test_clock_is_judged_by_the_fastest_messages_of_the_last_seconds_but_the_two_fastest() -> None:
    state = State()
    fold(state, [trade(at=SECOND, received=SECOND, sent=SECOND - n * 1_000_000) for n in (-50, 9, 3, 5, -40)])
    venue = state.venues["okx"]
    assert measure_clock(venue, SECOND) == 3.0
    assert measure_clock(venue, SECOND + 2 * WINDOW_NS) is None
    fold(state, [trade(at=SECOND, received=SECOND)])
    text = "\n".join(lines_of(state, Size(140, 30), SECOND))
    assert "CLOCK MS" in text
    assert "+3.0" in text


def test_rate_holds_when_the_view_looks_less_often_than_its_window() -> None:
    state = State()
    fold(state, [trade(at=0, received=0)])
    venue = state.venues["okx"]
    measure(venue, 0)
    fold(state, [trade(at=SECOND, received=SECOND)] * 60)
    assert measure(venue, WINDOW_NS + SECOND)[0] == 10.0


def test_consolidated_market_is_no_venue() -> None:
    golden = Path(__file__).parents[1] / "contracts" / "golden" / "consolidated_ticker.v1.json"
    state = State()
    fold(state, [Message("md.v1.ticker.all.BTC.USDT.spot", golden.read_bytes(), 1), trade(2, received=1)])
    assert (state.unreadable, list(state.venues)) == (0, ["okx"])


def test_venue_is_as_bad_as_its_worst_channel() -> None:
    state = State()
    fold(state, [feed("live", channel="trade"), feed("gap", channel="book", reason="sequence")])
    assert state.venues["okx"].judge(0) == ("gap", "sequence")
    fold(state, [feed("live", channel="book")])
    assert state.venues["okx"].judge(0)[0] == "live"


def test_status_of_the_whole_feed_replaces_its_channels() -> None:
    state = State()
    fold(state, [feed("live", channel="trade"), feed("down", reason="closed")])
    assert state.venues["okx"].judge(0) == ("down", "closed")
    fold(state, [feed("live")])
    assert state.venues["okx"].judge(0)[0] == "live"


def test_lists_are_newest_first_and_bounded() -> None:
    state = State()
    fold(state, [whale(usd) for usd in range(1_000_000, 1_000_000 + 2 * LIST_LENGTH)])
    assert len(state.whales) == LIST_LENGTH
    assert state.whales[0].usd == 1_000_000 + 2 * LIST_LENGTH - 1


def test_unreadable_message_is_counted_and_the_rest_goes_on() -> None:
    state = State()
    fold(state, [Message("md.v1.trade.okx.BTC.USDT.spot", b"{}", 0), Message("nonsense", b"", 0), whale()])
    assert state.unreadable == 2
    assert len(state.whales) == 1


def health(venue: str, state: str, at: int = 0, **channels: str) -> Message:
    body = Feed(venue).document(at)
    said = {"state": state, "reason": f"why {venue} is {state}", "channels": channels}
    return Message(f"$KV.STATE.feed.{venue}", codec.encode(msgspec.structs.replace(body, **said)), at)


def test_what_the_bus_lost_is_no_venue() -> None:
    lost = json.loads(feed("gap").body) | {"venue": "bus", "id": "bus.feed.1"}
    state = State()
    fold(state, [feed("live"), Message("feed.v1.bus", json.dumps(lost).encode(), 0)])
    assert list(state.venues) == ["okx"]
    assert state.unreadable == 0
    assert troubles(state, 0) == []


@pytest.mark.parametrize("word", ["stale", "down", "gap", "resync", "connecting", "a-new-word"])
def test_the_state_of_the_health_document_is_shown_whatever_it_is(word: str) -> None:
    state = State()
    fold(state, [feed("live"), trade(at=0, received=0), health("okx", word, trade="live")])
    shown = "\n".join(lines_of(state, Size(120, 40)))
    assert word.upper() in shown
    assert f"why okx is {word}" in shown
    assert troubles(state, 0) == [f"okx is {word}: why okx is {word}"]
    fold(state, [health("okx", "live", trade="live", book=word)])
    assert state.venues["okx"].judge(0)[0] == word
    assert state.venues["okx"].judge(HEALTH_NS + 1)[0] == "live"  # nobody writes health: what the feed said counts
    assert state.unreadable == 0


def lines_of(state: State, size: Size, now: int = 0) -> list[str]:
    """The lines as a terminal without colours shows them."""
    console = Console(file=io.StringIO(), width=size.width, height=size.height, no_color=True)
    console.print(render(state, PLACES, now, size))
    return console.file.getvalue().splitlines()  # pyright: ignore[reportAttributeAccessIssue]


def full_state(now: int) -> State:
    """Every venue and full lists, with the longest names and large figures."""
    state = State()
    for venue in VENUES:
        fold(state, [health(venue, "live", now)])
        state.venues[venue].events = 123_456_789
        state.venues[venue].latencies.add(now, 1_234_567_890_123)
        for _ in range(3):
            state.venues[venue].offsets.add(now, -12_345_678_901)
    longest = Entry(now, "short", 123_456_789.0, "DOGE/USDT:USDT", "krakenfutures", "1234567.89 at 0.123456789")
    for entries in (state.whales, state.liquidations):
        entries.extend([longest._replace(usd=usd) for usd in (999_499.0, None, 9_949_999.0, 1.2e9)] * 20)
    return state


@pytest.mark.parametrize("size", [Size(80, 24), Size(120, 40), Size(200, 50), Size(80, 60), Size(300, 24)])
def test_nothing_is_cut_at(size: Size) -> None:
    now = 1_767_268_800 * SECOND + 45 * SECOND
    lines = lines_of(full_state(now), size, now)
    assert len(lines) == size.height
    assert all(len(row) <= size.width for row in lines)
    assert not any("…" in row for row in lines)
    assert "12:00:45 UTC" in lines[0]
    assert [row.split()[:2] for row in lines[2 : 2 + len(VENUES)]] == [[venue, "live"] for venue in sorted(VENUES)]
    rows = lines[3 + len(VENUES) : -1]
    assert len(rows) >= 5
    assert [row.count("12:00:45 short") for row in rows] == [2] * len(rows)
    assert [row.count("krakenfutures") for row in rows] == [2] * len(rows)
    assert [row.count("$") for row in rows] == [2] * len(rows)
    assert PLACES.api_url in lines[-1]
    assert PLACES.run_path in lines[-1]


def test_where_venues_do_not_fit_those_that_are_not_live_come_first() -> None:
    state = full_state(0)
    fold(state, [health("okx", "stale")])
    lines = lines_of(state, Size(80, 16))
    assert len(lines) == 16
    assert lines[2].startswith("okx           STALE")
    assert "... and 6 more, none of them not live" in "\n".join(lines)


@pytest.mark.parametrize(
    ("width", "usd", "shown"),
    [
        (39, 1_234_567.0, "12:00:00 sell  $1.2M BTC okx"),
        (39, 12_345.0, "12:00:00 sell   $12K BTC okx"),
        (39, None, "12:00:00 sell     $? BTC okx"),
        (60, 1_234_567.0, "12:00:00 sell      $1,234,567 BTC/USDT       okx"),
        (99, 1_234_567.0, "12:00:00 sell      $1,234,567 BTC/USDT       okx            5 at 100"),
    ],
)
def test_an_entry_has_time_and_dollars_at_any_width(width: int, usd: float | None, shown: str) -> None:
    entry = Entry(12 * 3600 * SECOND, "sell", usd, "BTC/USDT", "okx", "5 at 100")
    assert entry_line(entry, width).rstrip() == shown


def test_lists_hold_time_side_and_dollars() -> None:
    state = State()
    fold(state, [whale(), liquidation(), storm()])
    assert state.whales[0] == Entry(0, "sell", 1_234_567.0, "BTC/USDT", "okx", "5 at 100")
    assert state.liquidations[1] == Entry(0, "long", 247.5, "BTC/USDT:USDT", "okx", "2.5 at 99")
    assert (state.liquidations[0].kind, state.liquidations[0].usd, state.liquidations[0].about) == ("STORM", 3e6, "BTC")


def test_plain_line_tells_the_same() -> None:
    assert line(State(), 0) == "nothing received yet"
    state = State()
    fold(state, [feed("live"), trade(at=2_000_000, received=0), whale()])
    assert line(state, 0).startswith("okx live 0/s p50 2.0 ms p99 2.0 ms | whale: 00:00:00 sell")


def test_hint_script_is_five_lines_of_valid_python() -> None:
    script = hints(PLACES).partition("\n\n")[2]
    assert len(script.splitlines()) == 5
    assert PLACES.bus_url in script
    assert "Bearer the-key" in hints(PLACES)
    compile(script, "hint", "exec")


@pytest.mark.nats
async def test_watch_hears_the_bus_and_tells_where_everything_is(nats: NatsServer) -> None:
    out = io.StringIO()
    shown = View(BusOptions(servers=(nats.url,), name="view"), Terminal(out))
    shown.start()
    shown.show(PLACES)
    bus = await nats_py.connect(nats.url)
    message = whale()
    try:
        async with asyncio.timeout(20):
            while not shown.received.whales:  # the subscription may come after the first of them
                await bus.publish(message.subject, message.body)
                await asyncio.sleep(0.05)
    finally:
        await bus.close()
        await shown.stop()
    assert "ready: API http://127.0.0.1:8000" in out.getvalue()


@pytest.mark.nats
async def test_messages_are_folded_as_they_come_so_that_a_burst_is_not_gathered(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[int] = []

    def counting(state: State, messages: Iterable[Message]) -> None:
        batch = list(messages)
        at_once.append(len(batch))
        fold(state, batch)

    monkeypatch.setattr("deploy.view.fold", counting)
    shown = View(BusOptions(servers=(nats.url,), name="view"), Terminal(io.StringIO()))
    shown.start()
    bus = await nats_py.connect(nats.url)
    message = trade(at=0, received=0)
    try:
        async with asyncio.timeout(20):
            while "okx" not in shown.received.venues:  # the subscription may come after the first of them
                await bus.publish(message.subject, message.body)
                await asyncio.sleep(0.05)
            for _ in range(1000):
                await bus.publish(message.subject, message.body)
            while shown.received.venues["okx"].events < 1001:  # noqa: ASYNC110  # nothing says so
                await asyncio.sleep(0.01)
    finally:
        await bus.close()
        await shown.stop()
    assert set(at_once) == {1}


def test_venue_that_is_not_live_is_named_with_its_reason() -> None:
    state = State()
    fold(state, [feed("down", reason="okx: /api cannot be reached")])
    assert troubles(state, 0) == ["okx is down: okx: /api cannot be reached"]
    fold(state, [feed("live", reason="data again")])
    assert troubles(state, 0) == []


@pytest.mark.nats
async def test_on_a_terminal_the_view_takes_the_whole_cleared_screen_and_gives_it_back(nats: NatsServer) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(ours, False)
    written = bytearray()

    def read() -> bytes:
        with contextlib.suppress(BlockingIOError):
            written.extend(os.read(ours, 1 << 20))
        return bytes(written)

    with os.fdopen(theirs, "w") as out:
        terminal = Terminal(out)
        shown = View(BusOptions(servers=(nats.url,), name="view"), terminal)
        shown.start()
        shown.show(PLACES)
        async with asyncio.timeout(20):
            while b"Ctrl-C ends" not in read():  # noqa: ASYNC110  # a terminal has no event
                await asyncio.sleep(0.05)
            terminal.say("okx was started again")
            while b"okx was started again" not in read():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await shown.stop()
        out.flush()
        screen = read()
    os.close(ours)
    before, _, drawn = screen.partition(b"\x1b[?1049h")
    shown, _, after = drawn.partition(b"\x1b[?1049l")
    assert b"ready: API" in before
    assert b"\x1b[H" in shown[:40]
    assert b"HYDROPHONE" in shown
    assert b"hydrophone: okx was started again" in after
