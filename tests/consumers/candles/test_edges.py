"""Where the rules of candles turn: exact bounds, what is counted, what is refused, and which times are gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import msgspec
import pytest

from consumers.candles import bars, gaps
from consumers.candles.core import CandleBook, fold_after
from consumers.candles.gaps import Gaps
from consumers.candles.history import KEPT, SERIES, CandleHistory
from consumers.candles.instrument import InstrumentBars, candle_of
from consumers.candles.rules import INTERVALS, CandleCounts, CandleRules
from contracts.arithmetic.exact import EXACT, MOST, FigureError
from contracts.codec import fast
from contracts.market import TradeRange

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
WEEK = 7 * DAY
START = 1_767_225_600 * SECOND  # a Thursday
SUBJECT = "md.v1.trade.binance.BTC.USDT.spot"
TAIL = "binance.BTC.USDT.spot"
Make = Callable[..., Any]


def begun(**rules: Any) -> CandleBook:
    book = CandleBook(replace(CandleRules(), **rules))
    book.begin(START)
    return book


def fold(book: CandleBook, *trades: Any) -> list[int]:
    return [index for index, _ in book.fold([(SUBJECT, one) for one in trades], book.seq + 1)]


def bar_of(trade: Make, **fields: Any) -> bars.Bar:
    return bars.open_bar(START, trade(1, **fields), START, 1)


# --------------------------------------------------------------------------------------------------------- one bar


def test_rules_begin_as_documented() -> None:
    assert CandleRules() == CandleRules(
        grace=SECOND, retention=15 * MINUTE, amended=SECOND, ahead=MINUTE, remember=4096, instruments=10_000
    )
    seconds = {"1m": 1, "5m": 5, "15m": 5, "30m": 15, "1h": 15, "4h": 60, "1d": 60, "1w": 60}
    assert dict(INTERVALS) == {name: number * SECOND for name, number in seconds.items()}
    assert CandleCounts() == CandleCounts(0, 0, 0, 0, 0, {})
    assert (KEPT, SERIES, gaps.KEPT, gaps.VENUES, gaps.MARKS) == (1000, 80_000, 1000, 256, 20_000)


def test_an_id_is_of_everything_that_a_candle_says(trade: Make) -> None:
    instrument = InstrumentBars(TAIL, 10)
    instrument.venue, instrument.symbol = "binance", "BTC/USDT"
    bar = bar_of(trade, price="100.5", amount="2")
    assert candle_of(instrument, "5m", bar).id == f"{TAIL}.candle.5m.1767225600.1.4de5c0390f34"
    bar.closed = True
    assert candle_of(instrument, "5m", bar).id == f"{TAIL}.candle.5m.1767225600.1.f5811cce1e80.closed"


def test_trades_at_one_moment_go_by_number_and_then_by_arrival(trade: Make) -> None:
    assert [bars.rank("7", 3), bars.rank("x7", 3)] == [(7, 3), (0, 3)]
    with localcontext(EXACT):
        bar = bar_of(trade, price="5", trade_id="5")
        for number, (trade_id, price) in enumerate([("5", "6"), ("4", "3"), ("6", "9"), ("6", "8"), ("4", "2")]):
            bars.fold_trade(bar, trade(price=price, trade_id=trade_id), START, 2 + number)
    assert (bar.open, bar.close) == (3, 8)
    part = replace(bar, open=Decimal(1), close=Decimal(7), ts_recv=START - 5)
    bars.merge(bar, part)
    assert (bar.open, bar.close, bar.ts_recv) == (3, 8, START)


def test_a_bar_is_simulated_where_one_of_its_trades_is(trade: Make) -> None:
    with localcontext(EXACT):
        bar = bar_of(trade)
        bars.fold_trade(bar, trade(2), START, 2)
        assert bar.sim is False
        bars.fold_trade(bar, trade(3, sim=True), START, 3)
        assert bar.sim is True
        other = bar_of(trade)
        assert bars.fold_in_order(other, [trade(2), trade(3, sim=True)], START + 1, 3) is True
        assert other.sim is True
        assert bars.fold_in_order(other, [trade(4)], START + 2, 4) is True
        assert other.sim is True


@pytest.mark.parametrize(("price", "amount"), [("0.000001", "999999999999999999"), ("999999999999999", "1")])
def test_a_bar_takes_what_each_trade_may_be_and_shows_no_more_than_may_be_said(
    trade: Make, price: str, amount: str
) -> None:
    with localcontext(EXACT):
        bar = bar_of(trade, price=price, amount=amount)
        one = trade(2, price=price, amount=amount)
        assert bars.fold_in_order(bar, [one], START + 1, 2) is False
        assert bar.trades == 1
        bars.fold_trade(bar, one, START + 1, 2)
        assert (bar.trades, bar.volume) == (2, 2 * Decimal(amount))
        bar.volume = bar.quote_volume = MOST
        bars.fold_trade(bar, one, START + 2, 3)
        assert (bar.volume, bar.quote_volume) == (MOST, MOST)


@pytest.mark.parametrize(("price", "amount"), [("0.000001", "1000000000000000000"), ("1000000000000000", "1")])
def test_a_trade_beyond_is_refused_with_the_bar_as_it_was(trade: Make, price: str, amount: str) -> None:
    with localcontext(EXACT):
        bar = bar_of(trade)
        before = replace(bar)
        with pytest.raises(FigureError):
            bars.fold_trade(bar, trade(2, price=price, amount=amount), START, 2)
        assert bar == before


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume", "quote_volume"])
def test_a_bar_of_the_bucket_has_figures_that_trades_make(trade: Make, name: str) -> None:
    bar, is_sum = bar_of(trade), name.endswith("volume")

    def sound(figure: str | Decimal | int) -> bool:
        return bars.is_sound(replace(bar, **{name: Decimal(figure)}))

    assert [sound(figure) for figure in ("NaN", "Infinity", "-1")] == [False, False, False]
    assert [sound(0), sound(1), sound(MOST), sound(EXACT.add(MOST, Decimal(1)))] == [is_sum, True, True, False]


# ----------------------------------------------------------------------------------------------------- many of them


@pytest.mark.parametrize(
    ("ts", "late", "ahead"),
    [(-WEEK - 15 * MINUTE, 8, 0), (-WEEK - 15 * MINUTE - 1, 8, 0), (MINUTE, 0, 0), (MINUTE + 1, 0, 1)],
)
def test_what_is_too_far_from_its_receipt_is_left_out_and_counted(trade: Make, ts: int, late: int, ahead: int) -> None:
    book = begun()
    assert fold(book, trade(1, START + ts, ts_recv=START)) == []
    folded = int(ts in {MINUTE, -WEEK - 15 * MINUTE})
    assert (book.counts.folded, book.counts.ahead) == (folded, ahead)
    book.tick(START)
    assert sum(book.counts.too_late.values()) == late


def test_a_trade_that_is_refused_may_come_again(trade: Make) -> None:
    book = begun()
    broken = trade(1, price="1000000000000000")
    assert [fold(book, broken), fold(book, broken), fold(book, trade(1))] == [[0], [0], []]
    assert (book.counts.duplicates, book.counts.folded) == (0, 1)
    assert fold(book, trade(2, START + 1), trade(3, START + 2, price="1000000000000000"), trade(4, START + 3)) == [1]


def test_the_clock_begins_once(trade: Make) -> None:
    book = CandleBook()
    assert (book.clock, book.seq) == (0, 0)
    book.begin(START)
    book.begin(START + 5)
    assert book.clock == START
    assert book.tick(START - 5) == []
    assert book.clock == START


def test_the_instruments_that_were_traded_last_are_kept(trade: Make) -> None:
    book = begun(instruments=2)
    for number in range(9):
        symbol = f"X{number}/USDT"
        book.fold([(f"md.v1.trade.binance.X{number}.USDT.spot", trade(number, symbol=symbol))], number)
    assert book.forgotten >= 5


def test_no_more_than_about_so_many_candles_come_at_once(trade: Make) -> None:
    book = begun()
    fold(book, trade(1))
    first = book.tick(START + 1, 3)
    assert [candle.timeframe for _, candle in first] == ["1m", "5m", "15m"]
    assert [candle.timeframe for _, candle in book.tick(START + 2)] == ["30m", "1h", "4h", "1d", "1w"]
    assert book.list_current("okx.BTC.USDT.spot", "1m") == []


def test_a_candle_stays_for_its_retention_and_goes_then(trade: Make) -> None:
    book = begun()
    fold(book, trade(1))
    end = START + MINUTE
    book.tick(end + SECOND - 1)
    assert [candle.closed for candle in book.list_current(TAIL, "1m")] == [False]
    book.tick(end + SECOND)
    assert [candle.closed for candle in book.list_current(TAIL, "1m")] == [True]
    book.tick(end + 15 * MINUTE - 1)
    assert len(book.list_current(TAIL, "1m")) == 1
    fold(book, trade(2, START + 1))
    book.tick(end + 15 * MINUTE - 1)
    assert (book.counts.amended, book.counts.too_late) == (3, {})  # of a minute, five and fifteen, which are closed
    book.save()
    book.tick(end + 15 * MINUTE)
    assert book.list_current(TAIL, "1m") == []
    assert list(book.save()) == [TAIL]
    fold(book, trade(3, START + 2))
    book.tick(end + 15 * MINUTE)
    assert book.counts.too_late == {"1m": 1}


def test_what_was_saved_is_saved_again_where_it_is_lost(trade: Make) -> None:
    book = begun()
    fold(book, trade(1))
    book.tick(START + 1)
    document = book.save()[TAIL]
    assert book.save() == {}
    book.save_again()
    assert book.save() == {TAIL: document}
    book.forget_seq()
    assert book.seq == 0
    assert msgspec.json.decode(book.save()[TAIL])["seq"] == 0
    assert book.tick(START + 60 * MINUTE) != []
    book.touch()
    assert [candle.timeframe for _, candle in book.tick(START + 62 * MINUTE)][-1] == "1w"
    again = CandleBook()
    again.seq = 50
    assert again.restore(TAIL, document) == 1
    assert again.seq == 50


@pytest.mark.parametrize("broken", [{"venue": "okx"}, {"symbol": "ETH/USDT"}, {"bars": {"2m": []}}])
def test_a_document_of_something_else_is_refused(trade: Make, broken: dict[str, Any]) -> None:
    book = begun()
    fold(book, trade(1))
    book.tick(START)
    document = msgspec.json.decode(book.save()[TAIL])
    with pytest.raises(ValueError, match="holds the candles"):
        CandleBook().restore(TAIL, msgspec.json.encode(document | broken))
    two = document | {"bars": {"1m": [document["bars"]["1m"][0], document["bars"]["1m"][0] | {"low": "0"}]}}
    with pytest.raises(ValueError, match="no trade makes"):
        CandleBook().restore(TAIL, msgspec.json.encode(two))
    del document["since"]
    again = CandleBook()
    again.restore(TAIL, msgspec.json.encode(document))
    assert again.find_since(TAIL) is None


def test_of_a_stretch_that_was_folded_in_part_the_faults_are_named(trade: Make) -> None:
    book = begun()
    broken = trade(3, price="1000000000000000")
    messages = [(number, SUBJECT, one) for number, one in enumerate([trade(1), trade(2), broken, trade(4)], 1)]
    assert [index for index, _ in fold_after(book, messages, {SUBJECT: 1})] == [2]
    assert (book.counts.folded, book.counts.duplicates) == (2, 0)
    assert fold_after(begun(), messages[:1], {}) == []


def test_the_history_keeps_the_newer_of_two_and_the_newest_of_all(trade: Make) -> None:
    instrument = InstrumentBars(TAIL, 10)
    instrument.venue, instrument.symbol = "binance", "BTC/USDT"
    history = CandleHistory(keep=2)

    def save(start: int, trades: int, high: str) -> None:
        bar = replace(bar_of(trade), start=START + start * MINUTE, trades=trades, high=Decimal(high), closed=True)
        history.save(TAIL, candle_of(instrument, "1m", bar))

    def kept() -> list[tuple[int, str]]:
        return [((one.start_ts - START) // MINUTE, one.high) for one in history.list_candles(TAIL, "1m")]

    for start, trades, high in ((5, 2, "200"), (5, 2, "201"), (5, 1, "999"), (6, 1, "100")):
        save(start, trades, high)
    assert kept() == [(5, "201"), (6, "100")]
    save(4, 9, "100")
    assert (kept(), len(history)) == ([(5, "201"), (6, "100")], 2)
    save(7, 1, "100")
    assert kept() == [(6, "100"), (7, "100")]


# ------------------------------------------------------------------------------------------------------------ gaps


def ranges(*spans: tuple[int, int]) -> list[Any]:
    return [fast(TradeRange)(**range_fields(START + a * SECOND, START + b * SECOND)) for a, b in spans]


def range_fields(start: int, end: int) -> dict[str, Any]:
    return {**dict.fromkeys(TradeRange.model_fields), "start_ts": start, "end_ts": end}


def spans_of(held: Gaps, symbol: str = "BTC/USDT", now: int = 1000) -> list[tuple[int, int]]:
    found = held.list_spans("binance", symbol, START + now * SECOND)
    return [((start - START) // SECOND, (end - START) // SECOND) for start, end in found]


def test_what_was_filled_is_no_gap_and_what_is_missing_is(status: Make) -> None:
    held = Gaps(late=100 * SECOND)
    said = {"symbol": "BTC/USDT", "channel": "trade"}
    held.on_status(status("gap", START + 60 * SECOND, **said, missing=ranges((10, 50))))
    assert spans_of(held) == [(10, 50)]
    assert spans_of(held, "ETH/USDT") == []
    held.on_status(status("gap", START + 110 * SECOND, **said, filled=ranges((10, 30)), missing=ranges((40, 45))))
    assert spans_of(held)[:1] == [(30, 50)]
    held.on_status(status("gap", START + 111 * SECOND, **said, filled=ranges((10, 50))))
    assert (30, 50) in spans_of(held)  # it came after the candles could be amended


def test_a_loss_that_was_noticed_at_a_moment_is_explained_by_what_was_filled_of_it(status: Make) -> None:
    held = Gaps(late=100 * SECOND)
    for second in (49, 50, 80, 81):
        for state in ("gap", "live"):
            held.on_status(status(state, START + second * SECOND, symbol="BTC/USDT", channel="trade"))
    assert spans_of(held) == [(49, 49), (50, 50), (80, 80), (81, 81)]
    said = {"symbol": "ETH/USDT", "channel": "trade"}
    held.on_status(status("gap", START + 80 * SECOND, **said, filled=ranges((51, 60))))
    assert len(spans_of(held)) == 4  # of another instrument
    said["symbol"] = "BTC/USDT"
    held.on_status(status("gap", START + 80 * SECOND, **said, filled=ranges((51, 60))))
    assert spans_of(held) == [(49, 49), (81, 81)]
    held.on_status(status("gap", START + 90 * SECOND, **said, missing=ranges((51, 60))))
    assert spans_of(held) == [(49, 49), (50, 50), (51, 60), (80, 80), (81, 81)]
    assert spans_of(held, "ETH/USDT") == []


def test_a_span_is_filled_in_time_at_the_last_moment(status: Make) -> None:
    said = {"symbol": "BTC/USDT", "channel": "trade"}
    for late, left in ((0, []), (1, [(10, 20)])):
        held = Gaps(late=100 * SECOND)
        held.on_status(status("gap", START + 50 * SECOND, **said, missing=ranges((10, 20))))
        held.on_status(status("gap", START + 110 * SECOND + late, **said, filled=ranges((10, 20))))
        assert spans_of(held) == left


def test_what_lasts_ends_now(status: Make) -> None:
    held = Gaps()
    held.on_status(status("down", START + 5 * SECOND))
    held.on_lost(START + 1 * SECOND, START + 2 * SECOND)
    assert spans_of(held, now=9) == [(1, 2), (5, 9)]
    held.on_status(status("stale", START + 6 * SECOND, symbol="BTC/USDT", channel="ticker"))
    held.on_status(status("live", START + 7 * SECOND))
    assert spans_of(held, now=9) == [(1, 2), (5, 7)]
