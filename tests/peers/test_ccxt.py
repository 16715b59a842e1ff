"""CCXT Pro reads every simulated venue that it speaks, and what it gives equals the simulator's truth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ccxt.pro
import pytest

from producers.simulator.config import SimulatorConfig
from producers.simulator.registry import VENUES
from tests.peers import judging
from tests.peers.cases import CASES, Case
from tests.peers.conftest import PROPERTY
from tests.peers.judging import Score
from tests.peers.run import run_case
from tests.peers.truth import Truth, WatchedSimulator
from tests.peers.watching import Seen, SeenBook

LEAST = {"trades": 40, "book": 10, "checksum": 0, "ticker": 3, "rest": 10}
SUMMED = {"kraken": 10, "bitfinex": 2}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.ccxt)
async def test_ccxt_pro_gives_what_the_simulated_exchange_did(
    case: Case, record_property: Callable[[str, Any], None]
) -> None:
    verdict = await run_case(case)
    cells = {kind: f"{score.agreed}/{score.compared}" for kind, score in verdict.scores.items() if score.compared}
    record_property(PROPERTY, ("CCXT Pro", case.ccxt, cells, case.note))
    wrong = [f"{kind}: {text}" for kind, score in verdict.scores.items() for text in score.wrong]
    assert not verdict.errors
    assert not wrong, "\n".join(wrong)
    least = LEAST | {"checksum": SUMMED.get(case.ccxt, 0)} | ({"book": 2} if case.ccxt == "bitfinex" else {})
    assert {kind: score.compared for kind, score in verdict.scores.items() if score.compared < least[kind]} == {}


def test_every_simulated_venue_that_ccxt_pro_speaks_is_judged() -> None:
    spoken = {name for name in VENUES if name in ccxt.pro.exchanges}
    assert spoken == {case.venue for case in CASES}
    assert set(VENUES) - spoken == {"indodax"}  # CCXT reads its REST only


async def test_the_judge_sees_a_lost_trade_a_wrong_level_and_a_wrong_figure() -> None:
    """What was changed on the way does not agree: the figures above mean something."""
    case = next(case for case in CASES if case.ccxt == "binance")
    market, native = case.symbols["BTC/USDT"]
    config = SimulatorConfig(seed=7, venues=(case.venue,), rate=case.rate, bases=("BTC",))
    async with WatchedSimulator(config) as simulator:
        truth = simulator.truths[case.venue, market, native]
        while len(truth.trades) < len(truth.listing.recent) + 20:  # noqa: ASYNC110 - the market moves by itself
            await asyncio.sleep(0.05)
        simulator.pause()
    terms, moment = truth.listing.instrument, truth.moments[-1]
    trades = [
        {
            "id": str(trade.id),
            "price": float(terms.price_text(trade.price)),
            "amount": float(terms.amount_text(trade.amount)),
            "side": "buy" if trade.taker_buys else "sell",
            "timestamp": trade.ts_us // 1000,
            "info": {},
        }
        for trade in truth.trades[-10:]
    ]
    sides = [
        [list(level) for level in judging.numbers_of(truth, levels)]
        for levels in truth.books({moment.update_id})[moment.update_id]
    ]
    ticker = {**judging.figures_of(truth, moment), "timestamp": moment.now_ms, "info": {}}
    seen = Seen(trades=trades, books=[SeenBook({}, moment.update_id, None, *sides)], tickers=[ticker])
    assert _scores(case, truth, seen) == [(10, 10), (1, 1), (1, 1)]
    trades.pop(5)
    sides[0][0][1] += 0.1
    ticker["last"] = 0.01
    assert _scores(case, truth, seen) == [(9, 10), (0, 1), (0, 1)]


def _scores(case: Case, truth: Truth, seen: Seen) -> list[tuple[int, int]]:
    scores = [Score(), Score(), Score()]
    for step, score in zip((judging.judge_trades, judging.judge_books, judging.judge_tickers), scores, strict=True):
        step(case, truth, seen, score)
    return [(score.agreed, score.compared) for score in scores]
