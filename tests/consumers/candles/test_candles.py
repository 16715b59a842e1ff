"""Candles agree with a plain recomputation, whatever the order, the batches, the repeats and the restarts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumers.candles import bars
from consumers.candles.core import CandleBook, fold_after
from consumers.candles.history import CandleHistory
from consumers.candles.rules import INTERVALS, CandleRules
from contracts.arithmetic import patterns
from contracts.codec import fast
from contracts.market import Trade
from contracts.timeframes import TIMEFRAMES, find_start

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z, a Thursday
SUBJECT = "md.v1.trade.binance.BTC.USDT.spot"
TAIL = "binance.BTC.USDT.spot"

Make = Callable[..., Any]


def last_of(outputs: Iterable[tuple[str, Any]]) -> dict[tuple[str, int], Any]:
    return {(candle.timeframe, candle.start_ts): candle for _, candle in outputs}


def start_by_calendar(timeframe: str, ts: int) -> int:
    """The same as find_start, but by the calendar and one span after the other."""
    if timeframe == "1w":
        day = datetime.fromtimestamp(ts // SECOND, tz=UTC).date()
        monday = day - timedelta(days=day.weekday())
        return int(datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp()) * SECOND
    size = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "4h": 14400, "1d": 86400}[timeframe]
    return ts // SECOND // size * size * SECOND


def recompute(trades: list[Any], timeframe: str) -> dict[int, tuple[Decimal, ...]]:
    """Open, high, low, close, volume, quote volume and count of each span, from the sorted list of all trades."""
    spans: dict[int, list[Any]] = {}
    for _, trade in sorted(enumerate(trades), key=lambda item: (item[1].ts_event, int(item[1].trade_id), item[0])):
        spans.setdefault(start_by_calendar(timeframe, trade.ts_event), []).append(trade)
    with localcontext() as context:
        context.prec = 400
        return {start: summary(held) for start, held in spans.items()}


def summary(held: list[Any]) -> tuple[Decimal, ...]:
    prices = [Decimal(trade.price) for trade in held]
    volume = sum((Decimal(trade.amount) for trade in held), Decimal(0))
    value = sum((Decimal(trade.price) * Decimal(trade.amount) for trade in held), Decimal(0))
    return prices[0], max(prices), min(prices), prices[-1], volume, value, Decimal(len(held))


def shown(candle: Any) -> tuple[Decimal, ...]:
    texts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume)
    return (*(Decimal(text) for text in texts), Decimal(candle.trades))


decimals = st.decimals(min_value="0.00000001", max_value="31622776", places=8).map(lambda value: format(value, "f"))
"""Of a price and an amount: their product is below 10^15, the most that one trade may be worth."""
moments = st.one_of(st.integers(0, 200 * 60), st.integers(0, 9 * 86400)).map(lambda second: START + second * SECOND)


@given(st.lists(st.tuples(moments, decimals, decimals), min_size=1, max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_random_trades_in_any_order_and_batches_give_the_recomputed_candles(
    rows: list[tuple[int, str, str]], order: random.Random
) -> None:
    trades = [make(number, ts, price, amount) for number, (ts, price, amount) in enumerate(rows)]
    order.shuffle(trades)
    book = CandleBook(CandleRules(retention=30 * 86400 * SECOND, intervals=dict.fromkeys(TIMEFRAMES, 0), amended=0))
    published: dict[tuple[str, int], Any] = {}
    at = 0
    while at < len(trades):
        size = order.randint(1, 5)
        book.fold([(SUBJECT, trade) for trade in trades[at : at + size]], at + size)
        at += size
        if order.random() < 0.5:
            published |= last_of(book.tick(START + order.randint(0, 10 * 86400) * SECOND))
        if order.random() < 0.2:
            book = restart(book)
    published |= last_of(book.tick(START + 20 * 86400 * SECOND))
    for timeframe in TIMEFRAMES:
        wanted = recompute(trades, timeframe)
        got = {start: candle for (frame, start), candle in published.items() if frame == timeframe}
        assert {start: shown(candle) for start, candle in got.items()} == wanted
        assert all(candle.closed for candle in got.values())


def make(number: int, ts: int, price: str, amount: str) -> Any:
    return fast(Trade)(
        id=f"t{number}",
        venue="binance",
        symbol="BTC/USDT",
        venue_symbol="BTCUSDT",
        ts_event=ts,
        ts_recv=ts,
        sim=False,
        trade_id=str(number % 7),
        price=price,
        amount=amount,
        contracts=None,
        side=None,
    )


def restart(book: CandleBook) -> CandleBook:
    again = CandleBook(book.rules)
    for tail, document in book.save().items():
        again.restore(tail, document)
    again.clock = book.clock
    return again


@given(st.integers(-(10**18), 4 * 10**18))
def test_starts_follow_the_calendar_and_weeks_begin_on_monday(ts: int) -> None:
    for timeframe in TIMEFRAMES:
        assert find_start(timeframe, ts) == start_by_calendar(timeframe, ts)


def test_trades_of_one_time_are_ordered_by_their_number_not_by_arrival(trade: Make) -> None:
    book = CandleBook()
    book.fold([(SUBJECT, trade(10, price="2")), (SUBJECT, trade(9, price="1")), (SUBJECT, trade(11, price="3"))], 3)
    candle = last_of(book.tick(START + SECOND))["1m", START]
    assert (candle.open, candle.close) == ("1", "3")


def test_trades_of_one_time_whose_ids_are_no_numbers_are_ordered_by_their_sequence(trade: Make) -> None:
    book = CandleBook()
    for number, (name, price, seq) in enumerate((("b", "2", 9), ("c", "3", 10), ("a", "1", 8))):
        book.fold([(SUBJECT, trade(number, trade_id=name, price=price, seq=seq))], number)
    candle = last_of(book.tick(START + SECOND))["1m", START]
    assert (candle.open, candle.close) == ("1", "3")


def test_trades_of_one_time_without_numbers_are_ordered_by_arrival(trade: Make) -> None:
    book = CandleBook()
    for number, (name, price) in enumerate((("z", "1"), ("a", "2"), ("m", "3"))):
        book.fold([(SUBJECT, trade(number, trade_id=name, price=price))], number)
    candle = last_of(book.tick(START + SECOND))["1m", START]
    assert (candle.open, candle.close) == ("1", "3")


def test_a_candle_is_published_at_most_once_a_second_and_once_when_it_closes(trade: Make) -> None:
    book = CandleBook()
    seen = []
    for number in range(100):
        at = START + number * SECOND // 10
        book.fold([(SUBJECT, trade(number, at))], number)
        seen += [candle for _, candle in book.tick(at) if candle.timeframe == "1m"]
    assert 9 <= len(seen) <= 11
    assert not any(candle.closed for candle in seen)
    assert not [item for item in book.tick(START + MINUTE) if item[1].timeframe == "1m" and item[1].closed]
    subject, closed = next(item for item in book.tick(START + MINUTE + SECOND) if item[1].timeframe == "1m")
    assert subject == "md.v1.candle.1m.binance.BTC.USDT.spot"
    assert closed.closed
    assert closed.trades == 100
    assert not [item for item in book.tick(START + MINUTE + 9 * SECOND) if item[1].timeframe == "1m"]


def test_an_interval_without_trades_gives_no_candle(trade: Make) -> None:
    book = CandleBook(CandleRules(retention=86400 * SECOND))
    book.fold([(SUBJECT, trade(1, START)), (SUBJECT, trade(2, START + 5 * MINUTE))], 2)
    outputs = last_of(book.tick(START + 10 * MINUTE))
    assert sorted(start for frame, start in outputs if frame == "1m") == [START, START + 5 * MINUTE]


def test_a_late_trade_within_the_retention_amends_the_closed_candle(trade: Make) -> None:
    book = CandleBook()
    book.fold([(SUBJECT, trade(5, START + SECOND))], 1)
    first = last_of(book.tick(START + 2 * MINUTE))["1m", START]
    book.fold([(SUBJECT, trade(4, START, price="50"))], 2)
    amended = last_of(book.tick(START + 3 * MINUTE))["1m", START]
    assert amended.closed
    assert (amended.open, amended.low, amended.close, amended.trades) == ("50", "50", "100", 2)
    assert amended.id != first.id
    assert book.counts.amended >= 1


def test_a_trade_older_than_the_retention_is_counted_and_changes_only_what_is_still_kept(trade: Make) -> None:
    book = CandleBook(CandleRules(retention=MINUTE))
    book.fold([(SUBJECT, trade(1, START))], 1)
    book.tick(START + 3 * MINUTE)
    book.fold([(SUBJECT, trade(2, START, price="50"))], 2)
    outputs = last_of(book.tick(START + 3 * MINUTE + 5 * SECOND))
    assert ("1m", START) not in outputs
    assert outputs["5m", START].trades == 2
    assert book.counts.too_late == {"1m": 1}


def test_a_repeated_trade_is_counted_once_also_after_a_restart(trade: Make) -> None:
    book = CandleBook()
    book.fold([(SUBJECT, trade(1)), (SUBJECT, trade(1))], 2)
    known = {SUBJECT: 2}
    again = restart(book)
    fold_after(again, [(2, SUBJECT, trade(1)), (3, SUBJECT, trade(1)), (4, SUBJECT, trade(2))], known)
    assert last_of(again.tick(START + SECOND))["1m", START].trades == 2
    assert again.counts.duplicates == 1
    assert again.seq == 4


def test_a_trade_of_unknown_size_or_from_the_future_is_left_out_and_counted(trade: Make) -> None:
    book = CandleBook()
    far = trade(2, START + 86400 * SECOND, ts_recv=START)
    book.fold([(SUBJECT, trade(1, amount=None, contracts="3")), (SUBJECT, far)], 2)
    assert book.tick(START + SECOND) == []
    assert (book.counts.unsized, book.counts.ahead) == (1, 1)


def test_a_simulated_trade_marks_its_candles(trade: Make) -> None:
    book = CandleBook()
    book.fold([(SUBJECT, trade(1)), (SUBJECT, trade(2, START + MINUTE, sim=True))], 2)
    outputs = last_of(book.tick(START + MINUTE))
    assert not outputs["1m", START].sim
    assert outputs["1m", START + MINUTE].sim
    assert outputs["5m", START].sim


def test_sums_are_not_rounded(trade: Make) -> None:
    book = CandleBook()
    big, small = "123456789012345678", "0.000000000000000001"
    book.fold([(SUBJECT, trade(1, price=small, amount=big)), (SUBJECT, trade(2, price=small, amount=small))], 2)
    candle = last_of(book.tick(START + SECOND))["1d", START]
    assert candle.volume == "123456789012345678.000000000000000001"
    assert candle.quote_volume == "0.123456789012345678000000000000000001"


def test_only_changed_instruments_are_saved(trade: Make) -> None:
    book = CandleBook()
    book.fold([(SUBJECT, trade(1))], 7)
    assert set(book.save()) == {TAIL}
    assert book.save() == {}


@pytest.mark.parametrize("broken", [b"{}", b'{"seq": "x"}'])
def test_a_document_of_another_shape_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"field|missing|Expected"):
        CandleBook().restore(TAIL, broken)


def test_open_candles_of_long_frames_come_rarely_and_closed_ones_at_once(trade: Make) -> None:
    book = CandleBook()
    times: dict[str, list[int]] = {timeframe: [] for timeframe in TIMEFRAMES}
    closed: list[int] = []
    for second in range(125):
        book.fold([(SUBJECT, trade(second + 1, START + second * SECOND))], second + 1)
        for _, candle in book.tick(START + second * SECOND):
            if candle.closed:
                closed.append(second)
            else:
                times[candle.timeframe].append(second)
    assert closed == [61, 121]  # a second after their minutes: the grace
    for timeframe, every in INTERVALS.items():
        pauses = {(later - earlier) * SECOND for earlier, later in pairwise(times[timeframe])}
        assert min(pauses) >= every, timeframe
        assert len(times[timeframe]) == 124 * SECOND // every + 1, timeframe


@given(st.lists(st.tuples(moments, decimals, decimals), min_size=1, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_two_different_versions_of_a_candle_never_share_an_id(
    rows: list[tuple[int, str, str]], order: random.Random
) -> None:
    seen: dict[str, Any] = {}
    for losing in (False, True):  # what a stream lost gives other candles with as many trades
        book = CandleBook(CandleRules(retention=30 * 86400 * SECOND, intervals=dict.fromkeys(TIMEFRAMES, 0), amended=0))
        for number, (ts, price, amount) in enumerate(rows[1:] if losing else rows):
            book.fold([(SUBJECT, make(number, ts, price, amount))], number + 1)
            if order.random() < 0.6:
                for _, candle in book.tick(START + order.randint(0, 86400) * SECOND):
                    assert seen.setdefault(candle.id, candle) == candle


def test_a_candle_kept_in_memory_has_the_id_under_which_it_was_published(trade: Make) -> None:
    book, history = CandleBook(), CandleHistory()
    book.fold([(SUBJECT, trade(1))], 1)
    outputs = [candle for _, candle in book.tick(START + 8 * 86400 * SECOND) if candle.closed]
    for candle in outputs:
        history.save(TAIL, candle)
        assert history.list_candles(TAIL, candle.timeframe) == [candle]


odd_sizes = st.sampled_from(["0", "1", "9" * 18, "1" + "0" * 18, "1" * 24, "0." + "1" * 36])
rows_of_trades = st.lists(
    st.tuples(st.integers(-2000, 130_000), decimals, decimals | odd_sizes, st.integers(0, 30), st.booleans()),
    max_size=40,
)


@pytest.mark.parametrize("sum_up", [bars.sum_up, patterns.sum_up], ids=["as used", "python"])
def test_a_batch_is_folded_as_its_trades_one_by_one(sum_up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where some cannot be summed, repeat others or come late: the same candles, counts and refusals."""
    monkeypatch.setattr(bars, "sum_up", sum_up)

    @given(rows_of_trades)
    @settings(max_examples=100, deadline=None)
    @example([(3, "1.5", "1" * 24, 1, True), (1, "1.5", "1", 2, True), (3, "1.5", "1" * 24, 1, True)])
    @example([(2, "1.5", "1", 1, True), (3, "1.5", "9" * 18, 0, True), (3, "1.5", "9" * 18, 0, True)])
    def check(rows: list[tuple[int, str, str, int, bool]]) -> None:
        trades: list[Any] = []
        for after, price, amount, number, timed in rows:
            made = make(number, START + after * 1_000_000, price, amount)
            trades.append(made if timed else msgspec.structs.replace(made, ts_event=None))
        together, alone = CandleBook(), CandleBook()
        faults = together.fold([(SUBJECT, trade) for trade in trades], 99)
        expected = [
            (index, str(error)) for index, trade in enumerate(trades) for _, error in alone.fold([(SUBJECT, trade)], 99)
        ]
        assert [(index, str(error)) for index, error in faults] == expected
        assert together.counts.folded == alone.counts.folded
        assert together.save() == alone.save()
        assert together.tick(START + 10 * MINUTE) == alone.tick(START + 10 * MINUTE)

    check()
