"""Every market route answers a fixed state at a fixed time, byte for byte, as it did when the answers were recorded.

`python -m tests.api.test_golden_answers` records them again: only for a change of the answers that is meant.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpx
from starlette.types import Receive, Scope, Send

from api.http.app import make_app
from api.http.errors import error_reply
from api.http.responses import Reply as HttpReply
from api.market.answers import MarketAnswers
from api.market.routes import ROUTERS
from consumers.market import answering
from consumers.market.answering import Answer, Answerer, read_query
from consumers.market.answers.coverage import compose_coverage
from consumers.market.candles.fetched import FetchCache
from consumers.market.candles.history import CandleSource
from consumers.market.candles.ohlc import Ohlc
from consumers.market.core import VERBS
from consumers.market.liquidations.map import compose_map
from consumers.market.state import Reader
from contracts import subjects
from contracts.errors import HydrophoneError
from contracts.services.coverage import CoverageQuery
from contracts.services.market import LiquidationMapQuery, OhlcQuery
from runtime.app.commands import failure
from runtime.clients.market_client import MarketClient
from tests.consumers.market.recorded import GOLDEN, make_history, make_ledger, make_state, read_golden

SYMBOLS = [
    *("BTC", "ETH", "SOL", "btcusdt", "BTC%2FUSDT", "BTC/USD", "XBT", "BTC-USDC", "OLD", "BTC/IDR", "ETHBTC"),
    *("BTC/USDT:USDT", "BTC-PERPETUAL", "USDT", "%E5%B8%81%E5%AE%89", "QUIET", "NOPE", "", "%20", "x" * 65),
]
BY_QUERY = {
    "/gpt/raw": ["", "limit=5"],
    "/gpt/whale": [
        "",
        "limit=1",
        "limit=100",
        "min_usd=3000000",
        "min_usd=.5&limit=3",
        "min_usd=3000000.&limit=2",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "min_usd=-1",
        "min_usd=1e6",
        "min_usd=",
        "depth=3",
        "min_usd=.",
    ],
    "/gpt/liq": ["", "limit=1", "limit=100", "limit=101", "limit=%2B1", "exchange=binance"],
    "/gpt/liqmap": ["", "window=1h", "window=7d", "window=2h", "window=", "limit=1"],
    "/gpt/orderbook": [
        "",
        "depth=1",
        "depth=3",
        "depth=100",
        "depth=0",
        "depth=101",
        "exchange=bybit",
        "exchange=XX",
        "exchange=KRAKEN&depth=2",
        "exchange=deribit",
        "exchange=indodax",
        "exchange=",
        "limit=1",
    ],
    "/api/market/price": ["", "exchange=binance"],
    "/api/market/ohlc": [
        "",
        "limit=5",
        "limit=600&timeframe=1h",
        "timeframe=2h",
        "timeframe=1m&limit=3",
        "limit=1001",
        "exchange=okx&limit=4",
        "exchange=nope",
        "indicators=rsi,ema,macd,bollinger&limit=30",
        "indicators=RSI,rsi",
        "indicators=magic",
        "indicators=",
        "limit=60&indicators=bollinger,rsi",
        "from=1",
    ],
    "/api/market/coverage": [
        "",
        "step=1h&from=2000-01-01",
        "step=1h&from=1",
        "step=2h",
        "channel=liquidation",
        "channel=ticker",
        "venue=binance&step=1d",
        "venue=nope",
        "from=2100-01-01",
        "exchange=okx",
        "limit=5",
    ],
}
BY_PATH = {
    "/multi/ticker/": ["", "convert=true", "convert=0", "convert=maybe", "limit=1", "symbol=BTC"],
    "/multi/orderbook/": ["", "depth=1", "depth=2", "depth=100", "depth=500", "exchange=okx"],
    "/multi/trades/": ["", "limit=1", "limit=7", "limit=100", "limit=1000", "exchange=bybit", "exchange=xx", "a=b"],
}
PLAIN = [
    *("/multi/symbols", "/multi/symbols?listed=true", "/multi/symbols?listed=no", "/multi/symbols?exchange=okx"),
    *("/multi/symbols?exchange=nope", "/multi/symbols?exchange=huobi", "/multi/symbols?exchange=Kraken&listed=1"),
    *("/multi/health", "/multi/health?x=1", "/gpt/raw", "/gpt/whale", "/gpt/liq", "/gpt/orderbook"),
    "/gpt/liqmap",
    *("/api/market/price", "/api/market/ohlc", "/gpt/raw?symbol=BTC&symbol=ETH"),
]


def list_paths() -> list[str]:
    """Every route with every symbol, and every variation of its parameters with some of them."""
    paths = list(PLAIN)
    for route, variations in BY_QUERY.items():
        for number, variation in enumerate(variations):
            asked = SYMBOLS if number == 0 else SYMBOLS[:3]
            paths += [f"{route}?symbol={symbol}{'&' if variation else ''}{variation}" for symbol in asked]
    for route, variations in BY_PATH.items():
        for number, variation in enumerate(variations):
            asked = [symbol for symbol in SYMBOLS if symbol] if number == 0 else SYMBOLS[:3]
            paths += [f"{route}{symbol}{'?' if variation else ''}{variation}" for symbol in asked]
    return paths


class Replies:
    """The bus where it is asked for candles: what was recorded, cut to the span."""

    def __init__(self, replies: dict[str, Any]) -> None:
        self._replies = replies

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        del timeout
        query, reply = json.loads(payload), self._replies[subject]
        start, end = query.get("start_ts") or 0, query.get("end_ts") or 1 << 63
        rows = [row for row in reply["candles"] if start <= row["start_ts"] < end]
        return json.dumps({**reply, "candles": rows}).encode()


@dataclass(frozen=True)
class Reply:
    """A reply as the bus gives it."""

    data: bytes
    headers: Mapping[str, str]


class CoreBus:
    """The bus between the API and a market core over the recorded state."""

    connected = True

    def __init__(self, recorded: dict[str, Any], *, cut: bool) -> None:
        self.now_ns: int = recorded["now_ns"]
        state, _ = make_state(recorded, cut=cut)
        state.ledger = make_ledger(self.now_ns).view
        self._state, self._history = state, make_history(self.now_ns)
        self._answerer = Answerer(state)
        self._ohlc = Ohlc(state, CandleSource(Replies(recorded["replies"]), FetchCache(enabled=False)))

    async def request_message(self, subject: str, payload: bytes, timeout: float) -> Reply:
        del timeout
        verb = subject.removeprefix(subjects.MARKET_COMMAND)
        try:
            answer = await self._answer(verb, payload)
        except HydrophoneError as error:
            return Reply(failure(error.code, error.message, **error.details), {})
        return Reply(answer.body, answer.headers)

    async def _answer(self, verb: str, payload: bytes) -> Answer:
        if verb == "ohlc":
            composed = await self._ohlc.compose(read_query(OhlcQuery, payload), self.now_ns)
            return answering.encode(composed).render(self.now_ns)
        if verb == "coverage":
            composed = compose_coverage(Reader(self._state, self.now_ns), read_query(CoverageQuery, payload))
            return answering.encode(composed).render(self.now_ns)
        if verb == "liqmap":
            reader = Reader(self._state, self.now_ns)
            composed = compose_map(reader, read_query(LiquidationMapQuery, payload), self._history)
            return answering.encode(composed).render(self.now_ns)
        return self._answerer.answer(VERBS[verb].query, VERBS[verb].compose, payload, self.now_ns)


class World:
    """The recorded state, and the API over it; `cut`: as if the bus were away."""

    def __init__(self, recorded: dict[str, Any], *, cut: bool = False) -> None:
        self.now_ns: int = recorded["now_ns"]
        self._app = make_app(ROUTERS)
        client = MarketClient(CoreBus(recorded, cut=cut), enabled=False, now=lambda: 0.0)
        self.answers = self._app.state.market = MarketAnswers(client)

    async def answer(self, target: str) -> tuple[int, str]:
        """The answer to one GET as its route gives it; one that was good is given again without routing."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._serve), base_url="http://test") as client:
            routed = await client.get(target)
        assert await self._answer_known(target) in {None, (routed.status_code, routed.content)}, target
        return routed.status_code, routed.text

    async def _answer_known(self, target: str) -> tuple[int, bytes] | None:
        raw, _, query = target.partition("?")
        path = unquote(raw)
        known = self.answers.find(path, query.encode(), self.now_ns)
        if known is None:
            return None
        try:
            reply = known if isinstance(known, HttpReply) else await known
        except HydrophoneError as error:
            reply = error_reply(path, error, self.now_ns)
        return reply.status, reply.body

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["hydrophone.now_ns"] = self.now_ns
        await self._app(scope, receive, send)


async def answer_all(recorded: dict[str, Any]) -> dict[str, list[Any]]:
    """The status and the body of each path, and of some while the bus is away."""
    live, cut = World(recorded), World(recorded, cut=True)
    answers = {path: await live.answer(path) for path in list_paths()}
    answers |= {
        f"cut {path}": await cut.answer(path) for path in list_paths() if "symbol=BTC" in path or "multi" in path
    }
    return {path: [status, body] for path, (status, body) in answers.items()}


def write(name: str, document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (GOLDEN / name).write_bytes(gzip.compress(text.encode(), mtime=0))


async def test_every_market_route_answers_as_recorded() -> None:
    recorded = read_golden("answers.json.gz")
    answers = await answer_all(read_golden("state.json.gz"))
    assert answers.keys() == recorded.keys()
    for path, answer in answers.items():
        assert answer == recorded[path], path
    statuses = {status for status, _ in recorded.values()}
    assert statuses == {200, 400, 404}


async def test_what_was_valid_is_remembered_and_nothing_else() -> None:
    world = World(read_golden("state.json.gz"))
    for path in ("/gpt/raw?symbol=BTC", "/gpt/raw?symbol=NOPE", "/gpt/raw?symbol=", "/multi/ticker/BTC?convert=1"):
        await world.answer(path)
    assert len(world.answers) == 3


if __name__ == "__main__":
    write("answers.json.gz", asyncio.run(answer_all(read_golden("state.json.gz"))))
