"""Candles as the market core answers with them: every one that an outage touched is flagged, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.market.candles.fetched import FetchCache
from consumers.market.candles.history import CandleSource
from consumers.market.candles.ohlc import Ohlc
from consumers.market.state import MarketState
from contracts import subjects
from contracts.instrument import make_instrument
from contracts.schema import literals
from contracts.services.market import OhlcQuery
from contracts.symbols import SymbolBook
from runtime.nats.bus import NoAnswerError
from tests.consumers.coverage.ledger import MINUTE, SECOND, START, Kept, status

FIRST = START - START % MINUTE
NOW = FIRST + 20 * MINUTE + 30 * SECOND


class Own:
    """Who makes candles, whole by its own word; no exchange answers."""

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        del payload, timeout
        if subject != subjects.CANDLES_LIST:
            raise NoAnswerError("nobody")
        figures = dict.fromkeys(("open", "high", "low", "close", "volume", "quote_volume"), "1")
        rows = [
            {"start_ts": FIRST + number * MINUTE, "closed": number < 20, "ts_recv": NOW, "sim": False, **figures}
            for number in range(21)
        ]
        return json.dumps({"candles": rows, "since_ts": FIRST - MINUTE}).encode()


async def ask(kept: Kept | None) -> list[bool]:
    return [item["whole"] for item in (await find(kept))["candles"]]


async def find(kept: Kept | None) -> dict[str, Any]:
    held: dict[str, bytes] = {}
    state = MarketState(held, 60 * SECOND, lambda: True)
    state.ledger = None if kept is None else kept.view
    state.save_symbols(SymbolBook([make_instrument("binance", "BTC/USDT", "BTCUSDT")]))
    source = CandleSource(Own(), FetchCache(enabled=False))
    query = OhlcQuery(symbol="BTC/USDT", timeframe="1m", limit=20, to=str((FIRST + 20 * MINUTE) // SECOND))
    composed: Any = await Ohlc(state, source).compose(query, NOW)
    answer: dict[str, Any] = json.loads(literals.template(composed.document).render(NOW))
    assert [item["source"] for item in answer["candles"]] == ["own"] * 20
    return answer


@pytest.mark.parametrize(
    ("start", "end", "touched"),
    [
        (3 * MINUTE + SECOND, 3 * MINUTE + 2 * SECOND, {3}),
        (3 * MINUTE + 59 * SECOND, 5 * MINUTE + SECOND, {3, 4, 5}),
        (7 * MINUTE, 8 * MINUTE, {7}),  # to the nanosecond
        (7 * MINUTE - 1, 8 * MINUTE + 1, {6, 7, 8}),
    ],
)
async def test_an_outage_flags_the_candles_that_it_touches(start: int, end: int, touched: set[int]) -> None:
    kept = Kept(FIRST - MINUTE)
    kept.say(status("down", FIRST + start), status("live", FIRST + end))
    kept.save(NOW)
    assert await ask(kept) == [number not in touched for number in range(20)]


async def test_what_was_filled_and_what_lies_before_the_ledger_is_whole_by_the_candles_own_word() -> None:
    kept = Kept(FIRST + 2 * MINUTE)
    lost = (FIRST + 5 * MINUTE, FIRST + 6 * MINUTE)
    kept.say(status("down", lost[0]), status("live", lost[1]))
    kept.say(status("live", lost[1] + SECOND, "trade", "BTC/USDT", filled=[lost]))
    kept.save(NOW)
    assert await ask(kept) == [True] * 20
    assert await ask(None) == [True] * 20


async def test_the_share_of_the_candles_time_that_was_received_is_said() -> None:
    kept = Kept(FIRST + 2 * MINUTE)
    kept.say(status("down", FIRST + 5 * MINUTE), status("live", FIRST + 8 * MINUTE))
    kept.save(NOW)
    assert (await find(kept))["coverage"] == {
        "percent": "75",
        "sampled": False,
    }  # of 20 minutes 2 are before it, 3 lost
    assert (await find(None))["coverage"] is None
