"""A running copy under a real Prometheus: every panel has data, and rules fire in a fault and clear after it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from runtime.servers.embedded import free_port
from tests.bot.world import ANN, Person
from tests.consumers.webhooks.receiver import receiving
from tests.deploy.shipped.prometheus import PROMETHEUS, Prometheus, scraping, targets_of
from tests.deploy.shipped.test_observability import DASHBOARDS, FOLDER
from tests.e2e.conftest import NO_LIMITS, Copy

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(PROMETHEUS is None, reason="no Prometheus (Debian's package prometheus)"),
]
DATA_SECONDS = 240.0
FIRES_SECONDS = 240.0  # two minutes of a feed that is down, after the lease of its producer has ended


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Any, Prometheus]]:
    """A copy of the demo and the Prometheus that scrapes it."""
    place, port = tmp_path_factory.mktemp("watched"), free_port()
    allowed = {"HYDROPHONE_WEBHOOK_ALLOW": "127.0.0.1", "GPT_API_WEBHOOK_RATE_LIMIT_SECONDS": "0"}
    busy = {"HYDROPHONE_WHALE_USD_MAJORS": "5000"}  # posts and messages in each minute, at the demo's calm rate too
    copy = Copy("demo", place / "data", {**NO_LIMITS, **allowed, **busy, "HYDROPHONE_METRICS_PORT": str(port)})
    try:
        copy.wait_ready(300)
        with scraping(place / "prometheus", targets_of(copy.facts, port), FOLDER / "alerts.yml") as prometheus:
            yield copy, prometheus
    finally:
        copy.stop()


def empty_panels(prometheus: Prometheus) -> dict[str, str]:
    """The queries of panels that give no series, or nothing but NaN, by panel."""
    found: dict[str, str] = {}
    for name, board in DASHBOARDS.items():
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                query = target["expr"].replace("$__rate_interval", "1m").replace("$venue", ".*")
                values = {series["value"][1] for series in prometheus.query(query)}
                if values <= {"NaN"}:
                    found[f"{name}: {panel['title']} {target['refId']}"] = query
    return found


async def use(facts: dict[str, Any], prometheus: Prometheus) -> dict[str, str]:
    """Use every face until each panel has data; what has none in time is returned."""
    key = {"Authorization": f"Bearer {facts['api']['key']}"}
    url = facts["api"]["url"].replace("localhost", "127.0.0.1")
    socket = url.replace("http", "ws") + "/ws"
    async with (
        receiving() as receiver,
        httpx.AsyncClient(base_url=url, headers=key, timeout=30) as api,
        httpx.AsyncClient(base_url=facts["telegram"]["url"], timeout=30) as telegram,
        connect(socket, additional_headers=key) as stream,
    ):
        person = Person(telegram, ANN, ANN, patience=60.0)
        await person.say("/subscribe whales")
        wanted = {"url": receiver.url, "events": ["whale", "liquidation"]}
        admin = {"Authorization": f"Bearer {facts['api']['admin_key']}"}  # the read key may read only
        registered = await api.post("/webhooks/register", json=wanted, headers=admin)
        assert registered.is_success, registered.text
        await stream.send('{"type":"subscribe","symbol":"BTC"}')
        reading = asyncio.create_task(read_all(stream))  # who does not read is closed as too slow
        deadline = asyncio.get_running_loop().time() + DATA_SECONDS
        while (empty := await asyncio.to_thread(empty_panels, prometheus)) and (
            asyncio.get_running_loop().time() < deadline
        ):
            for path in ("/gpt/raw?symbol=BTC", "/gpt/raw?symbol=ETH", "/health/ready", "/health"):
                await api.get(path)
            await asyncio.sleep(1)
            assert not reading.done(), reading
        reading.cancel()
        return empty


async def read_all(stream: ClientConnection) -> None:
    """Read whatever comes."""
    async for _ in stream:
        pass


def test_every_panel_has_data(watched: tuple[Any, Prometheus]) -> None:
    copy, prometheus = watched
    assert asyncio.run(use(copy.facts, prometheus)) == {}


def test_rules_fire_while_producers_hang_and_clear_when_they_go_on(watched: tuple[Any, Prometheus]) -> None:
    copy, prometheus = watched
    wrong = {"PartDown", "FeedDown"}
    assert prometheus.until(lambda: not wrong & prometheus.firing() and not prometheus.down(), 120.0)
    os.kill(copy.facts["pids"]["producers"], signal.SIGSTOP)
    try:
        assert prometheus.until(lambda: wrong <= prometheus.firing(), FIRES_SECONDS), prometheus.firing()
    finally:
        os.kill(copy.facts["pids"]["producers"], signal.SIGCONT)
    assert prometheus.until(lambda: not wrong & prometheus.firing(), 120.0), prometheus.firing()
