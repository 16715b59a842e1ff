"""The venues' REST answers as CCXT reads them, of a paused market: trades by their ids, the book, the ticker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.peers import judging
from tests.peers.cases import Case
from tests.peers.judging import Score
from tests.peers.truth import Truth
from tests.peers.watching import Seen

LEVELS = 20


async def judge_rest(case: Case, exchange: Any, symbol: str, truth: Truth, score: Score) -> None:
    """Compare `fetch_ticker`, `fetch_tickers`, `fetch_order_book` and `fetch_trades` with the truth as it stands."""
    figures = judging.figures_of(truth, truth.moments[-1])
    one = await exchange.fetch_ticker(symbol)
    rows = [("one", name, theirs, one[name]) for name, theirs in case.rest.one.items()]
    if case.rest.all is not None:
        other = (await exchange.fetch_tickers([symbol]))[symbol]
        rows += [("of all", name, theirs, other[name]) for name, theirs in case.rest.all.items()]
    for which, name, theirs, found in rows:
        wanted = figures[theirs or name]
        score.note(f"{symbol} {which} {name}: {found}, truly {wanted}", is_right=found == wanted)
    limit = case.depth if case.book == "checksum" else LEVELS
    book = await exchange.fetch_order_book(symbol, limit)
    update_id = truth.listing.book.update_id
    for side, levels in zip(("bids", "asks"), truth.books({update_id})[update_id], strict=True):
        found = tuple((level[0], level[1]) for level in book[side])
        wanted = judging.numbers_of(truth, levels[:limit])
        score.note(f"{symbol} {side}: {found[:2]}, truly {wanted[:2]}", is_right=found[:limit] == wanted)
    if case.rest.has_trades:
        named = {name: getattr(case.rest, name) or getattr(case, name) for name in ("prints", "trade_id", "seen_id")}
        trades = await exchange.fetch_trades(symbol, None, case.rest.limit)
        count = len(trades)
        if case.rest.limit == LEVELS:
            score.note(f"{symbol}: {count} of {LEVELS} trades", is_right=count == LEVELS)
        judging.judge_trades(replace(case, **named), truth, Seen(trades=trades), score)
