"""Candles over HTTP: ours first, the exchange's for what we lack, and plain words where nobody answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio
from nats.aio.subscription import Subscription

from api.market.schemas import OhlcAnswer
from consumers.market.candles.fetched import FetchCache
from contracts import subjects
from contracts.market import Candle
from contracts.services.candles import CandlesReply, HistoryQuery, HistoryReply
from contracts.timeframes import HOUR, find_start
from runtime.app.commands import failure
from runtime.clock import now_ns
from tests.api.world import Api, Start, Store, origin
from tests.serving import serve

pytestmark = pytest.mark.nats


def candle(start: int, close: str, **parts: Any) -> Candle:
    fields = {
        **origin("binance", "BTC/USDT"),
        "timeframe": "1h",
        "open": "100.10",
        "high": "200",
        "low": "50",
        "close": close,
        "volume": "1.50",
        "quote_volume": None,
        "trades": None,
        "closed": True,
        "start_ts": start,
        **parts,
    }
    return Candle.model_validate(fields)


@dataclass
class World:
    """Both sides that know candles: what they will say, and what they were asked."""

    store: Store
    own: CandlesReply | None = None
    past: HistoryReply | bytes | None = None
    asked: list[HistoryQuery] = field(default_factory=list)
    served: list[Subscription] = field(default_factory=list)

    async def serve(self) -> None:
        bus = self.store.bus
        if self.own is not None:
            self.served.append(await serve(bus, subjects.CANDLES_LIST, self._own))
        if self.past is not None:
            self.served.append(await serve(bus, subjects.HISTORY_CANDLES, self._past))
        await bus.client.flush()

    async def _own(self, _body: bytes) -> bytes:
        assert self.own is not None
        return self.own.model_dump_json().encode()

    async def _past(self, body: bytes) -> bytes:
        query = HistoryQuery.model_validate_json(body)
        self.asked.append(query)
        if isinstance(self.past, bytes):
            return self.past
        assert self.past is not None
        rows = [item for item in self.past.candles if query.start_ts <= item.start_ts < query.end_ts]
        return HistoryReply(candles=rows).model_dump_json().encode()


@pytest_asyncio.fixture
async def world(store: Store) -> AsyncGenerator[World]:
    await store.put_ticker("binance", "BTC/USDT", "100", volume_24h="10")
    await store.put_ticker("bybit", "BTC/USDT", "100", volume_24h="5")
    made = World(store)
    yield made
    for subscription in made.served:
        await subscription.unsubscribe()
    await store.bus.client.flush()


def body(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


async def ohlc(api: Api, query: str = "symbol=BTC&timeframe=1h&limit=4") -> dict[str, Any]:
    return body(await api.get(f"/api/market/ohlc?{query}"))


def closes(said: dict[str, Any]) -> list[tuple[int, str, bool]]:
    return [(int(bar["close"]), bar["source"], bar["whole"]) for bar in said["candles"]]


async def test_our_candles_are_continued_backwards_by_the_exchanges(world: World, start: Start) -> None:
    last = find_start("1h", now_ns())
    ours = [candle(last - HOUR, "7"), candle(last, "8", closed=False, trades=3, quote_volume="150.15")]
    world.own = CandlesReply(candles=ours, since_ts=last - HOUR)
    world.past = HistoryReply(candles=[candle(last - back * HOUR, str(90 - back)) for back in (4, 3, 2, 1)])
    await world.serve()
    api = await start()
    answer = await api.get("/api/market/ohlc?symbol=BTC&timeframe=1h&limit=4")
    said = body(answer)
    assert closes(said) == [(87, "exchange", True), (88, "exchange", True), (7, "own", True), (8, "own", True)]
    assert (said["complete"], said["holes"], said["reasons"]) == (True, [], [])
    assert (said["symbol"], said["exchange"], said["instrument"]) == ("BTC", "binance", "BTC/USDT")
    assert (said["quality"], said["sim"], said["timeframe"]) == ("live", False, "1h")
    assert 0 <= said["age"] < 10
    assert '"open":100.10,"high":200,"low":50,"close":8,"volume":1.50,"quote_volume":150.15,"trades":3' in answer.text
    assert [bar["closed"] for bar in said["candles"]] == [True, True, True, False]
    assert {query.venue for query in world.asked} == {"binance"}


async def test_without_anybody_for_the_past_the_answer_says_what_it_lacks(world: World, start: Start) -> None:
    last = find_start("1h", now_ns())
    world.own = CandlesReply(candles=[candle(last - HOUR, "7"), candle(last, "8")], since_ts=last - HOUR + 5)
    await world.serve()
    said = await ohlc(await start())
    assert closes(said) == [(7, "own", False), (8, "own", True)]
    assert said["complete"] is False
    assert [(hole["count"], hole["reason"]) for hole in said["holes"]] == [(2, "unknown")]
    assert any("nobody serves it" in reason for reason in said["reasons"])


async def test_the_exchange_alone_is_enough(world: World, start: Start) -> None:
    last = find_start("1h", now_ns())
    world.past = HistoryReply(candles=[candle(last - back * HOUR, str(back + 1)) for back in (3, 2, 1, 0)])
    await world.serve()
    said = await ohlc(await start())
    assert [close for close, _, _ in closes(said)] == [4, 3, 2, 1]
    assert said["complete"] is True
    assert any(reason.startswith("own candles:") for reason in said["reasons"])


@pytest.mark.parametrize(
    ("past", "status", "code"),
    [
        (None, 503, "NOT_READY"),
        (failure("VENUE_ERROR", "the venue is being repaired"), 502, "VENUE_ERROR"),
        (failure("VENUE_TIMEOUT", "the venue is slow"), 504, "TIMEOUT"),
    ],
)
async def test_nothing_at_all_is_a_refusal_that_says_who_failed(
    world: World, start: Start, past: bytes | None, status: int, code: str
) -> None:
    world.past = past
    await world.serve()
    answer = await (await start()).get("/api/market/ohlc?symbol=BTC")
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_a_venue_that_fails_leaves_our_own_candles(world: World, start: Start) -> None:
    last = find_start("1h", now_ns())
    world.own = CandlesReply(candles=[candle(last, "8")], since_ts=last - 1)
    world.past = failure("VENUE_ERROR", "the venue is being repaired")
    await world.serve()
    said = await ohlc(await start())
    assert closes(said) == [(8, "own", True)]
    assert said["complete"] is False
    assert said["reasons"] == ["history of binance: VENUE_ERROR: the venue is being repaired"]


async def test_history_is_asked_for_once_by_many_and_kept(world: World, start: Start) -> None:
    last = find_start("1h", now_ns())
    world.past = HistoryReply(candles=[candle(last - back * HOUR, "1") for back in range(900)])
    await world.serve()
    api = await start()
    many = await asyncio.gather(*(ohlc(api, f"symbol=BTC&timeframe=1h&limit={limit}") for limit in (3, 4, 5, 6)))
    assert [len(said["candles"]) for said in many] == [3, 4, 5, 6]
    spans = [(query.start_ts, query.end_ts) for query in world.asked]
    assert len(spans) == len(set(spans)) <= 2
    await ohlc(api, "symbol=BTC&timeframe=1h&limit=7")  # a question that the API itself has no answer of
    assert len(world.asked) == len(spans)
    asked = await api.until("/health/cache", lambda answer: answer.json()["fetched"]["entries"] >= 1)
    cache = asked.json()["fetched"]
    assert cache["entries"] >= 1
    assert cache["hits"] >= 1


async def test_indicators_begin_before_the_first_candle_shown_and_are_null_without_enough(
    world: World, start: Start
) -> None:
    last = find_start("1h", now_ns())
    world.past = HistoryReply(candles=[candle(last - back * HOUR, str(300 - back)) for back in range(25)])
    await world.serve()
    api = await start()
    said = await ohlc(api, "symbol=BTC&timeframe=1h&limit=10&indicators=rsi,macd,ema,bollinger")
    reported = said["indicators"]
    assert len(said["candles"]) == 10
    assert reported["rsi"] == [100] * 10  # it only rises
    assert reported["ema"][:4] == [None] * 4
    assert reported["ema"][4:6] == [Decimal("285.5"), Decimal("286.5")]  # the mean of 276 to 295, and one more
    assert reported["bollinger"]["middle"] == reported["ema"]
    assert reported["macd"] == {"macd": [None] * 10, "signal": [None] * 10, "histogram": [None] * 10}
    assert "indicators" not in await ohlc(api)


@pytest.mark.parametrize("form", ["iso", "seconds", "milliseconds"])
async def test_a_span_is_answered_whatever_form_its_times_have(world: World, start: Start, form: str) -> None:
    last = find_start("1h", now_ns())
    world.past = HistoryReply(candles=[candle(last - back * HOUR, str(300 - back)) for back in range(60)])
    world.own = CandlesReply(candles=[candle(last - 40 * HOUR, "7")], since_ts=last - 40 * HOUR)
    await world.serve()
    api = await start()

    def write(back: int) -> str:
        seconds = (last - back * HOUR) // 10**9
        return {
            "iso": datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z"),
            "seconds": str(seconds),
            "milliseconds": str(seconds * 1000),
        }[form]

    said = await ohlc(api, f"symbol=BTC&timeframe=1h&limit=4&from={write(42)}&to={write(2)}&indicators=sma,vwap")
    assert closes(said) == [(258, "exchange", True), (259, "exchange", True), (7, "own", True), (261, "exchange", True)]
    assert said["complete"] is True
    assert [len(said["indicators"][name]) for name in ("sma", "vwap")] == [4, 4]
    newest = await ohlc(api, f"symbol=BTC&timeframe=1h&limit=2&to={write(2)}")
    assert [int(bar["close"]) for bar in newest["candles"]] == [296, 297]
    until = await ohlc(api, f"symbol=BTC&timeframe=1h&from={write(1)}")
    assert [int(bar["close"]) for bar in until["candles"]] == [299, 300]
    none = await ohlc(api, "symbol=BTC&from=2250-01-01&indicators=rsi,macd,vwap")
    assert (none["candles"], none["complete"], none["age"]) == ([], True, None)
    assert OhlcAnswer.model_validate(none).indicators is not None


async def test_an_exchange_that_was_named_is_asked(world: World, start: Start) -> None:
    world.past = HistoryReply(candles=[])
    await world.serve()
    said = await ohlc(await start(), "symbol=BTC/USDT&exchange=bybit&limit=2")
    assert (said["exchange"], said["candles"], said["quality"], said["age"]) == ("bybit", [], "stale", None)
    assert {query.venue for query in world.asked} == {"bybit"}
    assert [hole["reason"] for hole in said["holes"]] == ["no_trades"]


WRONG = [
    ("timeframe=1h", "symbol"),
    ("symbol=BTC&timeframe=7m", "timeframe"),
    ("symbol=BTC&limit=1001", "limit"),
    ("symbol=BTC&limit=0", "limit"),
    ("symbol=BTC&indicators=rsi,magic", "indicators"),
    ("symbol=BTC&depth=3", "depth"),
    ("symbol=BTC&from=yesterday", "from"),
    ("symbol=BTC&to=99999999999999999999", "to"),
    ("symbol=BTC&from=2026-01-02&to=2026-01-01T00:00:00Z", "to"),
    ("symbol=BTC&from=2026-01-02&to=2026-01-02", "to"),
]


async def test_a_wrong_parameter_of_candles_is_named(world: World, start: Start) -> None:
    api = await start()
    for query, parameter in WRONG:
        answer = await api.get(f"/api/market/ohlc?{query}")
        assert (query, answer.status_code, answer.json()["error"]) == (query, 400, "INVALID_PARAMETER")
        assert f"parameter: {parameter}" in answer.json()["detail"]
    assert (await api.get("/api/market/ohlc?symbol=NOSUCH")).status_code == 404


# ---- what is fetched
async def test_who_stops_waiting_does_not_end_the_call_for_others() -> None:
    cache, go = FetchCache(), asyncio.Event()

    async def fetch() -> int:
        await go.wait()
        return 7

    first = asyncio.ensure_future(cache.get("a", fetch, lambda _: 60.0))
    second = asyncio.ensure_future(cache.get("a", fetch, lambda _: 60.0))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.wait_for(second, 5) == 7
    assert (cache.misses, first.cancelled()) == (1, True)


async def test_entries_are_bounded_expire_and_are_not_kept_where_that_is_off() -> None:
    calls: list[str] = []

    def fetched(key: str) -> Any:
        async def fetch() -> str:
            calls.append(key)
            return key

        return fetch

    cache = FetchCache(most=2)
    for key in ("a", "b", "c", "b", "a"):
        assert await cache.get(key, fetched(key), lambda _: 60.0) == key
    assert calls == ["a", "b", "c", "a"]
    for off in (FetchCache(enabled=False), FetchCache()):
        calls.clear()
        for _ in range(2):
            await off.get("x", fetched("x"), lambda _: 0.0)
        assert calls == ["x", "x"]
