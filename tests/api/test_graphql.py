"""`/graphql` by POST and GET: the documented queries, exact numbers, the codes, and what is too much."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.graphql.__main__ import list_breaks
from api.graphql.endpoint import OperationReply
from api.graphql.schema import SCHEMA_FILE, schema_text
from tests.api.world import READ_KEY, Api, Start, Store, whale

pytestmark = pytest.mark.nats
LEVELS = {"bids": [("91000.10", "2.5"), ("91000.00", "1.5")], "asks": [("91000.30", "1.0"), ("91001", "1")]}
LIQUIDATION = {
    "id": "l1",
    "symbol": "BTC/USDT:USDT",
    "venue": "binanceusdm",
    "position_side": "long",
    "order_side": "sell",
    "price": "90000.50",
    "amount": "0.1",
    "usd_value": "9000.05",
    "sampled": True,
    "sim": False,
    "ts": 1_767_268_800_000_000_000,
}
DOCUMENTED = """
query Documented($symbol: String!, $filter: WhaleFilter) {
  price(symbol: $symbol) { symbol price change_24h change24h volume_24h timestamp age quality }
  whaleTransactions(symbol: $symbol, filter: $filter) { id side amount price usdValue usd_value exchange age quality }
  liquidations(symbol: $symbol, filter: {side: "long", limit: 5, minUsdValue: 1}) { side price usdValue exchange }
  orderbook(symbol: $symbol, filter: {depth: 1}) { bids { price amount total } asks { price } spread }
  marketData(symbol: $symbol) {
    symbol price change_24h
    whaleTransactions { usdValue }
    liquidations { price }
    liquidation_totals { totals { window total_usd } }
    orderbook { bids { price amount total } asks { price amount total } spread }
    timestamp
  }
}
"""

OHLC = "open high low close volume timestamp trades"
REFUSED = (
    "{",
    "{ nothing }",
    "{ price(symbol: 1) { price } }",
    "{ " + " ".join(f"a{number}: __typename" for number in range(16)) + " }",
    "{ a { b { c { d { e { f { g { h { i { j } } } } } } } } } }",
    "{ " + "__typename " * 1001 + "}",
    "{ " + " ".join(f'{name}: candles(symbol: "BTC", limit: 1000) {{ {OHLC} }}' for name in "abc") + " }",
    "{ ...f0 } " + " ".join(f"fragment f{at} on Query {{ ...f{at + 1} ...f{at + 1} }}" for at in range(70)),
    "{ ...f } fragment f on Query { ...f }",
    "mutation { nothing }",
    "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
)
BODIES = (
    (b"", "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'"text"', "application/json"),
    (b"null", "application/json"),
    (b'{"query":1}', "application/json"),
    (b'{"query":"{__typename}","variables":[]}', "application/json"),
    (b'{"query":"{__typename}","operationName":1}', "application/json"),
    (b'[{"query":"{__typename}"},{"query":"{__typename}"}]', "application/json"),
    (b"{__typename}", "application/graphql"),
    (b'{"query":"subscription { priceUpdates(symbols: [\\"BTC\\"]) { price } }"}', "application/json"),
)


async def ask(api: Api, query: str, key: str | None = READ_KEY, **members: Any) -> httpx.Response:
    bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
    return await api.client.post("/graphql", json={"query": query, **members}, headers=bearer)


async def ask_until_answered(api: Api, query: str, **members: Any) -> httpx.Response:
    """Ask again while the core is too busy to answer."""
    async with asyncio.timeout(20):
        while True:
            answer = await ask(api, query, **members)
            if '"NOT_READY"' not in answer.text:
                return answer


def read(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    OperationReply.model_validate_json(answer.content, extra="forbid")
    return json.loads(answer.text, parse_float=Decimal)


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in read(answer)["errors"]]


@pytest.fixture
async def api(store: Store, start: Start) -> Api:
    day = {"bid": "91000.10", "ask": "91000.30", "volume_24h": "3000", "change_24h": "1.50"}
    await store.put_ticker("binance", "BTC/USDT", "91000.123456789012345678901234567890", **day)
    await store.put_book("binance", "BTC/USDT", LEVELS)
    await store.put_whales(
        "BTC", [whale("binance", "BTC/USDT", "2000000.10"), whale("binance", "BTC/USDT", "1000000", side="sell")]
    )
    await store.put_liquidations("BTC", [LIQUIDATION, {**LIQUIDATION, "id": "l2", "position_side": "short"}])
    return await start()


async def test_the_documented_queries_are_answered_with_every_digit(api: Api) -> None:
    answer = await ask_until_answered(
        api, DOCUMENTED, variables={"symbol": "BTC", "filter": {"minUsdValue": 1000000.5, "side": "BUY"}}
    )
    body = read(answer)
    assert "errors" not in body, body["errors"]
    data = body["data"]
    price = data["price"]
    assert '"price":91000.123456789012345678901234567890' in answer.text
    assert (price["symbol"], price["quality"], price["change_24h"], price["change24h"]) == (
        "BTC",
        "live",
        Decimal("1.50"),
        Decimal("1.50"),
    )
    [found] = data["whaleTransactions"]
    assert (found["usdValue"], found["usd_value"], found["side"]) == (
        Decimal("2000000.10"),
        Decimal("2000000.10"),
        "buy",
    )
    assert '"amount":12.50000000000000000001' in answer.text
    assert [item["side"] for item in data["liquidations"]] == ["long"]
    assert len(data["orderbook"]["bids"]) == 1
    assert data["orderbook"]["spread"] == Decimal("0.20")
    market = data["marketData"]
    assert (market["symbol"], len(market["whaleTransactions"]), len(market["orderbook"]["bids"])) == ("BTC", 2, 2)
    assert market["liquidation_totals"]["totals"][0] == {"window": "1h", "total_usd": Decimal("3000.30")}
    beside = body["extensions"]["beside"]
    assert beside["whaleTransactions"]["quality"] == "live"
    assert set(beside) == {
        "whaleTransactions",
        "liquidations",
        "marketData.whaleTransactions",
        "marketData.liquidations",
    }


async def test_a_query_may_come_in_the_url(api: Api) -> None:
    answer = await api.get('/graphql?query={price(symbol:"BTC"){symbol}}')
    assert read(answer)["data"] == {"price": {"symbol": "BTC"}}
    variables = "query=query(%24s:String!){price(symbol:%24s){symbol}}&variables=%7B%22s%22:%22BTC%22%7D"
    assert read(await api.get(f"/graphql?{variables}"))["data"] == {"price": {"symbol": "BTC"}}


async def test_each_error_has_a_code_and_leaves_the_other_fields_be(api: Api) -> None:
    wide = 'orderbook(symbol: "BTC", filter: {minSpread: 5}) { spread }'
    query = f'{{ price(symbol: "NOPE") {{ price }} {wide} whaleTransactions(symbol: "BTC") {{ id }} }}'
    body = read(await ask_until_answered(api, query))
    assert (body["data"]["price"], body["data"]["orderbook"]) == (None, None)
    assert len(body["data"]["whaleTransactions"]) == 2
    found = {error["path"][0]: error["extensions"]["code"] for error in body["errors"]}
    assert found == {"price": "INVALID_SYMBOL", "orderbook": "NO_DATA"}
    refused = '{ orderbook(symbol: "BTC", filter: {depth: 101}) { spread } }'
    [error] = read(await ask(api, refused))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["details"]["parameter"]) == ("INVALID_PARAMETER", "depth")


async def test_what_is_no_operation_or_too_much_of_one_is_refused(api: Api) -> None:
    for query in REFUSED:
        answer = await ask(api, query)
        if answer.status_code == 200:
            assert set(codes(answer)) == {"INVALID_BODY"}, query
            assert read(answer)["data"] is None
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY"), query


async def test_a_body_that_is_no_operation_is_refused(api: Api) -> None:
    for body, kind in BODIES:
        headers = {"Authorization": f"Bearer {READ_KEY}", "content-type": kind}
        answer = await api.client.post("/graphql", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY"), body[:80]


async def test_a_key_is_needed_unless_the_setting_opens_it(api: Api) -> None:
    assert (await ask(api, "{ __typename }", key=None)).status_code == 401
    assert (await ask(api, "{ __typename }", key="wrong-key-0123456789")).status_code == 401


async def test_introspection_is_answered(api: Api) -> None:
    from graphql import get_introspection_query  # noqa: PLC0415

    answer = read(await ask(api, get_introspection_query()))
    assert "errors" not in answer
    assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


def test_the_committed_schema_is_the_present_one_and_may_only_grow() -> None:
    committed = SCHEMA_FILE.read_text()
    assert committed == schema_text(), "run python -m api.graphql"
    assert list_breaks(committed, committed + "\ntype More { more: String }") == []
    assert list_breaks(committed, committed.replace("usdValue: Decimal!", "usdWorth: Decimal!"))
    assert list_breaks(committed, committed.replace("depth: Int = null", "depth: Int!"))
