"""A request over HTTP, the command that it becomes, and who replies to that are one trace."""

from __future__ import annotations

from functools import partial

import pytest

from api.app import ApiOptions
from consumers.market.handlers import MarketPlan
from consumers.market.handlers import run as run_market
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.world import READ_KEY, Store, api_settings, serving
from tests.recording import TRACE, ids, parent_ids, recording
from tests.running import running

pytestmark = pytest.mark.nats


@pytest.mark.parametrize("ratio", [1.0, 0.0])
async def test_a_request_its_command_and_its_reply_are_one_trace(
    api_nats: NatsServer, store: Store, ratio: float
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "65000")
    (asking, asked), (core, answered) = recording(ratio, "api"), recording(0.0, "market")
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="market"), tracing=core).connect()
    where = BusOptions(servers=(api_nats.url,), name="api")
    options = ApiOptions(settings=api_settings(), bus=where, tracing=asking)
    try:
        async with running(bus, "market", partial(run_market, plan=MarketPlan())), serving(options) as api:
            await api.until("/health/ready", lambda answer: answer.status_code == 200)
            asked.clear()
            answered.clear()
            answer = await api.get("/gpt/raw?symbol=BTC", traceparent=TRACE)
    finally:
        await bus.close()
    assert answer.status_code == 200
    if not ratio:
        assert (asked.get_finished_spans(), answered.get_finished_spans()) == ((), ())
        return
    request = next(span for span in asked.get_finished_spans() if span.name == "GET /gpt/raw")
    commands = [span for span in asked.get_finished_spans() if span.name.startswith("request cmd.v1.market.")]
    assert f"{ids(request)[0]:032x}" == TRACE.split("-")[1]
    assert commands
    assert {parent_ids(span) for span in commands} == {ids(request)}
    under = {ids(span) for span in commands}
    assert [span for span in answered.get_finished_spans() if parent_ids(span) in under]
    exported = "".join(span.to_json() for span in (*asked.get_finished_spans(), *answered.get_finished_spans()))
    assert READ_KEY not in exported
