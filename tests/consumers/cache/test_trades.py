"""The recent trades as documents: the newest few and pages, which are the whole list again for whoever reads them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from consumers.cache.core import StateCache
from consumers.market.documents import decode, join_trades
from contracts import codec, subjects
from contracts.state import MOST_TRADES, TRADES_OF_PAGE, TradesState, find_page_place
from contracts.streams import PAGES_AGAIN, RECORDED_AGAIN

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
TAIL = "binance.BTC.USDT.spot"
TRADE = subjects.TRADE + TAIL
NEWEST = subjects.STATE_TRADE + TAIL
Make = Callable[..., Any]


class Bucket:
    """What was written, as a reader has it."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.bytes = 0

    def write(self, changed: dict[str, bytes | None]) -> list[str]:
        """Take what changed; return the keys of trades in the order in which they are written."""
        for key, body in changed.items():
            if body is None:
                self.held.pop(key, None)
            elif key.startswith("trade"):
                self.held[key] = body
                self.bytes += len(body)
        return [key for key in changed if key.startswith("trade")]

    def list_trades(self, newest: bytes | None = None) -> list[str]:
        """The ids of the recent trades, newest first, by the newest document or by the one that is given."""
        document = decode(subjects.STATE_TRADE, newest or self.held[NEWEST])
        places = [subjects.STATE_TRADES_PAGE + find_page_place(number, TAIL) for number in document.pages]
        pages = [decode(subjects.STATE_TRADES_PAGE, self.held[key]) if key in self.held else None for key in places]
        return [trade.trade_id for trade in join_trades(document, pages).trades]


def test_newest_and_pages_are_the_recent_trades_whatever_comes_late_or_is_restored(trade: Make) -> None:
    pick, cache, bucket = random.Random(7), StateCache(), Bucket()
    expected: list[tuple[int, int]] = []  # time and number, newest first
    for number in range(1, 600):
        late = pick.random() < 0.1
        ts = START + number * SECOND - (pick.randint(0, 80) * SECOND if late else 0)
        place = next((at for at, (other, _) in enumerate(expected) if other <= ts), len(expected)) if late else 0
        expected = [*expected[:place], (ts, number), *expected[place:]][:MOST_TRADES]
        cache.fold_trades([(TRADE, trade(number, ts, backfilled=late))], START)
        if pick.random() < 0.3:
            bucket.write(cache.drain(START))
            assert bucket.list_trades() == [str(one) for _, one in expected], number
        if pick.random() < 0.03:
            bucket.write(cache.drain(START))
            cache = StateCache()
            keys = list(bucket.held)
            pick.shuffle(keys)
            for key in keys:
                cache.restore(key, bucket.held[key])


def test_a_page_is_written_once_before_what_names_it_and_overwrites_none_that_is_named(trade: Make) -> None:
    cache, bucket = StateCache(), Bucket()
    for number in range(1, 200):
        before = bucket.held.get(NEWEST)
        shown = [] if before is None else bucket.list_trades()
        cache.fold_trades([(TRADE, trade(number))], START)
        changed = cache.drain(START)
        written = bucket.write({key: body for key, body in changed.items() if key != NEWEST})
        assert before is None or bucket.list_trades(before) == shown, "pages came before what names them"
        assert len(written) == (number > TRADES_OF_PAGE and number % TRADES_OF_PAGE == 1)
        assert bucket.write(changed)[-1] == NEWEST


def test_a_trade_costs_a_fifth_of_the_whole_list(trade: Make) -> None:
    cache, bucket = StateCache(), Bucket()
    trades = [trade(number) for number in range(1, 501)]
    for one in trades:
        cache.fold_trades([(TRADE, one)], START)
        bucket.write(cache.drain(START))
    whole = codec.encode(
        codec.fast(TradesState)(
            sim=False, venue="binance", symbol="BTC/USDT", trades=trades[:MOST_TRADES], quality="live"
        )
    )
    assert bucket.bytes / len(trades) < len(whole) / 5


def test_a_list_of_a_version_before_pages_is_taken_over(trade: Make) -> None:
    cache, bucket = StateCache(), Bucket()
    trades = [trade(number) for number in range(MOST_TRADES, 0, -1)]
    fields = {"sim": False, "venue": "binance", "symbol": "BTC/USDT", "trades": trades, "quality": "live"}
    old = codec.encode(codec.fast(TradesState)(**fields)).replace(b',"pages":[]', b"")
    assert b"pages" not in old
    bucket.held[NEWEST] = old
    assert len(bucket.list_trades()) == MOST_TRADES
    cache.restore(NEWEST, old)
    cache.fold_trades([(TRADE, trade(99, START + SECOND))], START)
    bucket.write(cache.drain(START))
    assert bucket.list_trades() == ["99", *(str(number) for number in range(MOST_TRADES, 1, -1))]


def test_each_page_is_written_again_after_a_while_and_leaves_with_its_instrument(trade: Make) -> None:
    cache, bucket = StateCache(instruments=1), Bucket()
    cache.fold_trades([(TRADE, trade(number)) for number in range(1, 40)], START)
    first = bucket.write(cache.drain(START))
    again = [key for second in range(1, PAGES_AGAIN + 1) for key in bucket.write(cache.drain(START + second * SECOND))]
    assert sorted(key for key in again if key != NEWEST) == sorted(first)[1:]
    assert again.count(NEWEST) >= PAGES_AGAIN // RECORDED_AGAIN
    for base in ("ETH", "SOL"):
        cache.fold_trades([(f"{subjects.TRADE}binance.{base}.USDT.spot", trade(1, symbol=f"{base}/USDT"))], START)
    bucket.write(cache.drain(START))
    assert not [key for key in bucket.held if key.endswith(TAIL)]


@pytest.mark.parametrize("number", [6, 12])
def test_a_place_that_holds_another_page_has_none_of_those_that_are_named(trade: Make, number: int) -> None:
    cache, bucket = StateCache(), Bucket()
    cache.fold_trades([(TRADE, trade(one)) for one in range(1, 22)], START)
    bucket.write(cache.drain(START))
    key = subjects.STATE_TRADES_PAGE + find_page_place(2, TAIL)
    bucket.held[key] = bucket.held[key].replace(b'"number":2', b'"number":%d' % (2 + number))
    assert bucket.list_trades() == ["21", *(str(one) for one in range(10, 0, -1))]
