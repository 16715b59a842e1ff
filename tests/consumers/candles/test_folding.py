"""How trades are folded: those that follow each other together, numbered as they arrive, and nothing waits after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from consumers.candles import core
from consumers.candles.core import CandleBook

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
