"""Whoever asks for candles gets the closed and the open ones, those of before a restart too, or a clear refusal."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from consumers.candles import handlers as candles
from consumers.candles.bars import named
from consumers.candles.core import CandleBook
from consumers.candles.gaps import Gaps
from consumers.candles.history import CandleHistory, FastCandle, Series
from contracts import codec, streams, subjects
from contracts.services.candles import CandlesQuery, CandlesReply
from contracts.timeframes import MINUTE, SECOND
from runtime import provision
from runtime.app.application import make_broker
from runtime.app.service import Service
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import nats_server

START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
TAIL = "binance.BTC.USDT.spot"
Make = Callable[..., Any]


def closed(number: int, trades: int = 3, close: str = "100.50", timeframe: str = "1m") -> Any:
    start = START + number * MINUTE
    candle = FastCandle(
        id="",
        venue="binance",
        symbol="BTC/USDT",
        venue_symbol="BTCUSDT",
        ts_event=start + 5,
        ts_recv=start + 7,
        sim=number % 2 == 1,
        timeframe=timeframe,
        open="100",
        high="101.10",
        low="99",
        close=close,
        volume="1.000",
        quote_volume="100.123456789012345678901234567890",
        trades=trades,
        closed=True,
        start_ts=start,
    )
    return named(TAIL, candle)


# ---- what is kept
def test_candles_come_back_as_they_were_in_order_of_their_starts() -> None:
    history = CandleHistory()
    for number in (3, 1, 2):
        history.save(TAIL, closed(number))
    history.save(TAIL, closed(1, timeframe="5m"))
    assert history.list_candles(TAIL, "1m") == [closed(1), closed(2), closed(3)]
    assert history.list_candles(TAIL, "1h") == []


def test_only_the_newest_are_kept_and_an_older_one_displaces_none() -> None:
    history = CandleHistory(keep=3)
    for number in (5, 6, 7, 8, 2):
        history.save(TAIL, closed(number))
    assert [candle.start_ts for candle in history.list_candles(TAIL, "1m")] == [START + n * MINUTE for n in (6, 7, 8)]
    assert len(history) == 3


def test_of_two_of_one_start_the_one_of_more_trades_stays_whichever_comes_first() -> None:
    for order in ((3, 4), (4, 3)):
        history = CandleHistory()
        for trades in order:
            history.save(TAIL, closed(1, trades, close=str(trades)))
        assert [(c.trades, c.close) for c in history.list_candles(TAIL, "1m")] == [(4, "4")]


# also where most are compressed, by blocks of 32
def test_of_many_candles_the_newest_are_kept_as_they_were_in_whatever_order_they_came() -> None:
    numbers = list(range(300))
    shuffled = random.Random(5).sample(numbers, len(numbers))  # the same each time
    for keep, given in ((100, numbers), (100, shuffled), (1, shuffled), (33, shuffled), (1000, numbers[::-1])):
        history = CandleHistory(keep=keep)
        for place, number in enumerate(given):
            history.save(TAIL, closed(number, trades=2))
            come = sorted(given[: place + 1])
            assert len(history) == min(keep, len(come))
            if place % 20 == 0:
                assert [one.start_ts for one in history.list_candles(TAIL, "1m")][-1] == START + come[-1] * MINUTE
        assert history.list_candles(TAIL, "1m") == [closed(number, trades=2) for number in numbers[-keep:]]
        for number in (numbers[-1], numbers[-min(keep, 90)]):
            history.save(TAIL, closed(number, trades=1, close="1"))
            history.save(TAIL, closed(number, trades=3, close="3"))
        changed = [one.start_ts for one in history.list_candles(TAIL, "1m") if one.close == "3"]
        assert changed == sorted({START + number * MINUTE for number in (numbers[-1], numbers[-min(keep, 90)])})
        assert len(history.list_candles(TAIL, "1m")) == min(keep, 300)


def test_series_compress_blocks_of_32_at_counts_of_their_own_and_leave_the_8_newest_as_they_are() -> None:
    fewest: dict[int, int] = {}
    for number in range(300):
        series = Series(f"{TAIL}{number}", closed(0))
        assert (series.blocks, series.rows) == ([], [])
        held: list[int] = []
        for start in range(200):
            series.starts.append(start)
            series.rows.append(b"%d" % start)
            series.shrink(100)
            assert series.list_rows() == [b"%d" % kept for kept in series.starts]
            held.append(len(series.rows))
            assert len(series.starts) == min(start + 1, 100 + (start + 1 - 100) % 32)
        fewest[max(held)] = min(held[100:])
    assert fewest == {most: most - 31 for most in range(39, 63)}


def test_the_history_says_what_its_series_take_by_their_newest_row_and_block() -> None:
    history = CandleHistory()
    assert history.sizes() == {"closed_candles": 0}
    series = Series(TAIL, closed(0))
    lists = sum(map(sys.getsizeof, (series.starts, series.blocks, series.rows)))
    assert series.size() == object.__sizeof__(series) + lists
    for _ in range(40):
        series.starts.append(1)
        series.rows.append(b"a row")
    series.blocks += [b"another block", b"block"] * 3
    lists = sum(map(sys.getsizeof, (series.starts, series.blocks, series.rows)))
    held = 40 * sys.getsizeof(b"a row") + 6 * sys.getsizeof(b"block")
    assert series.size() == object.__sizeof__(series) + lists + held
    history.save(TAIL, closed(1))
    one = history.sizes()["closed_candles"]
    history.save(TAIL, closed(1, timeframe="5m"))
    assert history.sizes() == {"closed_candles": 2 * one}


def size_of(root: object) -> int:
    """The bytes of an object and of all that it refers to, types left out."""
    seen: set[int] = set()
    todo, total = [root], 0
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, type):
            seen.add(id(one))
            total += sys.getsizeof(one)
            todo += gc.get_referents(one)
    return total


def test_a_thousand_candles_take_little_memory() -> None:
    digits = random.Random(7)  # the same each time
    candles: list[Any] = []
    for number in range(1000):
        candle, traded = closed(number, close=f"{digits.random() * 90_000:.2f}"), digits.random() * 10
        candle = replace(candle, volume=f"{traded:.6f}", quote_volume=f"{traded * 90_000:.8f}")
        candles.append(named(TAIL, replace(candle, ts_event=candle.start_ts + digits.getrandbits(33))))
    history = CandleHistory()
    for candle in candles:
        history.save(TAIL, candle)
    assert size_of(history) < 70 * 1000, "not compressed they take some 200"
    assert history.list_candles(TAIL, "1m") == candles


def test_the_book_tells_open_candles_and_since_when_it_lacks_nothing_also_after_a_restart(trade: Make) -> None:
    book = CandleBook()
    book.fold([(subjects.TRADE + TAIL, trade(1, START + 30 * SECOND))], 1)
    book.fold([(subjects.TRADE + TAIL, trade(2, START + 40 * SECOND, price="7"))], 2)
    (candle,) = book.list_current(TAIL, "5m")
    assert (candle.closed, candle.trades, candle.low) == (False, 2, "7")
    again = CandleBook()
    again.restore(TAIL, book.save()[TAIL])
    assert again.find_since(TAIL) == START + 30 * SECOND
    assert again.find_since("okx.BTC.USDT.spot") is None


# ---- when nobody listened
def test_interruptions_of_a_feed_are_reported_from_the_loss_to_the_recovery(status: Make) -> None:
    gaps = Gaps()
    for at, state, fields in (
        (1, "connecting", {}),
        (5, "live", {}),
        (20, "gap", {"channel": "book"}),
        (21, "stale", {"channel": "trade", "symbol": "BTC/USDT"}),
        (30, "gap", {"channel": "trade", "symbol": "ETH/USDT"}),
        (40, "down", {}),
        (41, "connecting", {}),
        (50, "live", {}),
        (60, "down", {"venue": "okx"}),
    ):
        gaps.on_status(status(state, at, **fields))
    assert gaps.list_spans("binance", "BTC/USDT", 99) == [(1, 5), (40, 50)]
    assert gaps.list_spans("binance", "ETH/USDT", 99) == [(1, 5), (30, 50)]
    assert gaps.list_spans("okx", "BTC/USDT", 99) == [(60, 99)]
    gaps.on_lost(70, 80)
    assert gaps.list_spans("binance", "BTC/USDT", 99) == [(1, 5), (40, 50), (70, 80)]


# ---- requested over the bus
@pytest_asyncio.fixture
async def bus(tmp_path: Path) -> AsyncGenerator[Bus]:
    async with nats_server(tmp_path) as server:
        connection = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await provision.apply(connection, provision.declared(synced=True))
        yield connection
        await connection.close()


async def ask(bus: Bus, **query: Any) -> CandlesReply:
    fields = {"venue": "binance", "symbol": "BTC/USDT", "timeframe": "1m", **query}
    body = CandlesQuery.model_validate(fields).model_dump_json().encode()
    return CandlesReply.model_validate_json(await bus.request(subjects.CANDLES_LIST, body, 5.0))


async def until(bus: Bus, check: Callable[[CandlesReply], bool], **query: Any) -> CandlesReply:
    async with asyncio.timeout(30):
        while not check(reply := await ask(bus, **query)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return reply


@pytest.mark.nats
async def test_closed_candles_of_before_the_start_and_open_ones_are_reported_and_cut_to_what_was_asked(
    bus: Bus, trade: Make, status: Make
) -> None:
    js = bus.jetstream()
    for at, state in ((START, "down"), (START + 5, "live")):
        await js.publish("feed.v1.binance", codec.encode(status(state, at)), stream=streams.FEEDS)
    for number in range(5):
        body = codec.encode(closed(number))
        await js.publish(f"{subjects.CANDLE}1m.{TAIL}", body, stream=streams.CANDLES_1M)
    started = asyncio.Event()
    broker = make_broker(bus, "candles", CollectorRegistry())
    await broker.start()
    service = Service(name="candles", bus=bus, broker=broker, ready=started.set)
    running = asyncio.ensure_future(candles.make_consumer(candles.CandlePlan(tick_seconds=0.05)).run(service))
    await asyncio.wait_for(started.wait(), 10)
    now = now_ns()
    await js.publish(subjects.TRADE + TAIL, codec.encode(trade(1, now, price="42")), stream=streams.MARKET)
    reply = await until(bus, lambda held: len(held.candles) == 6 and not held.loading)
    assert [candle.start_ts for candle in reply.candles[:5]] == [START + number * MINUTE for number in range(5)]
    assert (reply.candles[-1].closed, str(reply.candles[-1].open), reply.since_ts) == (False, "42", now)
    assert (await until(bus, lambda held: bool(held.gaps))).gaps == [(START, START + 5)]
    few = await ask(bus, limit=2, start_ts=START, end_ts=START + 4 * MINUTE)
    assert [candle.start_ts for candle in few.candles] == [START + 2 * MINUTE, START + 3 * MINUTE]
    assert (await ask(bus, symbol="ETH/USDT")).candles == []
    for wrong, code, parameter in (
        (b'{"venue":"binance","symbol":"BTC/USDT","timeframe":"7m"}', "INVALID_PARAMETER", "timeframe"),
        (b'{"venue":"binance","symbol":"BTC","timeframe":"1m"}', "INVALID_SYMBOL", "symbol"),
        (b"nonsense", "INVALID_PARAMETER", ""),
    ):
        refused = CandlesReply.model_validate_json(await bus.request(subjects.CANDLES_LIST, wrong, 5.0))
        assert refused.error is not None
        assert (refused.error.code, refused.error.details["parameter"]) == (code, parameter)
    service.stop.set()
    await asyncio.wait_for(running, 15)
    await broker.stop()
