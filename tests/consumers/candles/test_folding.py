"""How trades are folded: those that follow each other together, numbered as they arrive, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from consumers.candles import core
from consumers.candles.core import CandleBook, fold_after
from consumers.candles.gaps import Gaps
from consumers.candles.history import CandleHistory, FastCandle
from contracts.codec import fast
from contracts.market import Served, TradeRange
from runtime.seen.ids import SeenIds

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_767_225_600 * SECOND
SUBJECT = "md.v1.trade.binance.BTC.USDT.spot"
TAIL = "binance.BTC.USDT.spot"
Make = Callable[..., Any]


def fold(book: CandleBook, *trades: Any) -> None:
    assert not book.fold([(SUBJECT, one) for one in trades], book.seq + len(trades))


def test_trades_that_follow_each_other_in_a_minute_are_folded_together(
    trade: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    fold_in_order = core.fold_in_order

    def noting(bar: Any, trades: Any, ts: int, n: int) -> bool:
        together.append(len(trades))
        return fold_in_order(bar, trades, ts, n)

    monkeypatch.setattr(core, "fold_in_order", noting)
    book = CandleBook()
    fold(book, *(trade(at, START + at) for at in range(1, 6)), trade(6, START + 5), trade(7, START + 6))
    fold(book, trade(8, START + 7), trade(9, START + MINUTE - 1), trade(10, START + MINUTE), trade(11, START + MINUTE))
    assert together == [4, 1, 2]
    assert book.counts.folded == 11
    assert book._waiting == []


def test_several_batches_of_one_minute_are_one_bar(trade: Make) -> None:
    book = CandleBook()
    for at in range(4):
        fold(book, trade(2 * at, START + 2 * at), trade(2 * at + 1, START + 2 * at + 1))
    (candle,) = book.list_current(TAIL, "1m")
    assert (candle.trades, candle.volume, book.counts.folded) == (8, "8", 8)
    assert msgspec.json.decode(book.save()[TAIL])["arrivals"] == 8


def test_of_trades_without_numbers_at_the_first_moment_the_first_that_came_opens(trade: Make) -> None:
    book = CandleBook()
    fold(book, trade(1, trade_id="a", price="1"), *(trade(at, START + at, trade_id="x", price="2") for at in (2, 3, 4)))
    fold(book, trade(9, trade_id="b", price="9"), trade(10, START + 4, trade_id="y", price="7"))
    (candle,) = book.list_current(TAIL, "1m")
    assert (candle.open, candle.close, candle.high) == ("1", "7", "9")


def test_an_instrument_of_which_only_ids_are_known_has_nothing_to_save(trade: Make) -> None:
    book = CandleBook()
    book.remember([(SUBJECT, trade(1))])
    book.save_again()
    assert book.save() == {}
    fold(book, trade(1), trade(2))
    book.save_again()
    again = CandleBook()
    again.restore(TAIL, book.save()[TAIL])
    assert again.save() == {}, "it is in the bucket as it is"
    assert [candle.trades for candle in again.list_current(TAIL, "1m")] == [1]


def test_of_a_stretch_nothing_was_folded_where_nothing_is_known_of_it(trade: Make) -> None:
    book = CandleBook()
    assert not fold_after(book, [(1, SUBJECT, trade(1))], {})
    assert (book.counts.folded, book.seq) == (1, 1)


def test_an_older_candle_takes_the_place_of_the_oldest_where_that_is_older_still() -> None:
    history = CandleHistory(keep=2)
    for minute in (5, 7, 6):
        history.save(TAIL, candle(minute))
    assert [one.start_ts // MINUTE - START // MINUTE for one in history.list_candles(TAIL, "1m")] == [6, 7]


def candle(minute: int) -> Any:
    prices = dict.fromkeys(("open", "high", "low", "close", "volume", "quote_volume"), "1")
    return FastCandle(
        id="",
        venue="binance",
        symbol="BTC/USDT",
        venue_symbol="BTCUSDT",
        ts_event=START,
        **{"ts_recv": START, "sim": False, "timeframe": "1m", "trades": 1, "closed": True, **prices},
        start_ts=START + minute * MINUTE,
    )


# ---- gaps of connections
def test_what_a_connection_serves_is_known_from_the_status_of_any_of_its_channels(status: Make) -> None:
    gaps = Gaps()
    serves = [fast(Served)(channels=["book", "trade"], symbols=["BTC/USDT"])]
    gaps.on_status(status("live", START, channel="book", connection="public.0:1", serves=serves))
    gaps.on_status(status("down", START + 5, channel="trade", connection="public.0:1"))
    assert gaps.list_spans("binance", "BTC/USDT", START + 9) == [(START + 5, START + 9)]
    assert gaps.list_spans("binance", "ETH/USDT", START + 9) == []
    gaps.on_status(status("down", START + 6, channel="book", connection="public.0:1", serves=serves))
    assert gaps.list_spans("binance", "BTC/USDT", START + 9) == [(START + 5, START + 9)]


def test_a_range_that_is_of_no_instrument_is_of_none(status: Make) -> None:
    gaps = Gaps()
    span = {"first_id": None, "last_id": None, "start_ts": START, "end_ts": START + 5, "trades": None}
    gaps.on_status(status("gap", START + 9, channel="trade", missing=[fast(TradeRange)(**span)]))
    assert gaps.list_spans("binance", "BTC/USDT", START + 20) == []


def test_the_book_says_what_its_ids_and_bars_take(trade: Make) -> None:
    book, other = CandleBook(), "md.v1.trade.binance.ETH.USDT.spot"
    assert book.sizes() == {"trade_ids": 0, "bars": 0}
    fold(book, trade(1, START), trade(2, START + MINUTE))
    assert not book.fold([(other, trade(3, START, symbol="ETH/USDT"))], 3)
    ids = []
    for numbers in ((1, 2), (3,)):
        seen = SeenIds(book.rules.remember)
        for number in numbers:
            seen.add(trade(number).id)
        ids.append(seen.size())
    assert book.sizes() == {"trade_ids": sum(ids), "bars": 1330 * 3}
    book.tick(START + 2 * MINUTE)
    assert book.sizes()["bars"] == 1330 * 3 + 690 * 14, "three of a minute, one of each other time frame"
