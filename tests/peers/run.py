"""One case run: a simulator, CCXT Pro against it until it has seen enough, and the scores."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from producers.simulator.config import SimulatorConfig
from tests.peers import judging
from tests.peers.cases import Case
from tests.peers.judging import Score
from tests.peers.resting import judge_rest
from tests.peers.truth import WatchedSimulator
from tests.peers.watching import Seen, point, watch, watch_class

BASES = ("BTC", "DOGE")
KINDS = ("trades", "book", "checksum", "ticker", "rest")
ENOUGH = {"trades": 40, "books": 15, "tickers": 3}
LEAST_S, MOST_S = 3.0, 20.0


@dataclass(slots=True)
class Verdict:
    """The scores of one case, by kind, and the errors that CCXT raised."""

    scores: dict[str, Score] = field(default_factory=lambda: {kind: Score() for kind in KINDS})
    errors: list[str] = field(default_factory=list[str])


def find_sum(frame: Any) -> int | None:
    """Return the checksum that a frame of Kraken or Bitfinex carries."""
    if isinstance(frame, list):
        return frame[2] if frame[1:2] == ["cs"] else None
    rows = frame.get("data") if isinstance(frame, dict) and frame.get("channel") == "book" else None
    return rows[0].get("checksum") if isinstance(rows, list) else None


async def run_case(case: Case) -> Verdict:
    """Return how CCXT Pro's exchange agreed with the simulated venue."""
    seen = {symbol: Seen() for symbol in case.symbols}
    config = SimulatorConfig(seed=7, venues=(case.venue,), rate=case.rate, bases=BASES)
    async with WatchedSimulator(config) as simulator:
        exchange = watch_class(case.ccxt, seen, find_sum)(
            {"newUpdates": True, "enableRateLimit": False, **case.settings}
        )
        ws_url = simulator.ws_url(case.venue) + case.ws_path
        exchange.urls["api"] = point(exchange.urls["api"], simulator.rest_url(case.venue), ws_url)
        exchange.has["fetchCurrencies"] = False  # wallets, which a market's data needs nothing of
        tasks: list[asyncio.Task[None]] = []
        try:
            await exchange.load_markets()
            tasks = [asyncio.create_task(watch(exchange, symbol, seen[symbol])) for symbol in case.symbols]
            await _enough(seen)
            simulator.pause()
            verdict = Verdict()
            for symbol, (market, native) in case.symbols.items():
                truth = simulator.truths[case.venue, market, native]
                await judge_rest(case, exchange, symbol, truth, verdict.scores["rest"])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await exchange.close()
    _judge(case, simulator, seen, verdict)
    return verdict


async def _enough(seen: dict[str, Seen]) -> None:
    """Wait until there is enough of every kind and symbol, or until it is too late."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    while loop.time() < begin + MOST_S:
        await asyncio.sleep(0.1)
        is_enough = all(len(getattr(x, kind)) >= count for x in seen.values() for kind, count in ENOUGH.items())
        if (is_enough and loop.time() > begin + LEAST_S) or any(x.errors for x in seen.values()):
            return


def _judge(case: Case, simulator: WatchedSimulator, seen: dict[str, Seen], verdict: Verdict) -> None:
    steps = (judging.judge_trades, judging.judge_books, judging.judge_sums, judging.judge_tickers)
    for symbol, (market, native) in case.symbols.items():
        truth = simulator.truths[case.venue, market, native]
        for kind, step in zip(KINDS[:-1], steps, strict=True):
            step(case, truth, seen[symbol], verdict.scores[kind])
        verdict.errors.extend(f"{symbol} {error}" for error in seen[symbol].errors)
