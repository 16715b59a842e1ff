"""What consumers say that they keep is what it takes, and grows as that does."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from consumers.app import _Figures
from consumers.cache.core import StateCache
from consumers.candles.core import CandleBook
from consumers.candles.history import CandleHistory
from consumers.detectors.interest import InterestDetector
from consumers.detectors.rules import InterestRules
from consumers.market.liquidations.history import LiquidationHistory
from consumers.whales.core import WhaleDetector
from consumers.whales.rules import WhaleRules
from contracts import subjects
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import CELL, DatedRates
from contracts.codec import decode, fast
from contracts.market import Liquidation
from tests.consumers.conftest import SECOND, START, make_trade

GOLDEN = Path(__file__).parents[1] / "contracts" / "golden"
MINUTE = 60 * SECOND
WHALES = WhaleRules(tiers=Tiers(), limits=dict.fromkeys(("majors", "large", "mid"), Decimal(10**9)))
SYMBOLS = [f"B{number}/USDT" for number in range(10)]


def tail(symbol: str) -> str:
    return f"binance.{symbol.replace('/', '.')}.spot"


def trades(symbol: str, minutes: Iterable[int], each: int) -> list[tuple[str, Any]]:
    """Trades of some minutes in their order, with figures of usual length."""
    return [
        (
            subjects.TRADE + tail(symbol),
            make_trade(
                minute * each + number,
                START + minute * MINUTE + number * (MINUTE // each),
                id=f"{tail(symbol)}.trade.{minute * each + number}",
                symbol=symbol,
                price=f"{60_000 + minute * 7 + (number + 5) * 37 % 101}.{number:02}",
                amount=f"0.{number + 1:05}",
            ),
        )
        for minute in minutes
        for number in range(each)
    ]


def liquidations(count: int) -> list[tuple[str, Any]]:
    """Liquidations of ten bases, one a second."""
    found: list[tuple[str, Any]] = []
    for number in range(count):
        symbol, at = SYMBOLS[number % 10], START + number * SECOND
        values: dict[str, Any] = dict.fromkeys(Liquidation.model_fields)
        values |= {"id": f"{tail(symbol)}.liquidation.{number}", "venue": "binance", "symbol": symbol, "sim": False}
        values |= {"ts_event": at, "ts_recv": at, "price": f"{60_000 + number % 977}.5", "amount": "0.125"}
        values |= {"position_side": "long", "order_side": "sell", "sampled": False}
        found.append((subjects.LIQUIDATION + tail(symbol), fast(Liquidation)(**values)))
    return found


def fill_candles(book: CandleBook) -> None:
    for minute in range(20):
        for symbol in SYMBOLS:
            book.fold(trades(symbol, [minute], 30), 1)
        book.tick(START + (minute + 1) * MINUTE)


def fill_history(history: CandleHistory) -> None:
    book = CandleBook()
    for minute in range(300):
        book.fold([one for symbol in SYMBOLS[:4] for one in trades(symbol, [minute], 8)], 1)
        for subject, candle in book.tick(START + (minute + 5) * MINUTE):
            if candle.closed:
                history.save(subject.split(".", 4)[4], candle)


def fill_whales(detector: WhaleDetector) -> None:
    for symbol in SYMBOLS:
        detector.fold(trades(symbol, range(30), 30), 1, START + 30 * MINUTE)
    detector.tick(START + 40 * MINUTE)


def fill_rates(rates: DatedRates) -> None:
    for symbol in SYMBOLS:
        for number in range(400):
            rates.on_price(symbol, "USDT", f"{60_000 + number}.{number % 100:02}", START + number * CELL)


def fill_sums(cache: StateCache) -> None:
    cache.fold_liquidations(liquidations(6_000), 0)


def fill_lists_of_whales(cache: StateCache) -> None:
    """A hundred of each of ten bases as they come from the bus, of one trade or of several."""
    for number in range(1_200):
        symbol, one = SYMBOLS[number % 10], 242_720_720 + 4 * number
        ids = [f"{tail(symbol)}.trade.{one + trade}" for trade in range(1 + number // 10 % 3)]
        values = {"id": f"{tail(symbol)}.whale.{one}", "symbol": symbol, "trade_ids": ids}
        subject = subjects.WHALE + tail(symbol)
        whale = decode(subject, msgspec.json.encode({**golden("whale"), **values}))
        cache.fold_whales([(subject, whale)], number)


def fill_interest(detector: InterestDetector) -> None:
    """Open interest of ten contracts through 20 minutes as it comes from the bus, every 10 s."""
    for second in range(0, 1_200, 10):
        for symbol in SYMBOLS:
            place, at = tail(symbol).replace("spot", "perp"), START + second * SECOND
            values = {"id": f"{place}.interest.{at // 1_000_000}", "symbol": f"{symbol}:USDT", "venue": "binance"}
            times = {"ts_event": at, "ts_recv": at, "amount": f"51234.{second:04}"}
            body = msgspec.json.encode({**golden("interest"), **values, **times})
            detector.fold(decode(subjects.INTEREST + place, body))


def golden(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name}.v1.json").read_text())


def fill_liquidations(history: LiquidationHistory) -> None:
    for subject, event in liquidations(6_000):
        history.fold(subject, event)


def sizes_of(kept: Any) -> int:
    return sum(kept.sizes().values()) if hasattr(kept, "sizes") else kept.size()


def taken_by(make: Callable[[], Any], fill: Callable[[Any], None]) -> tuple[int, int]:
    """The bytes that allocators give for what was filled, and those that it says."""
    fill(make())  # what is made once is made
    gc.collect()
    tracemalloc.start()
    try:
        kept = make()
        fill(kept)
        gc.collect()
        return sum(given(trace.size) for trace in tracemalloc.take_snapshot().traces), sizes_of(kept)
    finally:
        tracemalloc.stop()


def given(size: int) -> int:
    """What an allocator gives for so many bytes: the next sixteen, and from 512 on eight more for itself."""
    return -(-(size + (8 if size > 512 else 0)) // 16) * 16


CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "candles, ids and bars": (CandleBook, fill_candles),
    "closed candles": (CandleHistory, fill_history),
    "whales": (lambda: WhaleDetector(WHALES), fill_whales),
    "rates": (DatedRates, fill_rates),
    "sums of liquidations": (StateCache, fill_sums),
    "liquidations": (LiquidationHistory, fill_liquidations),
    "lists of whales": (StateCache, fill_lists_of_whales),
    "open interest": (lambda: InterestDetector(InterestRules()), fill_interest),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_is_taken(name: str) -> None:
    taken, said = taken_by(*CASES[name])
    print(f"{name}: {taken} bytes taken, {said} said")
    assert 0.87 * taken < said < 1.05 * taken


def test_figures_name_consumer_and_kind_and_are_the_newest() -> None:
    registry = CollectorRegistry()
    figures, kept = _Figures.on(registry), {"ids": 10}
    figures.kept.add("whales", lambda: {"ids": 7})
    figures.kept.add("whales", lambda: kept)
    kept["ids"] = 11
    assert 'hydrophone_consumer_kept_bytes{consumer="whales",kind="ids"} 11.0' in generate_latest(registry).decode()
