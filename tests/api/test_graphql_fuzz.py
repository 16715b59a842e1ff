"""Any query that the schema allows, and any other, is answered: no fault of the service, nothing but JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import GraphQLSchema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis_graphql import Mode, queries

from api.graphql.schema import make_schema
from api.http.errors import CODES
from tests.api.test_graphql import LEVELS, LIQUIDATION
from tests.api.test_parity import MANY
from tests.api.world import READ_KEY, Start, Store, whale

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300)]
EXAMPLES = 150
SCHEMA: GraphQLSchema = make_schema()._schema
KNOWN = {code for codes in CODES.values() for code in codes} - {"INTERNAL_ERROR"}


def generate(mode: Mode) -> list[str]:
    """Return generated queries, the same ones every time."""
    found: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(queries(SCHEMA, mode=mode))
    def collect(query: str) -> None:
        found.append(query)

    collect()
    return found


@pytest.mark.parametrize("mode", [Mode.POSITIVE, Mode.NEGATIVE])
async def test_no_query_is_a_fault_of_the_service(store: Store, start: Start, mode: Mode) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10", volume_24h="3000")
    await store.put_book("binance", "BTC/USDT", LEVELS)
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "2000000.10")])
    await store.put_liquidations("BTC", [LIQUIDATION])
    api = await start({"limits": MANY})
    answered = 0
    for query in generate(mode):
        for asked in (query, query.replace('symbol: ""', 'symbol: "BTC"')):
            answer = await api.client.post(
                "/graphql", json={"query": asked}, headers={"Authorization": f"Bearer {READ_KEY}"}
            )
            assert answer.status_code in {200, 400}, (answer.text, asked)
            body: dict[str, Any] = json.loads(answer.text)
            codes = {error["extensions"]["code"] for error in body.get("errors", ())}
            assert codes <= KNOWN, (codes, asked)
            answered += answer.status_code == 200
    assert answered > EXAMPLES
