"""What became of a signal at an owner's endpoints: delivered, waiting, dead, or in a digest."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from consumers.webhooks.delivery.explained import find_deliveries
from consumers.webhooks.delivery.rules import DigestRules
from consumers.webhooks.registry.endpoint import Endpoint
from contracts.services.explaining import Delivery, FindDeliveries
from runtime import clock
from runtime.servers.embedded import NatsServer
from runtime.store import Store
from tests.consumers.webhooks.delivery.stage import QUICK, Stage, staging, wait_for
from tests.consumers.webhooks.receiver import OK, Request, answering, receiving

pytestmark = pytest.mark.nats
OOPS = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


async def found(stage: Stage, source: str, since: int, *endpoints: Endpoint) -> list[Delivery]:
    query = FindDeliveries(id="an alert", signal=source, since=since, owner="alice")
    return await find_deliveries(stage.sending, [one.id for one in endpoints], query)


async def test_deliveries_of_a_signal_are_found_by_endpoint(server: NatsServer, documents: Store) -> None:
    since = clock.now_ns()
    rules = replace(QUICK, retries=(0.05, 3600.0), max_failures=1000)
    async with (
        staging(server.url, documents, rules) as stage,
        receiving() as fine,
        receiving(answering(OOPS)) as failing,
    ):
        good = await stage.register(fine.url)
        bad = await stage.register(failing.url)
        refused = await stage.register("https://10.0.0.1/hook")
        other = await stage.register(fine.url, symbols=("ETH",))
        source = await stage.whale()
        await stage.settled(good, 1)
        await stage.settled(refused, 1)
        await wait_for(lambda: len(failing.requests) == 2)
        async with asyncio.timeout(30):
            while True:
                rows = {one.target: one for one in await found(stage, source, since, good, bad, refused, other)}
                if rows[bad.id].reason == "2 attempts have failed":
                    break
                await asyncio.sleep(0.02)
        assert rows.keys() == {good.id, bad.id, refused.id}
        assert (rows[bad.id].state, rows[bad.id].at) == ("waiting", None)
        kept = (await stage.sending.attempts.newest(good.id, 1, clock.now_ns()))[0]
        assert (rows[good.id].state, rows[good.id].at, rows[good.id].reason) == ("done", kept.at_ns, None)
        assert (rows[refused.id].state, (rows[refused.id].reason or "")[:9]) == ("failed", "refused: ")
        assert await found(stage, source, since, other) == []
        assert await found(stage, "another signal", since, good, bad) == []


async def test_a_delivery_of_days_ago_is_found_where_it_took_hours(server: NatsServer, documents: Store) -> None:
    async with staging(server.url, documents) as stage, receiving() as receiver:
        since = clock.now_ns() - 3 * 3600 * 10**9  # it waited for the matcher, which was down
        endpoint = await stage.register(receiver.url)
        source = await stage.whale()
        await stage.settled(endpoint, 1)
        assert [one.state for one in await found(stage, source, since, endpoint)] == ["done"]


async def test_what_stands_in_a_digest_is_delivered_with_it(server: NatsServer, documents: Store) -> None:
    ready = asyncio.Event()

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        if json.loads(request.body)["event_type"] == "digest":
            await ready.wait()
        writer.write(OK)
        await writer.drain()

    since = clock.now_ns()
    async with staging(server.url, documents, digests=DigestRules(seconds=0.5)) as stage, receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        sources = [await stage.whale() for _ in range(3)]
        await wait_for(lambda: len(receiver.requests) == 2)
        waiting = (await found(stage, sources[1], since, endpoint))[0]
        ready.set()
        await stage.settled(endpoint, 4)
        done = (await found(stage, sources[1], since, endpoint))[0]
        name = receiver.requests[1].headers["webhook-id"]
    assert (waiting.state, waiting.reason) == ("waiting", f"in digest {name}")
    assert (done.state, done.reason) == ("done", f"in digest {name}")
    assert done.at is not None
