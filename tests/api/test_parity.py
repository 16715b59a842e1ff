"""One question, four faces: REST, GraphQL, MCP and the bus itself give the same numbers at one moment."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_leaf_type

from api.graphql.schema import make_schema
from api.http.access.limits import Limit, Limits
from contracts import subjects
from contracts.market import Candle
from contracts.services.candles import CandlesQuery, CandlesReply
from contracts.state import TradesState
from contracts.timeframes import find_start
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from tests.api.test_graphql import LIQUIDATION
from tests.api.world import READ_KEY, Api, Start, Store, origin, whale
from tests.consumers.market.recorded import list_liquidations
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(600)]
TRIES = 5
ON_GRAPHQL = {"raw", "ticker", "whale", "liq", "liqmap", "orderbook", "ohlc", "coverage"}
SEED = 20_261_126
HOUR_NS = 3_600_000_000_000
MANY = Limits(*(Limit(name, 10_000_000, 60) for name in ("key", "ip", "anonymous-ip", "global")))
OF_THE_MOMENT = {"age", "data_age", "last_message_age", "last_message_ages", "timestamp"}
SYMBOLS = (
    "BTC",
    "ETH",
    "BTC/USDT",
    "btcusdt",
    "ETH/USDT",
    "ETH/BTC",
    "BTC/USD",
    "BTC/USDT:USDT",
    "NOPE",
    "",
)
SCHEMA: Any = make_schema()._schema
TOOLS = {
    "raw": "get_snapshot",
    "price": "get_price",
    "whale": "get_whale_trades",
    "liq": "get_liquidations",
    "liqmap": "get_liquidation_map",
    "orderbook": "get_order_book",
    "ohlc": "get_candles",
    "coverage": "get_coverage",
    "health": "get_exchange_health",
}
PATHS = {
    "raw": "/gpt/raw",
    "price": "/api/market/price",
    "whale": "/gpt/whale",
    "liq": "/gpt/liq",
    "liqmap": "/gpt/liqmap",
    "orderbook": "/gpt/orderbook",
    "ohlc": "/api/market/ohlc",
    "coverage": "/api/market/coverage",
    "symbols": "/multi/symbols",
    "health": "/multi/health",
}
PATHS_OF_A_SYMBOL = {"ticker": "/multi/ticker/", "multi_orderbook": "/multi/orderbook/", "trades": "/multi/trades/"}
FIELDS = {
    "raw": "marketData",
    "ticker": "price",
    "whale": "whaleTransactions",
    "liq": "liquidations",
    "liqmap": "liquidationMap",
    "ohlc": "candles",
}
AS_A_LIST = {"whale": "whales", "trades": "trades", "symbols": "symbols"}  # what `data` of REST is
FILTERS = {"min_usd": "minUsdValue", "min_spread": "minSpread"}


@dataclass(frozen=True)
class Question:
    """A verb with its parameters."""

    verb: str
    parameters: dict[str, Any]


def number(chance: random.Random) -> str:
    return f"{chance.randint(1, 99999)}.{chance.randint(0, 10**18):018d}"


async def fill(store: Store, chance: random.Random) -> None:
    """Put what the consumers would have written, with numbers that no float holds."""
    for venue, symbol in store.tails:
        parts = {name: number(chance) for name in ("bid", "ask", "volume_24h", "high_24h", "low_24h")}
        change = f"-{chance.randint(0, 9)}.{chance.randint(0, 10**9):09d}"
        age = chance.choice([0.0, 0.0, 0.0, 7200.0])
        await store.put_ticker(venue, symbol, number(chance), change_24h=change, age=age, **parts)
        bids = [(f"{900 - at}.{chance.randint(0, 10**12):012d}", number(chance)) for at in range(30)]
        asks = [(f"{910 + at}.{chance.randint(0, 10**12):012d}", number(chance)) for at in range(30)]
        await store.put_book(venue, symbol, {"bids": bids, "asks": asks})
    for venue in ("binance", "bybit"):
        await store.put_feed(venue)
    await store.put_contract("binanceusdm", "BTC/USDT:USDT")
    sides = ("buy", "sell")
    trades = [whale("binance", "BTC/USDT", number(chance), side=chance.choice(sides), id=f"w{at}") for at in range(40)]
    await store.put_whales("BTC", trades)
    forced = [
        {
            **LIQUIDATION,
            "id": f"l{at}",
            "price": number(chance),
            "usd_value": chance.choice([None, number(chance)]),
            "position_side": chance.choice(["long", "short", None]),
        }
        for at in range(40)
    ]
    await store.put_liquidations("BTC", forced)
    await store.publish_liquidations(list_liquidations(now_ns(), 400, 1440))
    for venue in ("binance", "bybit"):
        fields = {**origin(venue, "BTC/USDT"), "contracts": None, "side": chance.choice([*sides, None])}
        prints = [
            {**fields, "id": f"t{at}", "trade_id": str(at), "price": number(chance), "amount": number(chance)}
            for at in range(40)
        ]
        state = {"venue": venue, "symbol": "BTC/USDT", "trades": prints, "quality": "live", "sim": False}
        document = TradesState.model_validate(state)
        await store.put(f"trade.{store.tails[venue, 'BTC/USDT']}", document.model_dump_json().encode())


async def serve_candles(bus: Bus, chance: random.Random) -> None:
    """Reply to whoever asks for candles as the candles consumer would, for one instrument."""
    last = find_start("1h", now_ns())
    rows = [
        Candle.model_validate(
            {
                **origin("binance", "BTC/USDT"),
                **{name: number(chance) for name in ("open", "high", "low", "close", "volume", "quote_volume")},
                "timeframe": "1h",
                "trades": chance.randint(1, 10**6),
                "closed": back > 0,
                "start_ts": last - back * HOUR_NS,
            }
        )
        for back in range(1010, -1, -1)
    ]

    async def own(body: bytes) -> bytes:
        query = CandlesQuery.model_validate_json(body)
        known = query.venue == "binance" and query.symbol == "BTC/USDT" and query.timeframe == "1h"
        found = rows[-query.limit :] if known else []
        return CandlesReply(candles=found, since_ts=rows[0].start_ts).model_dump_json().encode()

    await serve(bus, subjects.CANDLES_LIST, own)


def ask(chance: random.Random) -> Question:
    """Return a random question, now and then one that is refused."""
    verb = chance.choice([*PATHS, *PATHS_OF_A_SYMBOL])
    if verb == "health":
        return Question(verb, {})
    parameters: dict[str, Any] = {"symbol": chance.choice(SYMBOLS)}
    if verb == "ohlc":
        parameters["timeframe"] = chance.choice(["1h", "1h", "1h", "7m"])
    if verb == "coverage":
        end = now_ns() // 10**9 - 60
        parameters |= {"from": str(end - 600), "to": str(end)}
    options: dict[str, list[Any]] = {
        "coverage": [("venue", ["binance", "binance", "nope"]), ("channel", ["trade", "book"])],
        "whale": [("limit", range(1, 102)), ("min_usd", range(1, 99999)), ("side", ["buy", "sell"])],
        "liq": [("limit", range(1, 102)), ("min_usd", range(1, 99999)), ("side", ["long", "short", "buy", "sell"])],
        "liqmap": [("window", ["1h", "7d", "2h"])],
        "ohlc": [("limit", range(1, 1002))],
        "multi_orderbook": [("depth", range(1, 102))],
        "trades": [("limit", range(1, 102)), ("exchange", ["binance", "okx", "nope"])],
        "symbols": [("exchange", ["binance", "okx", "nope"])],
        "orderbook": [("depth", range(1, 102)), ("min_spread", range(1, 20)), ("exchange", ["binance", "okx", "nope"])],
    }
    for name, values in options.get(verb, []):
        if chance.random() < 0.5:
            found = chance.choice(values)
            parameters[name] = str(found) if name.startswith("min_") else found
    return Question(verb, parameters)


def read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def timeless(value: Any) -> Any:
    """Return a document without what differs from one moment to the next."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in OF_THE_MOMENT}
    return [timeless(item) for item in value] if isinstance(value, list) else value


async def by_rest(api: Api, question: Question) -> Any:
    parameters = dict(question.parameters)
    if question.verb in PATHS_OF_A_SYMBOL:
        path = f"{PATHS_OF_A_SYMBOL[question.verb]}{parameters.pop('symbol') or '%20'}"
    else:
        path = PATHS[question.verb]
    answer = await api.client.get(path, params=parameters, headers={"Authorization": f"Bearer {READ_KEY}"})
    body = read(answer.text)
    if answer.status_code != 200:
        return body["error"]["code"] if isinstance(body["error"], dict) else body["error"]
    return body.get("data", body)


async def by_mcp(api: Api, question: Question) -> Any:
    call = {"name": TOOLS[question.verb], "arguments": question.parameters}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"Authorization": f"Bearer {READ_KEY}", "accept": "application/json, text/event-stream"}
    answer = await api.client.post("/mcp", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    result = read(answer.text)["result"]
    assert read(result["content"][0]["text"]) == result["structuredContent"]
    return result["structuredContent"]["error"]["code"] if result.get("isError") else result["structuredContent"]


async def by_graphql(api: Api, question: Question) -> Any:
    field = FIELDS.get(question.verb, question.verb)
    type_ = get_named_type(SCHEMA.query_type.fields[field].type)
    parameters = dict(question.parameters)
    arguments = {"symbol": parameters.pop("symbol")}
    if question.verb in {"ohlc", "liqmap"}:
        arguments |= parameters
        parameters = {}
    chosen = {FILTERS.get(name, name): value for name, value in parameters.items()}
    for name in FILTERS.values():
        if name in chosen:
            chosen[name] = float(chosen[name])
    if chosen:
        arguments["filter"] = chosen
    text = ", ".join(f"{name}: {literal(value)}" for name, value in arguments.items())
    query = f"{{ {field}({text}) {select(type_)} }}"
    answer = await api.client.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {READ_KEY}"})
    assert answer.status_code == 200, answer.text
    body = read(answer.text)
    if body.get("errors"):
        return body["errors"][0]["extensions"]["code"]
    return body["data"][field]


def literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)


def select(type_: GraphQLObjectType) -> str:
    """Return every field of a type under the name that the replies have."""
    chosen: list[str] = []
    for name, field in type_.fields.items():
        if field.args or (field.description or "").startswith("The same as"):
            continue
        named = get_named_type(get_nullable_type(field.type))
        chosen.append(name if is_leaf_type(named) else f"{name} {select(named)}")
    return "{ " + " ".join(chosen) + " }"


async def by_bus(bus: Bus, question: Question) -> Any:
    body = json.dumps(question.parameters).encode()
    message = await bus.client.request(f"cmd.v1.market.{question.verb}", body, timeout=10)
    reply = read(message.data.decode())
    return reply["error"]["code"] if set(reply) == {"error"} else reply


def find_differences(reply: Any, other: Any, at: str = "$") -> list[str]:
    """Compare what a face says with the core's reply, member by member; what a face leaves out is no difference."""
    if isinstance(reply, dict) and isinstance(other, Mapping):
        shared = [name for name in other if name in reply]
        return [found for name in shared for found in find_differences(reply[name], other[name], f"{at}.{name}")]
    if isinstance(reply, list) and isinstance(other, list):
        if len(reply) != len(other):
            return [f"{at}: {len(reply)} items, {len(other)}"]
        pairs = enumerate(zip(reply, other, strict=True))
        return [found for index, (one, two) in pairs for found in find_differences(one, two, f"{at}[{index}]")]
    return [] if reply == other else [f"{at}: {reply!r:.60}, {other!r:.60}"]


def as_graphql(question: Question, reply: Any) -> Any:
    """Return the part of the core's reply that a GraphQL field has."""
    if isinstance(reply, str):
        return reply
    part = {"whale": "whales", "liq": "recent", "ohlc": "candles"}.get(question.verb)
    return reply if part is None else reply[part]


def as_rest(question: Question, reply: Any) -> Any:
    return reply if isinstance(reply, str) or question.verb not in AS_A_LIST else reply[AS_A_LIST[question.verb]]


async def compare(api: Api, bus: Bus, question: Question) -> tuple[list[str], list[str]]:
    """Ask every face at once; return which ones answered or refused, and what they differ in from the bus."""
    faces: dict[str, Any] = {"bus": by_bus(bus, question), "rest": by_rest(api, question)}
    if question.verb in TOOLS:
        faces["mcp"] = by_mcp(api, question)
    if question.verb in ON_GRAPHQL and "exchange" not in question.parameters:
        faces["graphql"] = by_graphql(api, question)
    said = dict(zip(faces, map(timeless, await asyncio.gather(*faces.values())), strict=True))
    reply = said.pop("bus")
    found: list[str] = []
    for face, answer in said.items():
        expected = {"rest": as_rest, "graphql": as_graphql}.get(face, lambda _, whole: whole)(question, reply)
        whole = answer["feeds"] if face == "mcp" and question.verb == "health" else answer
        found += [f"{face} {question}: {difference}" for difference in find_differences(expected, whole)]
    return [f"{face} {'refused' if isinstance(reply, str) else 'answered'}" for face in said], found


@pytest.mark.parametrize("questions", [300, pytest.param(1000, marks=pytest.mark.long)])
async def test_many_questions_have_one_answer_each(store: Store, start: Start, questions: int) -> None:
    """A face whose core was too busy to answer marks its last answer as stale: such a question is asked again."""
    chance = random.Random(SEED)
    await fill(store, chance)
    await serve_candles(store.bus, chance)
    api = await start({"stale_after_ns": HOUR_NS, "limits": MANY})
    await api.until("/gpt/liqmap?symbol=BTC", lambda answer: answer.status_code == 200)
    compared: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for _ in range(questions):
        question = ask(chance)
        faces, differences = await compare(api, store.bus, question)
        for _ in range(TRIES):
            if any("stale" in difference for difference in differences):
                faces, differences = await compare(api, store.bus, question)
        assert not differences
        compared.update(faces)
        answered[question.verb] += any("answered" in face for face in faces)
    print(dict(compared), dict(answered))
    assert set(answered) == {*PATHS, *PATHS_OF_A_SYMBOL}
    assert min(answered.values()) > questions // 50
    assert compared["graphql answered"] > questions // 5
    assert compared["mcp refused"] > questions // 50
