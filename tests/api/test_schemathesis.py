"""Requests made from `/openapi.json` at random: no server error, no undocumented status, every answer its model's."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import CHECKS

from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from consumers.portfolio.handlers import make_consumer as make_portfolio
from consumers.webhooks.transport import Network
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.world import ADMIN_KEY, Api, Start, Store
from tests.consumers.analytics.test_on_the_bus import consuming
from tests.consumers.community.conftest import own_database, serving_community
from tests.consumers.deadletters.test_on_the_bus import serving
from tests.consumers.webhooks.conftest import make_plan
from tests.consumers.webhooks.conftest import serving as serving_webhooks
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(300)]
EXAMPLES = 15
ENDLESS = ("/events",)
UNSERVED = ("/admin/keys", "/admin/audit")  # their consumer is tried by its own tests
HELD = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def try_all(url: str, document: dict[str, Any]) -> dict[str, int]:
    """Try every operation; gives how many requests were made of each, and raises at the first wrong answer."""
    schema = schemathesis.openapi.from_dict(document)
    checks = [CHECKS.get_one(name) for name in HELD]
    tried: dict[str, int] = {}
    operations: list[Any] = [cast("Any", found).ok() for found in schema.get_all_operations()]
    for operation in operations:
        if not operation.path.startswith((*ENDLESS, *UNSERVED)):
            tried[operation.label] = try_one(operation, url, checks)
    return tried


def try_one(operation: Any, url: str, checks: list[Any]) -> int:
    """Try one operation; gives how many requests were made."""
    made: list[int] = []

    @QUICK
    @given(case=operation.as_strategy())
    def run(case: Case) -> None:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        answer = case.call(base_url=url, headers=headers, timeout=40)
        assert answer.status_code not in {500, 502, 504}, (case.as_curl_command(), answer.text)
        case.validate_response(answer, checks=checks)
        made.append(answer.status_code)

    run()
    return len(made)


async def resolve_nothing(name: str) -> list[Any]:
    raise OSError(f"{name} is not there")


async def test_random_requests_are_answered_as_documented(
    store: Store, start: Start, api_nats: NatsServer, documents_url: str
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10")
    roomy = {f"GPT_API_RATE_LIMIT_{name}": "1000000" for name in ("REQUESTS", "IP", "ANONYMOUS", "GLOBAL")}
    api: Api = await start(**roomy)
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="test")).connect()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bus.close)
        await stack.enter_async_context(consuming(bus, documents_url, "test_schemathesis"))
        await stack.enter_async_context(serving(bus))
        nowhere = make_plan(documents_url, network=Network(resolve_nothing))
        await stack.enter_async_context(serving_webhooks(api_nats.url, nowhere))
        await stack.enter_async_context(serving_community(api_nats.url, own_database(documents_url)))
        plan = ExecutionPlan(documents=own_database(documents_url))
        await stack.enter_async_context(running(bus, "execution", partial(run_execution, plan=plan)))
        portfolio = make_portfolio(own_database(documents_url))
        await stack.enter_async_context(running(bus, "portfolio", portfolio.run))
        document = (await api.get("/openapi.json")).json()
        tried = await asyncio.to_thread(try_all, api.url, document)
    print("\n" + "\n".join(f"{name:50} {count:3} requests" for name, count in sorted(tried.items())))
    assert len(tried) > 25
    assert min(tried.values()) >= 1
